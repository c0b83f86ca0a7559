"""``train``: a model of one's own, or the built-in one anew."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from clodo.cli.context import Talk, command
from clodo.errors import ModelError, UsageError

if TYPE_CHECKING:
    from clodo.training.job import Outcome

_DEVICES = ("auto", "cuda", "mps", "cpu")


@click.command("train")
@click.argument("trainings", nargs=-1, type=click.Path(path_type=Path, exists=True))
@click.option("--output", "-o", "out", required=True, type=click.Path(path_type=Path), help="The folder of the training; call again to go on.")
@click.option("--minutes", type=click.FloatRange(min=0.05), default=60.0, show_default=True, help="How long to train: the one dial.")
@click.option("--pairs", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Your own descriptions and blueprints (JSONL).")
@click.option("--base", metavar="REF", default="minilm-l6", show_default=True, help="What to start from: an encoder (a name or a folder), or a language model for LoRA (smollm2, or a GGUF file).")
@click.option("--from", "start", type=click.Path(path_type=Path, exists=True), help="Weights of an earlier training, or a model's folder, to go on from.")
@click.option("--with-new-records", "joining", is_flag=True, help="Records may be others than when this training began.")
@click.option("--mean", is_flag=True, help="Do not train: take the mean of the weights of TRAININGS (folders of trainings or models, or files of weights).")
@click.option("--weights", metavar="LIST", help="How much each of TRAININGS counts in the mean, for instance 4,1. [default: alike]")
@click.option("--gate", multiple=True, type=click.Path(path_type=Path, exists=True), help="A set that decides whether the model is admitted. [default: held-out pairs; the frozen sets]")
@click.option("--name", default="clodo-own", show_default=True, help="The model's name.")
@click.option("--workers", type=click.IntRange(min=0), default=0, help="Processes that train together; 0: one on each core, or on each CUDA card.")
@click.option("--device", type=click.Choice(_DEVICES), default="auto", show_default=True, help="Where to train; auto: cuda or mps where there is one.")
@click.option("--seed", type=int, default=1, show_default=True)
@command
def train_command(
    talk: Talk,
    trainings: tuple[Path, ...],
    out: Path,
    minutes: float,
    pairs: Path | None,
    base: str,
    start: Path | None,
    joining: bool,
    mean: bool,
    weights: str | None,
    gate: tuple[Path, ...],
    name: str,
    workers: int,
    device: str,
    seed: int,
) -> None:
    """Train a model: prepare, train, quantise, calibrate, evaluate, admit, pack. With --mean, the mean of TRAININGS takes the
    place of training."""
    from clodo.app.models import DEFAULT_MODEL, open_understander
    from clodo.app.training import base_of, require_engine

    shares = _shares(mean, trainings, weights, start)
    kind, folder, licence = base_of(base, talk.say)
    require_engine(kind)
    from clodo.training.job import Job
    from clodo.training.pipeline import run
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
        device=device,
        mean=trainings,
        shares=shares,
        joining=joining,
    )
    outcome = run(job, talk.say)
    if talk.as_json:
        talk.answer(
            {
                "model": str(outcome.folder),
                "admitted": outcome.admitted,
                "comparison": outcome.comparison.to_json() if outcome.comparison else None,
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
        click.echo(f"{verdict_of(outcome)}: {outcome.folder}")
        click.echo(f'try it: clodo blueprint "…" --model {shlex.quote(f"file:{outcome.folder}")}')
    if outcome.admitted is False:
        raise ModelError(
            "The model is worse than the current one on the gate, so it is not admitted.",
            hint=f"It lies in {str(outcome.folder)!r} all the same. Train longer, or on more data.",
        )


def _shares(mean: bool, trainings: tuple[Path, ...], weights: str | None, start: Path | None) -> tuple[float, ...]:
    """How much each training counts in the mean, as it was given."""
    if not mean:
        if trainings or weights:
            raise UsageError("Trainings and --weights are for --mean.", hint="Go on from one training with --from.")
        return ()
    if not trainings or start is not None:
        raise UsageError("--mean takes the mean of some trainings, and starts from nothing else.", hint="clodo train -o OUT --mean RUN_A RUN_B")
    try:
        return tuple(float(w) for w in weights.split(",")) if weights else ()
    except ValueError:
        raise UsageError(f"The weights {weights!r} are no numbers.", hint="For instance --weights 4,1 for two trainings.") from None


def verdict_of(outcome: Outcome) -> str:
    """Whether a model is admitted, and on what grounds."""
    found = outcome.comparison
    if found is None:
        return "not compared with the current model" if outcome.figures else "not measured, for want of texts that it was not trained on"
    words = {"better": "admitted: better than the current model", "level": "admitted: not told apart from the current model", "worse": "not admitted: worse than the current model"}
    return f"{words[found.verdict]} on {found.texts} texts ({found.difference:+.3f}, 95 % between {found.low:+.3f} and {found.high:+.3f})"
