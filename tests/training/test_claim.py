"""Whose a folder is, and which texts are held out in it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from clodo.errors import UsageError
from clodo.training.claim import claim, split_in
from clodo.training.job import Job
from clodo.training.plan import Plan
from clodo.training.split import Split, common, divide, mark_of

TEXTS = [f"Text number {i}." for i in range(60)]


@pytest.fixture
def job(tmp_path: Path) -> Job:
    base = tmp_path / "base"
    base.mkdir()
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        (base / name).write_text(name)
    pairs = tmp_path / "own.jsonl"
    pairs.write_text("one")
    return Job(Plan(1.0), base, tmp_path / "run", "tiny", "1", "MIT", pairs)


def file(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text)
    return folder / name


def test_everything_that_goes_into_a_training_makes_it_another(job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clodo.training.claim.corpus_digest", lambda: "0123")  # which reads all of it
    gate = file(tmp_path, "gate.txt", "gate")
    claim(job, [gate], None)
    claim(replace(job, workers=3, device="cpu", version="2"), [gate], None)
    weights = file(tmp_path, "w.pt", "weights")
    for other, told in (
        (replace(job, plan=Plan(2.0)), "another plan"),
        (replace(job, plan=Plan(1.0, seed=2)), "another plan"),
        (replace(job, kind="decoder"), "another kind of model"),
        (replace(job, start=weights), "other weights to start from"),
        (replace(job, mean=(weights,)), "other weights to average"),
        (replace(job, name="other"), "another name"),
        (replace(job, pairs=None), "other data"),
    ):
        with pytest.raises(UsageError, match=told):
            claim(other, [gate], None)
    with pytest.raises(UsageError, match="another gate"):
        claim(job, [], None)
    (job.base / "model.safetensors").write_text("trained further")
    with pytest.raises(UsageError, match="another base"):
        claim(job, [gate], None)


def test_weights_that_are_started_from_are_known_by_their_bytes(job: Job, tmp_path: Path) -> None:
    started = replace(job, start=file(tmp_path, "w.pt", "weights"))
    claim(started, [], None)
    file(tmp_path, "w.pt", "others")
    with pytest.raises(UsageError, match="other weights to start from"):
        claim(started, [], None)


def test_records_join_a_training_that_runs_and_only_when_asked(job: Job) -> None:
    assert job.pairs is not None
    claim(job, [], None)
    job.pairs.write_text("one\ntwo")
    with pytest.raises(UsageError, match="other data") as told:
        claim(job, [], None)
    assert "--with-new-records" in (told.value.hint or "")
    claim(replace(job, joining=True), [], None)
    claim(job, [], None)
    with pytest.raises(UsageError, match="another name"):
        claim(replace(job, joining=True, name="other"), [], None)
    (job.out / "weights.pt").write_text("")
    job.pairs.write_text("one\ntwo\nthree")
    with pytest.raises(UsageError, match="is over"):
        claim(replace(job, joining=True), [], None)


def test_what_was_begun_by_another_version_or_half_written_is_told(job: Job) -> None:
    job.out.mkdir()
    (job.out / "plan.json.partial").write_text('{"made')
    claim(job, [], None)
    (job.out / "plan.json").write_text(json.dumps({"hash": "another"}))
    with pytest.raises(UsageError, match="another plan or other data"):
        claim(job, [], None)
    (job.out / "plan.json").write_text('{"made')
    with pytest.raises(UsageError, match="is damaged"):
        claim(job, [], None)
    (job.out / "plan.json").unlink()
    (job.out / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="is not empty"):
        claim(job, [], None)


def test_a_tenth_and_at_least_five_are_held_out_where_there_are_enough() -> None:
    for count, gate, valid in ((2, 0, 1), (19, 0, 1), (20, 5, 2), (60, 6, 6)):
        found = divide(TEXTS[:count], None, gated=True)
        assert (len(found.gate), len(found.valid)) == (gate, valid), count
        assert not found.gate & found.valid
    grown = divide(TEXTS[:21], divide(TEXTS[:18], None, gated=True), gated=True)
    assert not grown.gate and len(grown.valid) == 2, "three tell nothing"
    assert not divide(TEXTS, None, gated=False).gate, "sets of one's own take the place of held-out pairs"


def test_what_was_trained_on_is_never_held_out_later(job: Job) -> None:
    first = divide(TEXTS[:30], None, gated=True)
    claim(job, [], first)
    later = divide(TEXTS, split_in(job.out), gated=True)
    trained = first.known - first.gate - first.valid
    assert not trained & (later.gate | later.valid)
    assert first.gate <= later.gate and first.valid <= later.valid
    assert len(later.gate) == 6
    few = divide(TEXTS[:10], None, gated=True)
    assert few.known - few.valid <= divide(TEXTS, few, gated=True).known - divide(TEXTS, few, gated=True).gate


def test_the_same_description_is_on_one_side_only() -> None:
    assert mark_of("A  Book has a\ntitle.") == mark_of("a book has a title.")
    assert len(divide(TEXTS + [t.upper() for t in TEXTS], None, gated=True).known) == 60


def test_a_mean_is_judged_by_what_all_of_its_trainings_had_held_out() -> None:
    a, b = Split(frozenset("abcd"), frozenset("ab"), frozenset("c")), Split(frozenset("abce"), frozenset("a"), frozenset("bc"))
    assert common([a, b]) == Split(frozenset("abcde"), frozenset("a"), frozenset("c"))


def test_the_corpus_is_judged_by_the_frozen_sets(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    from clodo.corpus.format import parse
    from clodo.corpus.splits import FROZEN
    from clodo.testing import ScriptedUnderstander
    from clodo.training import prepare

    records = {split: [parse(f"=== {split[0]}-1 | style=terse | domain=t\n{split} [books|book] with a [title|book.]\n---\n")] for split in ("train", "valid")}
    monkeypatch.setattr(prepare, "load_split", records.__getitem__)
    corpus = replace(job, pairs=None, current=ScriptedUnderstander())
    data = prepare.prepare(corpus, lambda _: None)
    assert data.own is None and data.gate_names == ["bricks.txt", "clear.txt", "cues.txt", "unclear.txt"] and len(data.gate) > 200
    assert not prepare.prepare(replace(corpus, current=None), lambda _: None).gate
    mine = prepare.prepare(replace(corpus, gate=(FROZEN / "unclear.txt",)), lambda _: None)
    assert mine.gate_names == ["unclear.txt"] and all(c.meaning is None for c in mine.gate)
