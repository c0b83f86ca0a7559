"""The whole of ``clodo train`` on a tiny base: done, stopped and taken up, refused."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clodo.errors import ModelError, UsageError
from clodo.training.pipeline import Job, Outcome, run
from clodo.training.plan import Plan
from clodo.understand.encoder import EncoderUnderstander
from tests.training.tiny import rows, tiny_base

pytest.importorskip("torch", reason="training needs `pip install 'clodo[train]'`")
pytestmark = pytest.mark.slow

@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_base(tmp_path_factory.mktemp("base"))


def job_in(folder: Path, base: Path, minutes: float) -> Job:
    pairs = folder / "own.jsonl"
    pairs.write_text("\n".join(json.dumps(r) for r in [*rows(), {"description": "?", "blueprint": "?"}]), "utf-8")
    return Job(Plan(minutes, batch=4), base, folder / "run", "tiny", "1", "MIT", pairs, workers=1)


@pytest.fixture
def job(tmp_path: Path, base: Path) -> Job:
    """A training that is over at once."""
    return job_in(tmp_path, base, 0.02)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, base: Path) -> tuple[Job, Outcome]:
    """A training that was long enough to learn something."""
    job = job_in(tmp_path_factory.mktemp("done"), base, 0.12)
    return job, run(job, lambda _: None)


def test_it_trains_exports_calibrates_and_packs(done: tuple[Job, Outcome]) -> None:
    job, outcome = done
    manifest = json.loads((outcome.folder / "model.json").read_text("utf-8"))
    assert manifest["licence"] == "MIT" and set(manifest["calibration"]) >= {"entity", "field", "whole"}
    assert outcome.admitted is None and "scores" not in manifest, "ten rows are too few to hold some out for a gate"
    assert outcome.refused_rows and outcome.refused_rows[0].startswith("line 11")
    assert (job.out / "curves.svg").read_text("utf-8").startswith("<svg")
    log = [json.loads(line) for line in (job.out / "log.jsonl").read_text("utf-8").splitlines()]
    assert log[-1]["loss"] < log[0]["loss"], "it learns"
    model = EncoderUnderstander(outcome.folder)
    assert model.understand("Each book has a title.").model == "tiny 1"

    stamp = (job.out / "weights.pt").stat().st_mtime_ns
    run(job, lambda _: None)
    assert (job.out / "weights.pt").stat().st_mtime_ns == stamp, "a second call does nothing twice"


def test_a_training_that_was_killed_goes_on_where_it_was(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    from clodo.training.train import Training

    step = Training._step
    left = [1]

    def stop_after_one(self: Any, examples: list[Any]) -> float:
        left[0] -= 1
        if left[0] < 0:
            self.save()
            raise KeyboardInterrupt
        return step(self, examples)

    monkeypatch.setattr(Training, "_step", stop_after_one)
    with pytest.raises(KeyboardInterrupt):
        run(job, lambda _: None)
    assert not (job.out / "weights.pt").exists()
    monkeypatch.setattr(Training, "_step", step)
    said: list[str] = []
    run(job, said.append)
    assert "Going on after 4 examples." in said
    assert (job.out / "weights.pt").exists()


def test_data_that_is_no_use_and_a_base_that_does_not_fit_are_told(job: Job, tmp_path: Path) -> None:
    assert job.pairs is not None
    job.pairs.write_text("nothing\n" * 3)
    with pytest.raises(UsageError, match="0 usable rows of 3"):
        run(job, lambda _: None)
    with pytest.raises(ModelError, match=r"has no config\.json"):
        run(Job(job.plan, tmp_path, job.out, "x", "1", "MIT"), lambda _: None)
    assert not job.out.exists(), "nothing is begun that cannot be done"


def test_too_little_memory_is_told(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clodo.training.memory.available_bytes", lambda: 2**28)
    with pytest.raises(ModelError, match=r"needs about 1\.\d GiB of memory, and 0\.2 are free"):
        run(job, lambda _: None)


def test_two_processes_train_together(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(job.out.parent)
    out = Path("runs") / "two of us"  # as people name folders: seen from where they are
    said: list[str] = []
    outcome = run(replace(job, workers=2, out=out), said.append)
    assert "Training in 2 processes." in said
    log = [json.loads(line) for line in (out / "log.jsonl").read_text("utf-8").splitlines()]
    assert log[-1]["seen"] % 8 == 0, "both processes' examples are counted"
    assert EncoderUnderstander(outcome.folder).understand("Each book has a title.").model == "tiny 1"


def test_a_released_model_gives_its_weights_back(done: tuple[Job, Outcome], job: Job, base: Path, tmp_path: Path) -> None:
    import torch

    from clodo.training.restore import restored

    finished, outcome = done
    trained = torch.load(finished.out / "weights.pt", weights_only=True)
    back = restored(outcome.folder, base)
    assert back.keys() == trained.keys()
    for name, weight in trained.items():
        off = (back[name] - weight).abs().max()
        assert off <= 0.02 * max(1.0, float(weight.abs().max())), name
    with pytest.raises(ModelError, match=r"has no reader\.onnx"):
        restored(tmp_path, base)
    again = run(replace(job, start=outcome.folder), lambda _: None)
    assert (again.folder / "model.json").is_file()
    further = torch.load(job.out / "weights.pt", weights_only=True)
    kept = {name for name in back if torch.equal(back[name], further[name])}
    assert {n for n in back if n.startswith("encoder.embeddings")} <= kept, "the embeddings stay"
    assert not {n for n in back if re.match(r"encoder\.encoder\.layer\.[01]\.output\.dense\.weight", n)} & kept, "every layer learns"
