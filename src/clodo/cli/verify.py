"""``verify``: the proof of a service folder."""

from __future__ import annotations

from pathlib import Path

import click

from clodo.cli.context import Talk, command
from clodo.proof.host import Host
from clodo.toolchain import ensure


@click.command("verify")
@click.argument("directory", type=click.Path(path_type=Path), default=Path())
@click.option("--all", "every", is_flag=True, help="Show the checks that passed, too.")
@command
def verify_command(talk: Talk, directory: Path, every: bool) -> None:
    """Prove a service: types, workerd, migrations, rules, attacks."""
    toolchain = ensure(talk.say)
    with Host(toolchain) as host:
        # Node loads what it needs on one core while Python does the same on another.
        from clodo.bricks.registry import service_checks
        from clodo.cli import output
        from clodo.proof.verify import verify

        report = verify(directory, service_checks, toolchain, host)
    if talk.as_json:
        talk.answer(report.to_json())
    else:
        output.show_report(talk.out, report, every=every)
    if not report.proven:
        raise SystemExit(1)
