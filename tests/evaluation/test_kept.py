"""What is kept for a set is shown beside, while the set is the same."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from evals import kept, run
from evals.kept import Kept, keep, kept_for

SET = """=== s-1 | style=terse | domain=shop
[Books|book] have a [title|book. !] that is required and a [price|book. money].
---
"""


def result(name: str) -> dict[str, object]:
    return {
        "candidate": name, "clear": 1, "unclear": 0, "figures": {"usable": 0.5}, "intervals": {}, "styles": {}, "constructs": {},
        "abstention": {"asked_of_unclear": 0, "asked_of_clear": 0}, "calibration": {"ece_parts": 0.1}, "latency_ms": {"p50": 1, "p95": 1},
        "faults": [{"text": "of a person"}],
    }  # fmt: skip


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.txt"
    path.write_text(SET, "utf-8")
    return path


def test_the_release_before_and_stock_models_stand_beside(small: Path, tmp_path: Path) -> None:
    made = kept_for([small], folder=tmp_path)
    made = made.with_results([result("m 1"), result("m 2")], "previous").with_results([result("stock")], "stock")
    assert keep(made, tmp_path) == tmp_path / "small.json"
    back = kept_for([small], folder=tmp_path)
    assert [r["candidate"] for r in back.beside(["m 3"])] == ["stock", "m 2"]
    assert [r["candidate"] for r in back.beside(["m 2"])] == ["stock", "m 1"]
    assert "of a person" not in (tmp_path / "small.json").read_text("utf-8"), "texts are not kept"
    again = back.with_results([result("m 1")], "previous")
    assert [r["candidate"] for r in again.previous] == ["m 2", "m 1"]


def test_what_was_measured_on_another_set_is_not_shown(small: Path, tmp_path: Path) -> None:
    keep(kept_for([small], folder=tmp_path).with_results([result("m 1")], "previous"), tmp_path)
    assert kept_for([small], 1, folder=tmp_path).previous == (), "the first texts are another set"
    small.write_text(SET.replace("Books", "Tomes"), "utf-8")
    assert kept_for([small], folder=tmp_path).previous == ()


def test_every_set_of_the_repository_has_the_releases_before() -> None:
    for sets in run.ALL:
        found = kept_for(sets)
        assert len(found.previous) >= 2, f"{found.name} has changed since it was measured"
        assert all(r["faults"] == [] for r in (*found.previous, *found.stock))
    assert {path for sets in run.ALL for path in sets} == set((run.HERE / "sets").glob("*.txt"))


def test_the_command_shows_and_keeps_them(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(kept, "FOLDER", tmp_path)
    keep(kept_for([small], folder=tmp_path).with_results([result("clodo-1 0.1")], "previous"), tmp_path)
    saved, html = tmp_path / "saved", tmp_path / "page.html"
    monkeypatch.setattr(sys, "argv", ["run", "--set", str(small), "--by", "style", "--save", str(saved), "--html", str(html), "--save-as-previous"])
    assert run.main() == 0
    rows = [line.split(" | ")[0].removeprefix("| ") for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    assert rows[:3] == ["candidate", "patterns (no model)", "clodo-1 0.1"] and rows[3].startswith("clodo-1 1.")
    assert rows[4:6] == ["candidate", "patterns (no model)"], "the styles follow"
    assert {r["set"] for r in json.loads(saved.read_text("utf-8"))} == {"small"} and "<svg" in html.read_text("utf-8")
    held = kept_for([small], folder=tmp_path)
    assert isinstance(held, Kept) and [r["candidate"] for r in held.previous] == ["clodo-1 0.1", rows[3]]
