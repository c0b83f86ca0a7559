"""``build`` and ``dev``: services from blueprints, built and served."""

from __future__ import annotations

from pathlib import Path

import click

from clodo.app.services import put_service
from clodo.app.serving import serve
from clodo.blueprint import check, parse
from clodo.blueprint.syntax import read
from clodo.cli import output
from clodo.cli.context import DISCARD_EDITS, FORCE, Talk, command, read_text


@click.command("build")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--output", "-o", "directory", required=True, type=click.Path(path_type=Path), help="The folder of the service.")
@click.option("--verify", "prove", is_flag=True, help="Prove it too, before it is put in place.")
@FORCE
@DISCARD_EDITS
@command
def build_command(talk: Talk, file: Path, directory: Path, prove: bool, force: bool, discard_edits: bool) -> None:
    """Build a service from a blueprint, with no model."""
    source = read_text(file)
    blueprint = parse(source)
    for problem in check(*read(source)):
        talk.say(f"warning: {problem}")
    built = put_service(blueprint, source, directory, prove=prove, force=force, discard_edits=discard_edits, progress=talk.say)
    if talk.as_json:
        proof = built.report.to_json() if built.report else None
        talk.answer({"directory": str(directory), "files": built.files, "timings_ms": built.timings_ms, "proof": proof})
        return
    talk.out.print(f"built {directory}/ ({built.files} files)", soft_wrap=True, markup=False)
    if built.report:
        output.show_report(talk.out, built.report)
    else:
        talk.out.print(f"next: clodo verify {output.pasted(directory)}", soft_wrap=True, markup=False)


@click.command("dev")
@click.argument("directory", type=click.Path(path_type=Path), default=Path())
@click.option("--port", type=click.IntRange(1, 65535), default=8787, show_default=True, help="The port on 127.0.0.1.")
@command
def dev_command(talk: Talk, directory: Path, port: int) -> None:
    """Serve a service in workerd, rebuilt on every change."""
    talk.serve(lambda ready: serve(directory, port, ready, talk.say))
