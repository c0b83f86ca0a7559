"""``clodo train``: prepare → train (or average) → export → calibrate → evaluate → admit → pack, in one folder.

Each stage leaves its result in the folder in one move and is not done twice, so a run that was ended at any point
goes on when it is called again with the same plan.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import astuple, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from clodo.corpus.splits import as_people_write
from clodo.errors import ModelError, UsageError
from clodo.evaluation.calibration import fit
from clodo.evaluation.case import Case
from clodo.evaluation.cases import from_records
from clodo.evaluation.measure import (
    Answer,
    Figures,
    answers_of,
    judged_parts,
    judged_whole,
    measure,
)
from clodo.training import memory
from clodo.training.admission import Comparison, Kept, compare
from clodo.training.claim import base_digest, claim, corpus_digest
from clodo.training.decoder.stages import open_trained
from clodo.training.files import PARTIAL, read_json, write_json
from clodo.training.job import Job, Outcome
from clodo.training.prepare import Data, prepare
from clodo.training.sources import minutes_of, weights_in
from clodo.understand import labels
from clodo.understand.confidence import KINDS, Curve, company, wishes
from clodo.understand.encoder import EncoderUnderstander
from clodo.understand.port import Understander

__all__ = ["Job", "Outcome", "calibration", "run"]

Progress = Callable[[str], None]
#: About so many validation records calibrate a model.
CALIBRATED = 1000


def run(job: Job, progress: Progress) -> Outcome:
    """Carries a job out, or takes it up where it was.

    Raises:
        UsageError: the data is no use, the folder holds another training, or the job asks for what its kind of model cannot.
        ModelError: the base does not fit, PyTorch is missing, or there is too little memory.
    """
    workers = _check(job)
    data = prepare(job, progress)
    claim(job, data.sets, data.split)
    folder = job.out / "model"
    if job.kind == "decoder":
        _decoder(job, data, folder, progress)
    else:
        _encoder(job, data, folder, workers, progress)
    return _admit(job, data, folder, progress)


def _check(job: Job) -> int:
    """Whether the job can be done; how many processes are to train."""
    from clodo.training.device import choose

    device = choose(job.device)
    if job.kind == "decoder":
        asked = {"--from": job.start, "--mean": job.mean, "--workers": job.workers > 1}
        for option, value in asked.items():
            if value:
                raise UsageError(f"{option} is for encoders; a text model is trained with LoRA in one process, from its base.")
        if not (job.out / "adapter.pt").is_file():
            memory.check(memory.decoder_bytes(job.base))
        return 1
    from clodo.training.base import check_base
    from clodo.training.crew import cores
    from clodo.training.device import usual_workers

    check_base(job.base)
    for source in job.mean:
        _check_source(job, source)
    workers = 1 if job.mean else job.workers or usual_workers(device, cores())
    if not job.mean and not (job.out / "weights.pt").is_file():
        memory.check(memory.encoder_bytes(job.base, job.plan.batch, workers), workers)
    return workers


def _check_source(job: Job, source: Path) -> None:
    """Whether a training whose weights are to be averaged is over, and had the same base and labels."""
    weights_in(source)
    path, model = source / "plan.json", source / "model.json"
    had = read_json(path).get("made_of", {}) if path.is_file() else {}
    if model.is_file():
        had = {"labels": read_json(model).get("labels")}
    for part, wanted in (("base", base_digest(job.base)), ("labels", labels.fingerprint())):
        if had.get(part, wanted) != wanted:
            told = "another base" if part == "base" else "other labels"
            raise UsageError(f"{str(source)!r} was made with {told}.", hint="Only weights of the same base and labels have a mean.")
    if "data" in had and had["data"].startswith("own pairs") != (job.pairs is not None):
        raise UsageError(f"{str(source)!r} was trained on other data.", hint="Give --pairs as its training had it, or leave it out.")


def _encoder(job: Job, data: Data, folder: Path, workers: int, progress: Progress) -> None:
    if not (job.out / "weights.pt").is_file():
        if job.mean:
            _average(job, progress)
        else:
            _train(job, data, workers, progress)
    if not _is_made(folder, "calibration"):
        made = _begun(folder)
        progress("Quantising and writing the model …")
        from clodo.training.export import export

        export(job.out / "weights.pt", job.base, made, _details(job))
        progress("Calibrating its confidence …")
        calibrate(made, from_records(as_people_write(data.valid, CALIBRATED)))
        _finished(made, folder)


def _decoder(job: Job, data: Data, folder: Path, progress: Progress) -> None:
    from clodo.training.decoder import stages

    if not (job.out / "adapter.pt").is_file():
        stages.train(job.plan, job.base, job.out, data.own, progress, job.device)
    if not _is_made(folder, "files"):
        made = _begun(folder)
        progress("Merging, quantising and writing the model …")
        stages.export(job.base, job.out, made, _details(job))
        _finished(made, folder)


def _is_made(folder: Path, part: str) -> bool:
    """Whether a model's folder is whole: its manifest has what the last step before the move puts there."""
    try:
        return part in json.loads((folder / "model.json").read_text("utf-8"))
    except (OSError, ValueError):
        return False


