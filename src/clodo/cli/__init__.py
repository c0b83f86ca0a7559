"""The command line. It holds no rules: it speaks to people and scripts and calls ``clodo.app``."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Any

import click

from clodo.version import VERSION


class _Lazy(click.Group):
    """Loads a command when it is called, so that ``--help`` and errors are quick."""

    _places = {
        "generate": ("clodo.cli.generate", "generate_command"),
        "blueprint": ("clodo.cli.generate", "blueprint_command"),
        "build": ("clodo.cli.services", "build_command"),
        "verify": ("clodo.cli.verify", "verify_command"),
        "dev": ("clodo.cli.services", "dev_command"),
        "eval": ("clodo.cli.evaluate", "eval_command"),
        "train": ("clodo.cli.train", "train_command"),
        "edge": ("clodo.cli.edge", "edge_command"),
        "doctor": ("clodo.cli.doctor", "doctor_command"),
    }

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        from importlib import import_module

        place = self._places.get(cmd_name)
        if place is None:
            return None
        found = getattr(import_module(place[0]), place[1])
        assert isinstance(found, click.Command)
        return found


    def main(self, args: Sequence[str] | None = None, *rest: Any, **options: Any) -> Any:
        """As click's, but what fails before or beside a command, too, ends as the commands do: with our words, and with
        one document on stdout where ``--json`` was asked for."""
        given = list(sys.argv[1:] if args is None else args)
        try:
            status = super().main(args, *rest, **{**options, "standalone_mode": False})
        except (Exception, KeyboardInterrupt) as error:
            if not given and isinstance(error, click.UsageError):  # called bare: the error is the help
                error.show()
                sys.exit(error.exit_code)
            from clodo.cli.context import Talk

            Talk(as_json="--json" in given).end(error)
        sys.exit(status if isinstance(status, int) else 0)


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="clodo")
def main() -> None:
    """Describe a service in plain words, get a tested Cloudflare Worker."""
    # Asked to end, a command cleans up as it does for Ctrl-C.
    signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
