"""``eval``: how well models understand a set of descriptions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from clodo.app.models import DEFAULT_MODEL, open_understander
from clodo.cli.context import PRIVACY, Talk, command
from clodo.errors import ModelError, UsageError, WorkspaceError
from clodo.lm.privacy import Privacy

if TYPE_CHECKING:
    from clodo.evaluation.measure import Figures


@click.command("eval")
@click.argument("sets", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--model", "models", multiple=True, metavar="REF", help="A model to measure; repeat it for more. [default: clodo-1]")
@PRIVACY
@click.option("--against", multiple=True, type=click.Path(path_type=Path), help="A JSON file of earlier results to show beside.")
@click.option("--limit", type=click.IntRange(1), help="Only the first texts of each set.")
@click.option("--by", "breakdowns", multiple=True, type=click.Choice(["style", "construct"]), help="Figures of each style or construct, too.")
@click.option("--html", type=click.Path(path_type=Path), help="Write a page with pictures there.")
@click.option("--save", type=click.Path(path_type=Path), help="Write the results there as JSON.")
@command
def eval_command(
    talk: Talk,
    sets: tuple[Path, ...],
    models: tuple[str, ...],
    privacy: Privacy | None,
    against: tuple[Path, ...],
    limit: int | None,
    breakdowns: tuple[str, ...],
    html: Path | None,
    save: Path | None,
) -> None:
    """Measure models on SETS of descriptions whose meaning is known: sets as in evals/README.md, or JSONL of your own pairs."""
    from clodo.evaluation.cases import load
    from clodo.evaluation.measure import answers_of, measure
    from clodo.evaluation.report import page
    from clodo.evaluation.tables import breakdown, table

    cases = [case for path in sets for case in load(path)[:limit]]
    if not cases:
        raise UsageError("The sets hold no descriptions.", hint="Their shapes are in evals/README.md.")
    results = [r for path in against for r in _earlier(path)]
    dead: list[Figures] = []
    for reference in models or (DEFAULT_MODEL,):
        talk.say(f"Measuring {reference} on {len(cases)} texts …")
        candidate = answers_of(open_understander(reference, talk.say, privacy))
        found = measure(reference, candidate, cases, talk.say)
        results.append(found.to_json())
        if found.failed:
            talk.say(f"{reference} came to no answer for {found.failed} of {len(cases)} texts: {found.failure}")
        dead += [found] if found.failed == len(cases) else []
    title = ", ".join(p.name for p in sets)
    if html is not None:
        _write(html, page(title, (title, results)))
    if save is not None:
        _write(save, json.dumps(results, indent=1) + "\n")
    told = {"sets": [str(p) for p in sets], "texts": len(cases), "results": results}
    if not talk.as_json:
        click.echo("\n\n".join([table(results), *(breakdown(results, by) for by in breakdowns)]))
    if dead:
        names = ", ".join(f.candidate for f in dead)
        talk.fail(ModelError(f"No text at all was answered by {names}.", hint=dead[0].failure), told)
    if talk.as_json:
        talk.answer(told)


def _earlier(path: Path) -> list[dict[str, Any]]:
    try:
        found = json.loads(path.read_text("utf-8"))
        if not isinstance(found, list):
            raise ValueError("not a list")
        return [r for r in found if r["candidate"] and isinstance(r["figures"], dict)]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UsageError(
            f"{str(path)!r} holds no results: {error}.", hint="Name a file written with --save."
        ) from None


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise WorkspaceError(f"{str(path)!r} cannot be written: {error.strerror}.", hint="Choose another path.") from None
