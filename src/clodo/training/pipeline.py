"""``clodo train``: prepare → train → export → calibrate → evaluate → admit → pack, in one folder.

Each stage leaves its result in the folder and is not done twice, so a run that was ended at any point
goes on when it is called again with the same plan.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, astuple, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from clodo.corpus.format import Record, parse
from clodo.corpus.similarity import twins
from clodo.corpus.splits import WRITTEN, as_people_write, load_split, written_blocks
from clodo.errors import ModelError, UsageError
from clodo.evaluation.calibration import fit
from clodo.evaluation.case import Case
from clodo.evaluation.cases import from_records, load
from clodo.evaluation.measure import (
    Answer,
    Figures,
    answers_of,
    judged_parts,
    judged_whole,
    measure,
)
from clodo.training.decoder.stages import open_trained
from clodo.training.pairs import read_pairs
from clodo.training.plan import MEMORY_BYTES, Plan, plan_hash
from clodo.understand.confidence import KINDS, Curve, company, wishes
from clodo.understand.encoder import EncoderUnderstander
from clodo.understand.port import Understander

Progress = Callable[[str], None]
_VALID_ONE_IN = 10
#: About so many validation records calibrate a model.
CALIBRATED = 1000


@dataclass(frozen=True)
class Job:
    """What to train, on what, and where. ``pairs``: the user's own JSONL in place of the corpus;
    ``start``: weights or a model's folder to go on from; ``gate``: sets that decide on admission; ``current``:
    the model that must be beaten; ``workers``: processes, 0 for one on each core. ``kind`` is ``encoder``, with a
    folder as its base, or ``decoder``, with a GGUF file."""

    plan: Plan
    base: Path
    out: Path
    name: str
    version: str
    licence: str
    pairs: Path | None = None
    start: Path | None = None
    gate: tuple[Path, ...] = ()
    current: Understander | None = None
    workers: int = 0
    kind: str = "encoder"


@dataclass(frozen=True)
class Outcome:
    """What came of a job: the model's folder, its figures beside the current model's, whether it is
    admitted, and the rows of the user's file that were no use."""

    folder: Path
    figures: dict[str, Any]
    current: dict[str, Any] | None
    admitted: bool
    refused_rows: tuple[str, ...]


def run(job: Job, progress: Progress) -> Outcome:
    """Carries a job out, or takes it up where it was.

    Raises:
        UsageError: the data is no use, or the folder holds another training.
        ModelError: the base does not fit, PyTorch is missing, or there is too little memory.
    """
    if job.kind == "encoder":
        from clodo.training.base import check_base

        check_base(job.base)
    _check_memory()
    train_on, valid, refused = _prepare(job, progress)
    _claim(job)
    folder = job.out / "model"
    if job.kind == "decoder":
        _decoder(job, train_on, folder, progress)
    else:
        _encoder(job, train_on, valid, folder, progress)
    return _admit(job, folder, refused, progress)


def _encoder(job: Job, own: list[str] | None, valid: list[Record], folder: Path, progress: Progress) -> None:
    if not (job.out / "weights.pt").is_file():
        _train(job, own, valid, progress)
    if not (folder / "model.json").is_file():
        progress("Quantising and writing the model …")
        _export(job, folder)
        progress("Calibrating its confidence …")
        calibrate(folder, from_records(as_people_write(valid, CALIBRATED)))


def _decoder(job: Job, own: list[str] | None, folder: Path, progress: Progress) -> None:
    from clodo.training.decoder import stages

    if not (job.out / "adapter.pt").is_file():
        stages.train(job.plan, job.base, job.out, own, progress)
    if not (folder / "model.json").is_file():
        progress("Merging, quantising and writing the model …")
        stages.export(job.base, job.out, folder, _details(job))


def _prepare(job: Job, progress: Progress) -> tuple[list[str] | None, list[Record], tuple[str, ...]]:
    """The user's records (``None``: the corpus), the validation records and the refused rows."""
    if job.pairs is None:
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
        return None, valid, ()
    blocks, bad = read_pairs(job.pairs)
    for row in bad:
        progress(f"not used: {row}")
    if len(blocks) < 2:
        raise UsageError(
            f"{str(job.pairs)!r} has {len(blocks)} usable rows of {len(blocks) + len(bad)}.",
            hint=str(bad[0]) if bad else "A row is JSON with a description and a blueprint.",
        )
    held = blocks[:: _VALID_ONE_IN] if len(blocks) >= 2 * _VALID_ONE_IN else blocks[-1:]
    progress(f"{len(blocks)} usable rows, {len(held)} of them held out.")
    return [b for b in blocks if b not in held], [parse(b) for b in held], tuple(str(b) for b in bad)


def _claim(job: Job) -> None:
    """Makes the folder this job's, or makes sure that it is."""
    wanted = plan_hash(job.plan, *([job.pairs] if job.pairs else []))
    path = job.out / "plan.json"
    if path.is_file():
        if json.loads(path.read_text("utf-8"))["hash"] != wanted:
            raise UsageError(
                f"{str(job.out)!r} holds a training with another plan or other data.",
                hint="Choose another folder with -o, or remove this one.",
            )
        return
    if job.out.is_dir() and any(job.out.iterdir()):
        raise UsageError(f"{str(job.out)!r} is not empty.", hint="Choose another folder with -o.")
    job.out.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"hash": wanted, **asdict(job.plan)}, indent=1) + "\n", "utf-8")


