"""What a job trains on, what it is calibrated with, and what decides on admission."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from clodo.corpus.format import Record, parse
from clodo.corpus.similarity import twins
from clodo.corpus.splits import FROZEN, WRITTEN, load_split
from clodo.errors import UsageError
from clodo.evaluation.case import Case
from clodo.evaluation.cases import from_records, load
from clodo.training.claim import split_in
from clodo.training.job import Job
from clodo.training.pairs import read_pairs
from clodo.training.split import FEWEST_IN_GATE, Split, common, divide, mark_of

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Data:
    """``own``: the texts of the user's records (``None``: the corpus); ``valid``: records to validate and calibrate with;
    ``gate``: cases that decide on admission, and the names of where they are from; ``sets``: their files; ``split`` of the user's texts;
    ``refused``: rows that are no use."""

    own: list[str] | None
    valid: list[Record]
    gate: list[Case]
    gate_names: list[str]
    sets: tuple[Path, ...] = ()
    split: Split | None = None
    refused: tuple[str, ...] = ()


def prepare(job: Job, progress: Progress) -> Data:
    """Reads and checks what a job needs.

    Raises:
        UsageError: it is no use.
    """
    cases = [c for path in job.gate for c in load(path)]
    return _from_corpus(job, cases, progress) if job.pairs is None else _from_pairs(job, job.pairs, cases, progress)


def _from_corpus(job: Job, cases: list[Case], progress: Progress) -> Data:
    if not WRITTEN.is_dir():
        raise UsageError(
            "The corpus is not part of an installed Clodo.",
            hint="Train from the source tree, or on your own pairs with --pairs.",
        )
    train, valid = load_split("train"), load_split("valid")
    found = twins([r.text for r in train], [r.text for r in valid])
    if found:
        raise UsageError(
            f"{len(found)} validation texts are near-duplicates of training texts.",
            hint="Remove them from data/corpus/written.",
        )
    progress(f"{len(train) + len(valid)} written records, {len(valid)} of them held out.")
    # They are many, so they are read where there is a model to compare with.
    sets = job.gate or (tuple(sorted(FROZEN.glob("*.txt"))) if job.current is not None else ())
    return Data(None, valid, cases or [c for path in sets for c in load(path)], [p.name for p in sets], sets)


def _from_pairs(job: Job, path: Path, cases: list[Case], progress: Progress) -> Data:
    blocks, bad = read_pairs(path)
    for row in bad:
        progress(f"not used: {row}")
    if len(blocks) < 2:
        raise UsageError(
            f"{str(path)!r} has {len(blocks)} usable rows of {len(blocks) + len(bad)}.",
            hint=str(bad[0]) if bad else "A row is JSON with a description and a blueprint.",
        )
    records = [parse(b) for b in blocks]
    split = _split(job, records)
    kept: dict[str, list[str]] = {"own": [], "gate": [], "valid": []}
    for block, record in zip(blocks, records, strict=True):
        mark = mark_of(record.text)
        kept["gate" if mark in split.gate else "valid" if mark in split.valid else "own"].append(block)
    if not kept["own"]:
        raise UsageError(f"The rows of {str(path)!r} all have the same description.", hint="Give different ones.")
    held_gate, valid = ([parse(b) for b in kept[part]] for part in ("gate", "valid"))
    progress(f"{len(blocks)} usable rows, {len(held_gate)} of them held out for the gate and {len(valid)} for validation.")
    alike = twins([parse(b).text for b in kept["own"]], [r.text for r in (*held_gate, *valid)])
    if alike:
        progress(f"{len(alike)} held-out texts are nearly the same as texts of the training: the figures will flatter the model.")
    names = [p.name for p in job.gate] if job.gate else ["held-out pairs"] * bool(held_gate)
    told = tuple(str(b) for b in bad)
    return Data(kept["own"], valid, cases or from_records(held_gate), names, job.gate, split, told)


def _split(job: Job, records: list[Record]) -> Split:
    """How the user's texts are divided; for a mean, as all of its trainings had them divided."""
    texts = [r.text for r in records]
    if not job.mean:
        # What the training that this one goes on from was trained on is not held out either.
        earlier = split_in(job.out) or (split_in(job.start.parent) if job.start else None)
        return divide(texts, earlier, gated=not job.gate)
    splits = [split_in(p) for p in job.mean if p.is_dir()]
    whole = [s for s in splits if s is not None]
    if len(whole) < len(job.mean):
        # What a file of weights was trained on is not known, so nothing can be said to be held out of it.
        return divide(texts, None, gated=False)
    found = common(whole)
    return found if len(found.gate) >= FEWEST_IN_GATE else Split(found.known, frozenset(), found.valid)
