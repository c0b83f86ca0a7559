"""``generate`` and ``blueprint``: from a description to a service, or to its blueprint alone."""

from __future__ import annotations

import os
import shlex
import sys
import time
from pathlib import Path

import click

from clodo.app.folders import free_directory
from clodo.app.models import DEFAULT_MODEL, open_understander
from clodo.app.services import put_service
from clodo.blueprint import Blueprint, InvalidBlueprint, format_blueprint, parse
from clodo.cli import output
from clodo.cli.context import DISCARD_EDITS, FORCE, PRIVACY, Talk, command, read_text
from clodo.errors import ClodoError, UnclearDescription, UsageError
from clodo.lm.privacy import Privacy
from clodo.understand.document import document
from clodo.understand.port import Understanding

MAX_CHARACTERS = 20_000


def default_model() -> str:
    """The model that is used where none is named: ``CLODO_MODEL``, else the built-in one."""
    return os.environ.get("CLODO_MODEL") or DEFAULT_MODEL


def read_description(argument: str | None, file: str | None) -> str:
    """The description from the argument, a file or stdin (``-``)."""
    if (argument is None) == (file is None):
        raise UsageError(
            "Give a description, or --file with a file that holds one.",
            hint='For example: clodo generate "Books have a title and a price."',
        )
    if file == "-":
        try:
            text = sys.stdin.read()
        except UnicodeDecodeError:
            raise UsageError("What stands on stdin is not in UTF-8.", hint="Give the text as UTF-8.") from None
    elif file is not None:
        text = read_text(Path(file))
    else:
        text = argument or ""
        if _is_file(text):
            raise UsageError(f"{text!r} is a file, not a description.", hint=f"To read the description from it: --file {shlex.quote(text)}")
    text = text.strip()
    if not text:
        raise UsageError("The description is empty.", hint="Describe the service in a sentence.")
    if len(text) > MAX_CHARACTERS:
        raise UsageError(
            f"The description has {len(text)} characters; {MAX_CHARACTERS} are the most.",
            hint="Shorten it, or describe one service at a time.",
        )
    return text


def _is_file(text: str) -> bool:
    """Whether what was given as a description is the name of a file."""
    try:
        return len(text.split()) == 1 and Path(text).is_file()
    except (OSError, ValueError):
        return False  # nothing that a file can be called


def understand(talk: Talk, text: str, model: str, privacy: Privacy | None) -> Understanding:
    """What the model makes of the text under the privacy policy (``CLODO_PRIVACY`` where none is given).

    Raises:
        UnclearDescription: it must be asked first.
    """
    started = time.perf_counter()
    understander = open_understander(model, talk.say, privacy)
    understanding = understander.understand(text)
    if understanding.blueprint is None:
        error = UnclearDescription(
            "The description is not clear enough to build from.",
            questions=understanding.questions,
            hint="Describe it again with the answers.",
        )
        talk.fail(error, document(understanding, {"total": (time.perf_counter() - started) * 1000}))
    return understanding


_DESCRIPTION = click.argument("description", required=False)
_FILE = click.option("--file", "-f", help="Read the description from a file, or from stdin with '-'.")
_MODEL = click.option(
    "--model", metavar="REF", default=None,
    help="clodo-1 (built in), smollm2, file:PATH, http://HOST/v1#MODEL, edge:URL, workers-ai:@cf/…, or hybrid:REF,REF.",
)  # fmt: skip


@click.command("blueprint")
@_DESCRIPTION
@_FILE
@_MODEL
@PRIVACY
@command
def blueprint_command(
    talk: Talk, description: str | None, file: str | None, model: str | None, privacy: Privacy | None
) -> None:
    """Turn a description into a blueprint and print it."""
    started = time.perf_counter()
    text = read_description(description, file)
    understanding = understand(talk, text, model or default_model(), privacy)
    total = (time.perf_counter() - started) * 1000
    if talk.as_json:
        talk.answer(document(understanding, {"total": total}))
        return
    assert understanding.blueprint is not None
    if talk.err.is_terminal:
        output.show_description(talk.err, text, understanding)
    click.echo(format_blueprint(understanding.blueprint), nl=False)
    if not talk.err.is_terminal and (left := output.passed_over(text, understanding.spans)):
        talk.say(left)
    for note in understanding.notes:
        talk.say(f"note: {note}")
    if understanding.tried or talk.err.is_terminal:
        talk.say(output.answered_by(understanding))


