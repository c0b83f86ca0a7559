"""``train``: a model of one's own, or the built-in one anew."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from clodo.cli.context import Talk, command
from clodo.errors import ModelError


@click.command("train")
@click.option("--output", "-o", "out", required=True, type=click.Path(path_type=Path), help="The folder of the training; call again to go on.")
@click.option("--minutes", type=click.FloatRange(min=0.05), default=60.0, show_default=True, help="How long to train: the one dial.")
@click.option("--pairs", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Your own descriptions and blueprints (JSONL).")
@click.option("--base", metavar="REF", default="minilm-l6", show_default=True, help="What to start from: an encoder (a name or a folder), or a language model for LoRA (smollm2, or a GGUF file).")
@click.option("--from", "start", type=click.Path(path_type=Path, exists=True), help="Weights of an earlier training, or a model's folder, to go on from.")
@click.option("--gate", multiple=True, type=click.Path(path_type=Path, exists=True), help="A set that decides whether the model is admitted.")
@click.option("--name", default="clodo-own", show_default=True, help="The model's name.")
@click.option("--workers", type=click.IntRange(min=0), default=0, help="Processes that train together; 0: one on each core.")
@click.option("--seed", type=int, default=1, show_default=True)
@command
def train_command(
    talk: Talk,
    out: Path,
    minutes: float,
    pairs: Path | None,
    base: str,
    start: Path | None,
    gate: tuple[Path, ...],
    name: str,
    workers: int,
    seed: int,
) -> None:
    """Train a model: prepare, train, quantise, calibrate, evaluate, admit, pack."""
    from clodo.app.models import DEFAULT_MODEL, open_understander
    from clodo.app.training import base_of, require_engine

    kind, folder, licence = base_of(base, talk.say)
    require_engine(kind)
    from clodo.training.pipeline import Job, run
    from clodo.training.plan import Plan

    job = Job(
        plan=Plan(minutes, seed=seed),
        base=folder,
        out=out,
        name=name,
        version="1.0",
        licence=licence,
        pairs=pairs,
        start=start,
        gate=gate,
        current=open_understander(DEFAULT_MODEL),
        workers=workers,
        kind=kind,
    )
    outcome = run(job, talk.say)
    if talk.as_json:
        talk.answer(
            {
                "model": str(outcome.folder),
                "admitted": outcome.admitted,
                "figures": outcome.figures,
                "current": outcome.current,
                "refused_rows": list(outcome.refused_rows),
            }
        )
    else:
        from clodo.evaluation.tables import table

        rows = [r for r in (outcome.figures, outcome.current) if r]
        if rows:
            click.echo(table(rows))
        click.echo(f"{'admitted' if outcome.admitted else 'not admitted'}: {outcome.folder}")
        click.echo(f'try it: clodo blueprint "…" --model {shlex.quote(f"file:{outcome.folder}")}')
    if not outcome.admitted:
        raise ModelError(
            "The model is not better than the current one on the gate, so it is not admitted.",
            hint=f"It lies in {str(outcome.folder)!r} all the same. Train longer, or on more data.",
        )
