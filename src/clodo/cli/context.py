"""Streams, JSON answers and errors: the same for every command, however it ends."""

from __future__ import annotations

import errno
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.console import Console

from clodo.errors import ClodoError, InternalError, Interrupted, UsageError
from clodo.lm.privacy import Privacy

Command = Callable[..., None]

#: Options of the commands that put a service in a folder.
FORCE = click.option("--force", is_flag=True, help="Replace the service in the folder; other files stay.")
DISCARD_EDITS = click.option("--discard-edits", is_flag=True, help="With --force: replace files that you have edited, too.")


def _policy(ctx: click.Context, parameter: click.Parameter, value: Any) -> Privacy | None:
    return Privacy(value) if value else None


#: What a model may be told, for the commands that ask one; where it is not given, ``CLODO_PRIVACY`` has a say.
PRIVACY = click.option(
    "--privacy", type=click.Choice([p.value for p in Privacy]), default=None, callback=_policy,
    help="What may leave this machine: nothing, all but secrets and names, or everything.  [default: local-only]",
)  # fmt: skip


def read_text(path: Path) -> str:
    """The text of a file that a user names, a byte order mark aside.

    Raises:
        UsageError: it cannot be read, or is not in UTF-8.
    """
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{str(path)!r} is not in UTF-8.", hint="Save it as UTF-8, and name a file that holds text.") from None
    except OSError as error:
        raise UsageError(f"{str(path)!r} cannot be read: {error.strerror or error}.", hint="Check the path.") from None
    except ValueError:  # a sign that no path can have
        raise UsageError(f"{str(path)!r} is no path of a file.", hint="Check the path.") from None


class Talk:
    """stdout is data, stderr is talk. With ``--json`` stdout carries exactly one document."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._answered = False
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
        """The JSON document. It is one: an error after it is told on stderr alone."""
        if self._answered:
            return
        self._answered = True
        click.echo(json.dumps(document, ensure_ascii=False))

    def serve(self, steps: Callable[[Callable[[str], None]], Iterable[None]]) -> None:
        """Serves until it is stopped. ``steps`` is given whom to tell the address each time that it answers."""
        announced = False

        def ready(url: str) -> None:
            nonlocal announced
            if not self.as_json:
                click.echo(f"ready {url}")
            elif not announced:  # one document, however often it reloads
                self.answer({"ready": url})
            announced = True

        try:
            for _ in steps(ready):
                pass
        except KeyboardInterrupt:
            if not announced:
                raise
            self.say("stopped")

    def fail(self, error: ClodoError, extra: dict[str, Any] | None = None) -> NoReturn:
        """Tells an error and ends with its status."""
        if self.as_json:
            self.answer({**(extra or {}), "error": error.to_json()})
        self.err.print(f"error: {error.message}", style="red", soft_wrap=True, markup=False)
        for detail in error.details:
            self.err.print(f"  • {detail}", soft_wrap=True, markup=False)
        if error.hint:
            self.err.print(error.hint, soft_wrap=True, markup=False)
        sys.exit(error.exit_status)

    def end(self, error: BaseException) -> NoReturn:
        """Ends the command for whatever ended it: each way has its words, its document and its status."""
        if isinstance(error, ClodoError):
            self.fail(error)
        if isinstance(error, click.ClickException):
            self.fail(_usage(error))
        if isinstance(error, (KeyboardInterrupt, click.Abort, EOFError)):
            stopped = Interrupted("Stopped. Nothing was left half-written.")
            if self.as_json:
                self.answer({"error": stopped.to_json()})
            self.err.print(f"\n{stopped.message}", style="yellow")
            sys.exit(stopped.exit_status)
        # A reader of our output that went away (`| head`) is click's to deal with.
        if not isinstance(error, Exception) or isinstance(error, click.exceptions.Exit) or _is_broken_pipe(error):
            raise error
        if os.environ.get("CLODO_DEBUG"):
            traceback.print_exception(error)
        self.fail(_internal(error))


def _is_broken_pipe(error: Exception) -> bool:
    return isinstance(error, OSError) and error.errno == errno.EPIPE


def _usage(error: click.ClickException) -> ClodoError:
    context = error.ctx if isinstance(error, click.UsageError) else None
    called = context.command_path if context else "clodo"
    return UsageError(error.format_message(), hint=f"`{called} --help` shows how it is called.")


def _internal(error: Exception) -> ClodoError:
    reason = " ".join(str(error).split()) or type(error).__name__
    return InternalError(
        f"Clodo failed in a way that it should not ({reason[:300]}).",
        hint="Please report it, with what CLODO_DEBUG=1 shows when you run the command again.",
    )


def command(function: Command) -> Command:
    """Adds ``--json`` and turns errors into answers and exit statuses."""

    @click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")
    @wraps(function)
    def run(*args: Any, as_json: bool, **kwargs: Any) -> None:
        talk = Talk(as_json=as_json)
        try:
            function(talk, *args, **kwargs)
        except (Exception, KeyboardInterrupt) as error:
            talk.end(error)

    return run
