"""Streams, JSON answers and errors: the same for every command."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, NoReturn

import click
from rich.console import Console

from clodo.errors import ClodoError, UnclearDescription

Command = Callable[..., None]


class Talk:
    """stdout is data, stderr is talk. With ``--json`` stdout carries exactly one document."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.out = Console(highlight=False)
        self.err = Console(stderr=True, highlight=False)

    @property
    def interactive(self) -> bool:
        """Whether a person can be asked."""
        terminals = sys.stdin.isatty() and sys.stdout.isatty()
        return terminals and not self.as_json and not os.environ.get("CI")

    @property
    def screen(self) -> Console:
        """Where a result for people goes."""
        return self.err if self.as_json else self.out

    def say(self, text: str) -> None:
        """Progress and remarks, on stderr."""
        self.err.print(text, style="dim", soft_wrap=True, markup=False)

    def answer(self, document: dict[str, Any]) -> None:
        """The JSON document."""
        click.echo(json.dumps(document, ensure_ascii=False))

    def fail(self, error: ClodoError, extra: dict[str, Any] | None = None) -> NoReturn:
        """Tells an error and ends with its status."""
        if self.as_json:
            self.answer({**(extra or {}), "error": error.to_json()})
        self.err.print(f"error: {error.message}", style="red", soft_wrap=True, markup=False)
        if isinstance(error, UnclearDescription):
            for question in error.questions:
                self.err.print(f"  • {question}", soft_wrap=True, markup=False)
        if error.hint:
            self.err.print(error.hint, soft_wrap=True, markup=False)
        sys.exit(error.exit_status)


def command(function: Command) -> Command:
    """Adds ``--json`` and turns errors into answers and exit statuses."""

    @click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")
    @wraps(function)
    def run(*args: Any, as_json: bool, **kwargs: Any) -> None:
        talk = Talk(as_json=as_json)
        try:
            function(talk, *args, **kwargs)
        except ClodoError as error:
            talk.fail(error)
        except (KeyboardInterrupt, click.Abort):
            talk.err.print("\nStopped. Nothing was left half-written.", style="yellow")
            sys.exit(130)

    return run
