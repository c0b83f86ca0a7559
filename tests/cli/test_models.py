"""``eval`` and ``train`` on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from clodo.cli import main
from clodo.errors import ModelError
from clodo.understand.port import Understanding

SET = """=== s-1 | style=terse | domain=shop
[Books|book] have a [title|book. !] that is required and a [price|book. money].
---
=== s-2 | style=oneliner | domain=none
what time is it?
---
verdict not-a-service
"""


def clodo(*args: str) -> Result:
    return CliRunner().invoke(main, list(args))


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.txt"
    path.write_text(SET, "utf-8")
    return path


def test_eval_measures_and_saves_what_a_later_run_shows_beside(small: Path, tmp_path: Path) -> None:
    saved, page = tmp_path / "r.json", tmp_path / "r.html"
    first = clodo("eval", str(small), "--save", str(saved), "--html", str(page), "--json")
    assert first.exit_code == 0, first.output
    document = json.loads(first.stdout)
    (result,) = document["results"]
    assert document["texts"] == 2 and (result["clear"], result["unclear"]) == (1, 1)
    assert set(result["figures"]) >= {"entities", "fields", "usable"}
    assert page.read_text("utf-8").startswith("<!doctype html>")
    again = clodo("eval", str(small), "--against", str(saved))
    assert again.stdout.count("| clodo-1 |") == 2


def test_eval_tells_a_bad_set_and_bad_results(tmp_path: Path, small: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text("{}", "utf-8")
    for args in (("eval", str(bad)), ("eval", str(tmp_path / "none.txt")), ("eval", str(small), "--against", str(bad))):
        result = clodo(*args)
        assert result.exit_code == 2 and "error:" in result.stderr, result.output


def test_eval_reads_pairs_and_breaks_figures_down(tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.jsonl"
    row = {"description": "Books have a title that is required.", "blueprint": "service books\nentity book {\n  title: text required\n}\n"}
    pairs.write_text(json.dumps(row) + "\n", "utf-8")
    shown = clodo("eval", str(pairs), "--by", "construct")
    assert shown.exit_code == 0, shown.output
    assert "| clodo-1 | required | 1 |" in shown.stdout and "ECE whole" in shown.stdout


def test_eval_tells_a_model_that_answers_nothing(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Dead:
        def understand(self, description: str) -> Understanding:
            raise ModelError("Nothing answers there.")

    monkeypatch.setattr("clodo.cli.evaluate.open_understander", lambda *_: Dead())
    shown = clodo("eval", str(small))
    assert shown.exit_code == 1 and "100% of 2" in shown.stdout and "No text at all was answered by clodo-1" in shown.stderr
    told = clodo("eval", str(small), "--json")
    document = json.loads(told.stdout)
    assert told.exit_code == 1 and document["error"]["hint"] == "Nothing answers there." and document["results"][0]["failed"] == 2


def test_train_tells_what_it_cannot_do(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="training needs `pip install 'clodo[train]'`")
    result = clodo("train", "-o", str(tmp_path / "out"), "--base", "no-such-base")
    assert result.exit_code == 2 and "no-such-base" in result.stderr
    assert not (tmp_path / "out").exists()
    assert clodo("train").exit_code == 2


def test_a_mean_needs_trainings_and_numbers(tmp_path: Path) -> None:
    out = ("-o", str(tmp_path / "out"))
    for given, told in (
        (("--mean",), "takes the mean of some trainings"),
        ((str(tmp_path),), "are for --mean"),
        (("--weights", "1,2"), "are for --mean"),
        (("--mean", str(tmp_path), "--from", str(tmp_path)), "starts from nothing else"),
        (("--mean", str(tmp_path), "--weights", "much"), "'much' are no numbers"),
    ):
        result = clodo("train", *out, *given)
        assert result.exit_code == 2 and told in result.stderr, result.stderr
    assert not (tmp_path / "out").exists()


def test_whether_a_model_is_admitted_is_told_with_its_grounds(tmp_path: Path) -> None:
    from clodo.cli.train import verdict_of
    from clodo.training.admission import Comparison
    from clodo.training.job import Outcome

    def told(figures: dict[str, Any], comparison: Comparison | None) -> tuple[bool | None, str]:
        outcome = Outcome(tmp_path, figures, None, comparison, ())
        return outcome.admitted, verdict_of(outcome)

    assert told({}, None) == (None, "not measured, for want of texts that it was not trained on")
    assert told({"usable": 1.0}, None) == (None, "not compared with the current model")
    better, level, worse = Comparison(0.1, 0.02, 0.2, 40), Comparison(0.1, -0.02, 0.2, 40), Comparison(-0.1, -0.2, -0.05, 40)
    assert told({}, better) == (True, "admitted: better than the current model on 40 texts (+0.100, 95 % between +0.020 and +0.200)")
    assert told({}, level)[0] is True and "not told apart" in told({}, level)[1]
    assert told({}, worse)[0] is False and told({}, worse)[1].startswith("not admitted: worse")