def _begun(folder: Path) -> Path:
    made = folder.with_name(folder.name + PARTIAL)
    shutil.rmtree(made, ignore_errors=True)
    return made


def _finished(made: Path, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    made.replace(folder)


def _train(job: Job, data: Data, workers: int, progress: Progress) -> None:
    from clodo.training.crew import Crew
    from clodo.training.train import Setting, Training

    crew = Crew(size=workers)
    training = Training(Setting(job.plan, job.base, job.out, data.own, job.start, job.device), data.valid, crew)
    if training.resumed:
        progress(f"Going on after {training.state.seen} examples.")
    where = "" if training.device.type == "cpu" else f" on {training.device}"
    if crew.size > 1:
        progress(f"Training in {crew.size} processes{where}.")
    elif where:
        progress(f"Training{where}.")
    training.run(progress)


def _average(job: Job, progress: Progress) -> None:
    from clodo.training.files import save_tensors
    from clodo.training.mean import mean_of

    progress(f"Taking the mean of {len(job.mean)} trainings …")
    save_tensors(job.out / "weights.pt", mean_of([weights_in(p) for p in job.mean], job.shares, job.base))


def _details(job: Job) -> dict[str, Any]:
    """What the manifest says beside the files."""
    return {
        "name": job.name,
        "version": job.version,
        "kind": job.kind,
        "licence": job.licence,
        "data": "own pairs" if job.pairs else f"corpus {corpus_digest()}",
        "minutes": minutes_of(job.mean) if job.mean else job.plan.minutes,
    } | ({"mean_of": len(job.mean)} if job.mean else {})


def calibrate(folder: Path, valid: list[Case]) -> dict[str, tuple[float, ...]]:
    """Fits the curves of confidence on validation texts and keeps them in the manifest."""
    manifest = json.loads((folder / "model.json").read_text("utf-8"))
    manifest["calibration"] = calibration(EncoderUnderstander(folder), valid)
    write_json(folder / "model.json", manifest, indent=2)
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


def _admit(job: Job, data: Data, folder: Path, progress: Progress) -> Outcome:
    """Measures the model on the gate beside the current one, unless that was done."""
    if not data.gate:
        return Outcome(folder, {}, None, None, data.refused)
    manifest = read_json(folder / "model.json")
    of = _measured_on(manifest, job.current, data.gate)
    path = job.out / "outcome.json"
    found = read_json(path) if path.is_file() else {}
    if found.get("of") != of:
        found = {"of": of, **_measure(job, data, folder, progress)}
        write_json(path, found)
    told = found["comparison"]
    comparison = Comparison(told["difference"], told["interval"][0], told["interval"][1], told["texts"]) if told else None
    model = found["model"]
    scores = {**model["figures"], **model["abstention"], "texts": len(data.gate), "gate": data.gate_names} | ({"against_current": told} if told else {})
    if manifest.get("scores") != scores:
        write_json(folder / "model.json", {**manifest, "scores": scores}, indent=2)
    return Outcome(folder, model, found["current"], comparison, data.refused)


def _measure(job: Job, data: Data, folder: Path, progress: Progress) -> dict[str, Any]:
    progress(f"Evaluating on {len(data.gate)} texts ({', '.join(data.gate_names)}) …")
    ours, figures = _kept(job.name, open_trained(folder), data.gate)
    if job.current is None:
        return {"admitted": None, "comparison": None, "model": figures.to_json(), "current": None}
    theirs, others = _kept("current", job.current, data.gate)
    comparison = compare(data.gate, ours, theirs)
    told = comparison.to_json()
    return {"admitted": comparison.verdict != "worse", "comparison": told, "model": figures.to_json(), "current": others.to_json()}


def _kept(name: str, model: Understander, cases: list[Case]) -> tuple[Kept, Figures]:
    kept = Kept(answers_of(model))
    return kept, measure(name, kept, cases, draws=0)


def _measured_on(manifest: dict[str, Any], current: Understander | None, gate: list[Case]) -> str:
    """What an outcome is of: the model, its calibration, the current model and the gate."""
    name = ""
    if current is not None:
        try:
            name = current.understand(gate[0].text).model
        except ModelError as error:
            name = error.message
    texts = [(c.id, c.text) for c in gate]
    return sha256(json.dumps([manifest["files"], manifest.get("calibration"), name, texts], sort_keys=True).encode()).hexdigest()[:16]