@click.command("generate")
@_DESCRIPTION
@_FILE
@click.option("--output", "-o", "directory", type=click.Path(path_type=Path), help="The folder of the service.")
@click.option("--lang", type=click.Choice(["typescript", "python"]), default="typescript", help="The language of the service.")
@_MODEL
@PRIVACY
@click.option("--yes", "-y", is_flag=True, help="Never ask.")
@FORCE
@DISCARD_EDITS
@command
def generate_command(
    talk: Talk,
    description: str | None,
    file: str | None,
    directory: Path | None,
    lang: str,
    model: str | None,
    privacy: Privacy | None,
    yes: bool,
    force: bool,
    discard_edits: bool,
) -> None:
    """Turn a description into a proven service."""
    started = time.perf_counter()
    if lang == "python":
        raise UsageError(
            "Services in Python cannot be made yet.", hint="Leave --lang out for TypeScript."
        )
    text = read_description(description, file)
    if directory is not None:
        free_directory(directory, force=force, discard_edits=discard_edits)
    understanding = understand(talk, text, model or default_model(), privacy)
    assert understanding.blueprint is not None
    source = format_blueprint(understanding.blueprint)
    output.show_understanding(talk.screen, text, understanding, source)
    blueprint = understanding.blueprint
    if talk.interactive and not yes:
        blueprint, source = accepted(talk, text, understanding, model or default_model(), privacy)
    target = directory or Path(blueprint.name.replace("_", "-"))
    try:
        built = put_service(blueprint, source, target, prove=True, force=force, discard_edits=discard_edits, progress=talk.say)
    except ClodoError as error:  # what was understood is worth having all the same
        total = (time.perf_counter() - started) * 1000
        talk.fail(error, {**document(understanding, {"total": total}), "blueprint": source})
    assert built.report is not None
    total = (time.perf_counter() - started) * 1000
    if talk.as_json:
        full = document(understanding, {**built.timings_ms, "total": total})
        report = {k: v for k, v in built.report.to_json().items() if k != "evidence"}
        talk.answer({**full, "blueprint": source, "directory": str(target), "files": built.files, "proof": report})
        return
    talk.out.print(f"\nbuilt {target}/ ({built.files} files)", soft_wrap=True, markup=False)
    output.show_report(talk.out, built.report)
    talk.out.print("\nnext:", markup=False)
    place = output.pasted(target)
    talk.out.print(f"  clodo dev {place}", soft_wrap=True, markup=False)
    talk.out.print(f"  cd {place} && npm install && npm run dev", soft_wrap=True, markup=False)


def accepted(
    talk: Talk, text: str, u: Understanding, model: str, privacy: Privacy | None
) -> tuple[Blueprint, str]:
    """What the user settles on: the blueprint as it is, edited, or understood from other words."""
    assert u.blueprint is not None
    blueprint, source = u.blueprint, format_blueprint(u.blueprint)
    while True:
        choice = click.prompt("[a]ccept, [e]dit, [r]ephrase, [q]uit", default="a", err=True)[:1].lower()
        if choice == "a":
            return blueprint, source
        if choice == "q":
            raise KeyboardInterrupt
        if choice == "e":
            edited = click.edit(source, extension=".clodo")
            try:
                blueprint, source = (parse(edited), edited) if edited else (blueprint, source)
            except InvalidBlueprint as error:
                talk.err.print(str(error), style="red", markup=False)
                continue
        elif choice == "r":
            text = click.prompt("Describe it again", err=True)
            again = open_understander(model, talk.say, privacy).understand(text)
            if again.blueprint is None:
                talk.err.print("That is not clear enough to build from.", style="red")
                for question in again.questions:
                    talk.err.print(f"  • {question}", soft_wrap=True, markup=False)
                continue
            blueprint, source = again.blueprint, format_blueprint(again.blueprint)
            output.show_understanding(talk.out, text, again, source)
            continue
        talk.out.print(output.blueprint(source), soft_wrap=True)
