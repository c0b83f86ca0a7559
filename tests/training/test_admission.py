"""Comparing two models text by text."""

from __future__ import annotations

import pytest

from clodo.evaluation.case import Case
from clodo.evaluation.measure import Answer
from clodo.evaluation.scoring import Meaning
from clodo.training.admission import Comparison, Kept, compare


def meant(*fields: str) -> Meaning:
    return Meaning({"book"}, {("book", f): "text" for f in fields}, {("book", f, "required") for f in fields})


CASES = [Case(str(i), f"text {i}", meant("title", f"x{i}"), exact=True) for i in range(30)] + [Case(f"u{i}", f"what {i}?", None) for i in range(10)]
RIGHT = {c.text: Answer(c.meaning) for c in CASES}


def kept(answers: dict[str, Answer], wrong: range = range(0), *, instead: Answer | None = None) -> Kept:
    made = {**answers, **{CASES[i].text: instead or Answer(meant("title")) for i in wrong}}
    out = Kept(lambda text: made[text])
    for case in CASES:
        out(case.text)
    return out


@pytest.mark.parametrize(
    ("ours", "theirs", "verdict"),
    [
        (range(0), range(0), "level"),
        (range(0), range(15), "better"),
        (range(15), range(0), "worse"),
        # One text more or less is chance.
        (range(1), range(0), "level"),
        (range(0), range(1), "level"),
        # As many are wrong, but others.
        (range(12), range(12, 24), "level"),
    ],
)
def test_only_what_chance_does_not_explain_decides(ours: range, theirs: range, verdict: str) -> None:
    found = compare(CASES, kept(RIGHT, ours), kept(RIGHT, theirs))
    assert found.verdict == verdict, found
    assert found.texts == 40 and found.low <= found.difference <= found.high


def test_texts_that_need_questions_count_as_much_as_the_others() -> None:
    builds = kept(RIGHT, range(30, 40), instead=Answer(meant("title")))
    found = compare(CASES, builds, kept(RIGHT))
    assert found.difference == pytest.approx(-0.25) and found.verdict == "worse"


def test_parts_decide_between_models_that_have_the_same_texts_right() -> None:
    nothing = Answer(Meaning({"book"}))
    found = compare(CASES, kept(RIGHT, range(30)), kept(RIGHT, range(30), instead=nothing))
    assert found.verdict == "better" and 0 < found.difference < 0.1


def test_a_comparison_is_the_same_each_time() -> None:
    once, again = (compare(CASES, kept(RIGHT, range(4)), kept(RIGHT, range(9))) for _ in range(2))
    assert once == again
    assert once.to_json() == {"verdict": "level" if once.low <= 0 else "better", "difference": once.difference, "interval": [once.low, once.high], "texts": 40}
    assert Comparison(-0.2, -0.3, -0.1, 9).verdict == "worse"
