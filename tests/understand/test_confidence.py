"""Curves of confidence, also those of models of before."""

from __future__ import annotations

import json
import math
import shutil
from importlib.resources import files
from pathlib import Path

import pytest

from clodo.app.models import DEFAULT_MODEL
from clodo.understand.confidence import Curve, curves, log_odds, wishes
from clodo.understand.encoder import EncoderUnderstander

TEXT = "Books have a title, an ISBN that must be unique and a price. Two loans of a book must not overlap. Loans have a start date and an end date."


def test_a_curve_is_over_the_confidence_its_company_and_the_wishes() -> None:
    curve = Curve(0.5, -0.1, 0.2, 0.3)
    at = 0.5 * log_odds(0.7) - 0.1 + 0.2 * 2.0 + 0.3 * 1.5
    assert curve(0.7, 2.0, 1.5) == pytest.approx(1 / (1 + math.exp(-at)))
    assert Curve()(0.7, 2.0, 1.5) == pytest.approx(0.7)


def test_a_curve_of_before_knows_no_wishes() -> None:
    found = curves({"whole": [0.5, -0.1, 0.2], "field": [0.4, 0.1]})
    assert found["whole"] == Curve(0.5, -0.1, 0.2, 0.0) and found["field"] == Curve(0.4, 0.1) and found["cue"] == Curve()


def test_wishes_are_the_parts_that_are_cues() -> None:
    assert wishes(["field", "entity"]) == 0 and wishes(["cue", "field", "cue"]) == pytest.approx(math.log(3))


def model(folder: Path, whole: list[float]) -> EncoderUnderstander:
    """The built-in model with another curve of the whole, and none of its parts."""
    shutil.copytree(str(files("clodo.models").joinpath(DEFAULT_MODEL)), folder)
    manifest = json.loads((folder / "model.json").read_text("utf-8"))
    manifest["calibration"] = {"whole": whole}
    (folder / "model.json").write_text(json.dumps(manifest), "utf-8")
    return EncoderUnderstander(folder)


def test_the_whole_knows_its_company_and_its_wishes(tmp_path: Path) -> None:
    def told(*whole: float) -> float:
        return log_odds(model(tmp_path / str(whole), list(whole)).understand(TEXT).confidence)

    plain = told(1.0, -2.0, 0.0)  # a curve of three numbers, as models of before have it
    kinds = [p.kind for p in EncoderUnderstander(tmp_path / str((1.0, -2.0, 0.0))).understand(TEXT).parts]
    assert "cue" in kinds
    assert told(1.0, -2.0, 0.0, 0.7) == pytest.approx(plain + 0.7 * wishes(kinds), abs=0.02)
    one, two = told(1.0, -2.0, 0.1), told(1.0, -2.0, 0.2)
    assert one - plain > 0.1 and two - one == pytest.approx(one - plain, abs=0.02)