def _train(job: Job, own: list[str] | None, valid: list[Record], progress: Progress) -> None:
    from clodo.training.crew import Crew, cores
    from clodo.training.train import Setting, Training

    crew = Crew(size=job.workers or cores())
    training = Training(Setting(job.plan, job.base, job.out, own, job.start), valid, crew)
    if training.resumed:
        progress(f"Going on after {training.state.seen} examples.")
    if crew.size > 1:
        progress(f"Training in {crew.size} processes.")
    training.run(progress)


def _export(job: Job, folder: Path) -> None:
    from clodo.training.export import export

    made = folder.with_name("model.partial")
    shutil.rmtree(made, ignore_errors=True)
    export(job.out / "weights.pt", job.base, made, _details(job))
    shutil.rmtree(folder, ignore_errors=True)
    made.replace(folder)


def _details(job: Job) -> dict[str, Any]:
    """What the manifest says beside the files."""
    data = sha256("".join(b for b, _ in written_blocks()).encode()).hexdigest()[:12]
    return {
        "name": job.name,
        "version": job.version,
        "kind": job.kind,
        "licence": job.licence,
        "data": "own pairs" if job.pairs else f"corpus {data}",
        "minutes": job.plan.minutes,
    }


def calibrate(folder: Path, valid: list[Case]) -> dict[str, tuple[float, ...]]:
    """Fits the curves of confidence on validation texts and keeps them in the manifest."""
    manifest = json.loads((folder / "model.json").read_text("utf-8"))
    manifest["calibration"] = calibration(EncoderUnderstander(folder), valid)
    (folder / "model.json").write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")
    return dict(manifest["calibration"])


def calibration(model: EncoderUnderstander, cases: list[Case]) -> dict[str, tuple[float, ...]]:
    """The curve of each kind of part, fitted on the model's raw confidence, and that of the whole. The parts come first,
    because the confidence of the whole is made of theirs; what it stands among is told by the raw ones."""
    model.calibrate({})
    raw = _answered(model, cases)
    judged = [j for c, a in raw for j in judged_parts(c, a)]
    curves = {kind: astuple(fit([j for j in judged if j.kind == kind])) for kind in KINDS[:-1]}
    model.calibrate({**curves, "whole": astuple(Curve())})
    whole = judged_whole(_answered(model, cases))
    among = [(company([p.confidence for p in a.parts]), wishes(p.kind for p in a.parts)) for _, a in raw]
    judged = [replace(j, company=of, wishes=many) for j, (of, many) in zip(whole, among, strict=True)]
    return {**curves, "whole": astuple(fit(judged))}


def _answered(model: EncoderUnderstander, cases: list[Case]) -> list[tuple[Case, Answer]]:
    """The clear cases of which the model makes a blueprint."""
    candidate = answers_of(model)
    found = [(c, candidate(c.text)) for c in cases if c.meaning is not None]
    return [(c, a) for c, a in found if a.meaning is not None]


def _admit(job: Job, folder: Path, refused: tuple[str, ...], progress: Progress) -> Outcome:
    """Measures the model on the gate beside the current one; it is admitted if it is better there."""
    cases = [c for path in job.gate for c in load(path)]
    if not cases:
        return Outcome(folder, {}, None, True, refused)
    progress(f"Evaluating on {len(cases)} texts …")
    ours = measure(job.name, answers_of(open_trained(folder)), cases, draws=0)
    theirs = measure("current", answers_of(job.current), cases, draws=0) if job.current else None
    admitted = theirs is None or worth(ours) > worth(theirs)
    manifest = json.loads((folder / "model.json").read_text("utf-8"))
    manifest["scores"] = {**ours.figures, **ours.abstention, "gate": [p.name for p in job.gate]}
    (folder / "model.json").write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")
    (job.out / "outcome.json").write_text(
        json.dumps({"admitted": admitted, "model": ours.to_json(), "current": theirs.to_json() if theirs else None}, indent=1)
        + "\n", "utf-8",
    )  # fmt: skip
    return Outcome(folder, ours.to_json(), theirs.to_json() if theirs else None, admitted, refused)


def worth(f: Figures) -> float:
    """One number to compare models by: the share of texts that are handled right (built as stated, or
    asked about where they should be), then the F1 of what is harder than names."""
    asked = f.abstention["asked_of_unclear"] * f.unclear
    right = (f.figures.get("usable", 0.0) * f.clear + asked) / max(1, f.clear + f.unclear)
    return right + 0.1 * sum(f.figures.get(name, 1.0) for name in ("fields", "constraints", "references")) / 3


def _check_memory() -> None:
    info = Path("/proc/meminfo")
    if not info.is_file():
        return
    available = next(int(line.split()[1]) * 1024 for line in info.read_text().splitlines() if line.startswith("MemAvailable"))
    if available < MEMORY_BYTES:
        raise ModelError(
            f"Training needs {MEMORY_BYTES / 2**30:.0f} GiB of memory, and {available / 2**30:.1f} are free.",
            hint="End other programs, or train on a larger machine.",
        )
