"""Every stage after the training: ended in its midst, taken up, measured; with weights that nobody has trained, which take no time."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clodo.blueprint import parse
from clodo.errors import ModelError, UsageError
from clodo.testing import ScriptedUnderstander
from clodo.training import pipeline
from clodo.training.job import Job
from clodo.training.pipeline import run
from clodo.training.plan import Plan
from tests.training.tiny import rows, tiny_base, untrained, write_rows

pytest.importorskip("torch", reason="training needs `pip install 'clodo[train]'`")
pytestmark = pytest.mark.slow


class Killed(BaseException):
    """What ends a process in the midst of something."""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_base(tmp_path_factory.mktemp("base"))


@pytest.fixture
def job(tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    """A training whose weights come from nowhere, with a gate of held-out pairs."""

    def train(job: Job, *_: object) -> None:
        untrained(base, job.out / "weights.pt")

    monkeypatch.setattr(pipeline, "_train", train)
    pairs = write_rows(tmp_path / "own.jsonl", rows(24))
    asks = ScriptedUnderstander(None, ["What do you mean?"])
    return Job(Plan(1.0), base, tmp_path / "run", "tiny", "1", "MIT", pairs, current=asks, workers=1)


def killed(after: Callable[..., Any] | None = None) -> Callable[..., None]:
    def kill(*given: Any, **named: Any) -> None:
        if after is not None:
            after(*given, **named)
        raise Killed

    return kill


def manifest_of(job: Job) -> dict[str, Any]:
    return dict(json.loads((job.out / "model" / "model.json").read_text("utf-8")))


def test_a_run_that_is_killed_at_any_stage_goes_on_as_if_it_had_not_been(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    """One folder, killed ever later: in the writing of each file, and within and behind each stage."""
    import torch

    from clodo.training import export, files

    def half(state: object, file: Any) -> None:
        file.write(b"half")
        raise Killed

    def call() -> None:
        with pytest.raises(Killed):
            run(job, lambda _: None)

    replaced = Path.replace
    with monkeypatch.context() as m:
        m.setattr(Path, "replace", lambda self, to: killed()() if self.name == "plan.json.partial" else replaced(self, to))
        call()
    assert not (job.out / "plan.json").exists()
    with monkeypatch.context() as m:
        m.setattr(torch, "save", half)
        call()
    assert not (job.out / "weights.pt").exists(), "half of the weights are not taken for the whole"
    for place, name, stand_in in (
        (export, "export", killed()),
        (export, "export", killed(export.export)),
        (pipeline, "calibrate", killed()),
        (pipeline, "calibrate", killed(pipeline.calibrate)),
    ):
        with monkeypatch.context() as m:
            m.setattr(place, name, stand_in)
            call()
        assert (job.out / "weights.pt").exists() and not (job.out / "model").exists(), "nothing is packed before it is calibrated"
    with monkeypatch.context() as m:
        m.setattr(pipeline, "_measure", killed())
        call()
    assert "calibration" in manifest_of(job) and not (job.out / "outcome.json").exists()
    with monkeypatch.context() as m:
        m.setattr(pipeline, "write_json", killed(files.write_json))
        call()
    assert (job.out / "outcome.json").exists() and "scores" not in manifest_of(job)
    said: list[str] = []
    outcome = run(job, said.append)
    assert outcome.comparison is not None and manifest_of(job)["scores"]["gate"] == ["held-out pairs"]
    assert not any("Quantising" in s or "Evaluating" in s for s in said), "what is done is not done twice"
    assert run(job, said.append) == outcome


def test_the_held_out_pairs_decide_and_the_scores_are_packed(job: Job) -> None:
    outcome = run(job, lambda _: None)
    scores = manifest_of(job)["scores"]
    assert scores["texts"] == 5 and scores["gate"] == ["held-out pairs"]
    assert outcome.comparison is not None and scores["against_current"] == outcome.comparison.to_json()
    assert set(scores) >= {"fields", "usable", "asked_of_clear"}
    told = json.loads((job.out / "outcome.json").read_text("utf-8"))
    assert told["admitted"] is outcome.admitted
    # Untrained weights say nothing that is right, and no more does who always asks.
    assert outcome.admitted is True and outcome.comparison.verdict == "level"


def test_a_model_that_is_worse_is_not_admitted(job: Job, tmp_path: Path) -> None:
    gate = write_set(tmp_path / "gate.json")
    knows = ScriptedUnderstander(parse("service s\n\nentity book {\n  title: text\n}\n"))
    outcome = run(replace(job, current=knows, gate=(gate,)), lambda _: None)
    assert outcome.admitted is False and outcome.comparison is not None and outcome.comparison.high < 0
    assert manifest_of(job)["scores"]["gate"] == ["gate.json"]
    alone = run(replace(job, current=None, gate=(gate,)), lambda _: None)
    assert alone.admitted is None and alone.figures, "measured, and compared with nothing"


def write_set(path: Path) -> Path:
    means = {"access": "", "entities": {"book": {"fields": {"title": {"type": "text"}}}}}
    path.write_text(json.dumps([{"id": str(i), "description": f"Each book has a title ({i}).", "means": means} for i in range(4)]))
    return path


def test_damaged_weights_are_told(job: Job) -> None:
    run(job, lambda _: None)
    weights = job.out / "weights.pt"
    weights.write_bytes(weights.read_bytes()[:1000])
    (job.out / "model" / "model.json").write_text('{"name": "ti')
    with pytest.raises(ModelError, match=r"weights\.pt' is damaged") as told:
        run(job, lambda _: None)
    assert "same command again" in (told.value.hint or "")
    weights.unlink()
    run(job, lambda _: None)
    assert "calibration" in manifest_of(job)


def test_the_mean_of_trainings_is_packed_like_one(job: Job, tmp_path: Path, base: Path) -> None:
    import torch

    one, other = replace(job, out=tmp_path / "a"), replace(job, out=tmp_path / "b", plan=Plan(1.0, seed=2))
    for made in (one, other):
        with pytest.raises(UsageError, match="is not over"):
            run(replace(job, out=tmp_path / "early", mean=(begun(made),)), lambda _: None)
        untrained(base, made.out / "weights.pt", made.plan.seed)
    made = replace(job, mean=(one.out, other.out), shares=(3.0, 1.0))
    outcome = run(made, lambda _: None)
    a, b, mean = (torch.load(f / "weights.pt", weights_only=True) for f in (one.out, other.out, job.out))
    assert mean.keys() == a.keys()
    assert not torch.equal(a["tags.weight"], b["tags.weight"])
    for name, weight in mean.items():
        assert weight.dtype == a[name].dtype
        assert torch.allclose(weight, 0.75 * a[name] + 0.25 * b[name], atol=1e-6), name
    manifest = manifest_of(job)
    assert manifest["mean_of"] == 2 and manifest["minutes"] == 2.0 and "calibration" in manifest
    assert outcome.comparison is not None and outcome.comparison.texts == 5, "what both had held out"
    with pytest.raises(UsageError, match="other weights to average"):
        run(replace(made, shares=()), lambda _: None)
    with pytest.raises(UsageError, match="2 trainings need 2 weights"):
        run(replace(made, shares=(1.0,), out=tmp_path / "c"), lambda _: None)
    file = replace(made, mean=(one.out / "weights.pt",), shares=(), out=tmp_path / "d")
    assert run(file, lambda _: None).admitted is None, "what a file of weights was trained on is not known"


def begun(job: Job) -> Path:
    """The folder of a training that has begun."""
    from clodo.training.claim import claim
    from clodo.training.prepare import prepare

    claim(job, (), prepare(job, lambda _: None).split)
    return job.out


def test_only_trainings_of_the_same_base_and_labels_have_a_mean(job: Job, tmp_path: Path) -> None:
    from clodo.testing.bases import write_tiny_base

    wide = write_tiny_base(tmp_path / "wide", ["book"], width=64)
    stranger = begun(replace(job, base=wide, out=tmp_path / "a"))
    untrained(wide, stranger / "weights.pt")
    with pytest.raises(UsageError, match="made with another base"):
        run(replace(job, mean=(stranger,)), lambda _: None)
    with pytest.raises(ModelError, match="another base or for other labels"):
        run(replace(job, mean=(stranger / "weights.pt",)), lambda _: None)
    plan = json.loads((stranger / "plan.json").read_text("utf-8"))
    plan["made_of"]["labels"] = "0"
    (stranger / "plan.json").write_text(json.dumps(plan))
    with pytest.raises(UsageError, match="made with other labels"):
        run(replace(job, base=wide, mean=(stranger,), out=tmp_path / "b"), lambda _: None)
