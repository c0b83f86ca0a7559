"""Measuring: figures, abstention, calibration and reports say what the answers were."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clodo.blueprint import parse
from clodo.errors import UsageError
from clodo.evaluation.calibration import Judged, chance_error, expected_error, fit, reliability
from clodo.evaluation.case import Case
from clodo.evaluation.cases import load
from clodo.evaluation.measure import Answer, answers_of, measure
from clodo.evaluation.parts import judge
from clodo.evaluation.report import page
from clodo.evaluation.scoring import Meaning, meaning
from clodo.evaluation.tables import table
from clodo.testing import ScriptedModel, ScriptedUnderstander
from clodo.understand.generative import GenerativeUnderstander
from clodo.understand.port import Part

SHOP = """service shop
write key

entity book {
  title: text required
  price: money min 0
}

entity review {
  score: integer min 1 max 5
  book: -> book required
}
"""
RECORD = """=== s-1 | style=terse | domain=shop
[Books|book] have a [title|book. !] and a [score|book. int] from [1|book.score =min] to [5|book.score =max]. Key for all.
---
access key
=== s-2 | style=oneliner | domain=none
hello there
---
verdict not-a-service
"""


def case(id: str, source: str | None = SHOP, style: str = "terse") -> Case:
    return Case(id, f"text {id}", meaning(parse(source)) if source else None, style, True)


def wrong() -> Meaning:
    return meaning(parse(SHOP.replace("min 1 max 5", "min 1 max 6")))


def test_right_wrong_and_asked_are_counted() -> None:
    answers = {"text a": Answer(meaning(parse(SHOP))), "text b": Answer(wrong()), "text c": Answer(None), "text d": Answer(None)}
    found = measure("m", answers.__getitem__, [case("a"), case("b"), case("c", style="email"), case("d", None)])
    assert (found.clear, found.unclear) == (3, 1)
    assert found.figures["usable"] == pytest.approx(1 / 3, abs=1e-4)
    assert found.abstention == {"asked_of_unclear": 1.0, "asked_of_clear": pytest.approx(1 / 3, abs=1e-4)}
    assert found.styles["terse"]["usable"] == 0.5 and found.styles["email"]["usable"] == 0
    assert [f["id"] for f in found.faults] == ["b", "c"]
    assert found.constructs["maximum"]["recall"] == pytest.approx(1 / 3, abs=1e-4)
    low, high = found.intervals["usable"]
    assert low <= found.figures["usable"] <= high


def test_an_understander_that_fails_is_a_wrong_answer_and_no_end() -> None:
    answer = answers_of(ScriptedUnderstander(parse(SHOP)))
    assert answer("x").meaning == meaning(parse(SHOP))
    assert answers_of(ScriptedUnderstander(None, ["what?"]))("x").meaning is None


@pytest.mark.parametrize(
    ("kind", "path", "change", "right"),
    [
        ("entity", "book", ("", ""), True),
        ("entity", "author", ("", ""), False),
        ("field", "book.title", ("", ""), True),
        ("field", "book.title", ("text required", "text"), False),
        ("field", "book.price", ("price: money min 0", "price: date"), False),
        ("value", "review.score.max", ("", ""), True),
        ("value", "review.score.max", ("max 5", "max 6"), False),
        ("value", "review.score.min", ("max 5", "max 6"), True),
        ("relation", "review.book.belongs", ("", ""), True),
        ("relation", "review.book.belongs", ("required\n}", "required on delete cascade\n}"), False),
        ("access", "access", ("write key", "write public"), False),
    ],
)
def test_each_part_is_judged_by_itself(kind: str, path: str, change: tuple[str, str], right: bool) -> None:
    said = meaning(parse(SHOP.replace(*change) if change[0] else SHOP))
    assert judge(Part(path, 0.5, kind=kind), said, meaning(parse(SHOP)), exact=True) is right


@pytest.mark.parametrize(
    ("kind", "change", "right"),
    [
        ("at-most", ("", ""), True),
        ("at-most", ("at most 3 per", "at most 4 per"), False),
        ("live", ("at most 3 per", "at most 4 per"), True),  # another wish's mistake is not its own
        ("live", ("  live\n", ""), False),
        ("audit", ("", ""), False),
    ],
)
def test_a_wish_is_judged_by_the_lines_of_its_kind(kind: str, change: tuple[str, str], right: bool) -> None:
    wishes = SHOP.replace("required\n}", "required\n  at most 3 per book\n  live\n}")
    assert wishes != SHOP
    said = meaning(parse(wishes.replace(*change) if change[0] else wishes))
    assert judge(Part(f"({kind})", 0.5, kind="cue"), said, meaning(parse(wishes)), exact=True) is right


@pytest.mark.parametrize("verb", ["create", "delete"])
def test_a_step_that_is_a_right_is_judged_by_that_right(verb: str) -> None:
    text = f"service s\nusers {{\n  roles boss\n}}\nentity order {{\n  n: integer\n  write user\n  {verb} role WHO\n}}\n"
    said, wanted = meaning(parse(text.replace("WHO", "boss"))), meaning(parse(text.replace("WHO", "boss, admin")))
    for kind, other, right in (("action", said, True), ("action", wanted, False), ("live", said, False)):
        assert judge(Part(f"({kind})", 0.5, kind="cue"), said, other, exact=True) is right


def test_calibration_error_is_the_gap_between_confidence_and_right() -> None:
    honest = [Judged("field", 0.75, i % 4 != 0) for i in range(40)]
    boastful = [Judged("field", 0.95, i % 2 == 0) for i in range(40)]
    assert expected_error(honest) == pytest.approx(0)
    assert expected_error(boastful) == pytest.approx(0.45)
    assert [b["count"] for b in reliability(honest)] == [40]
    curve = fit(boastful)
    assert curve(0.95) == pytest.approx(0.5, abs=0.05)
    assert fit([])(0.3) == pytest.approx(0.3)


def test_a_few_honest_decisions_are_off_by_chance() -> None:
    two = [Judged("whole", 0.4, True), Judged("whole", 0.4, True)]
    # None right: off by 0.4, one: by 0.1, both: by 0.6.
    assert chance_error(two, draws=20_000) == pytest.approx(0.36 * 0.4 + 0.48 * 0.1 + 0.16 * 0.6, abs=0.005)
    assert chance_error([Judged("whole", c, True) for c in (0.0, 1.0)]) == 0
    many = [Judged("whole", 0.4, True)] * 4000
    assert chance_error(many) < 0.02 < expected_error(many)
    assert chance_error([]) == 0


def test_the_same_confidence_means_less_in_a_text_of_which_little_is_understood() -> None:
    easy = [Judged("field", 0.8, i % 10 != 0, company=2.0) for i in range(200)]
    hard = [Judged("field", 0.8, i % 2 == 0, company=-2.0) for i in range(200)]
    curve = fit([*easy, *hard])
    assert curve(0.8, 2.0) == pytest.approx(0.9, abs=0.05)
    assert curve(0.8, -2.0) == pytest.approx(0.5, abs=0.05)


def test_many_wishes_are_seldom_wrong_each_for_itself() -> None:
    few = [Judged("whole", 0.2, i % 5 == 0) for i in range(200)]
    many = [Judged("whole", 0.2, i % 2 == 0, wishes=2.0) for i in range(200)]
    curve = fit([*few, *many])
    assert curve(0.2) == pytest.approx(0.2, abs=0.05)
    assert curve(0.2, wishes=2.0) == pytest.approx(0.5, abs=0.05)
    assert fit(few).wishes == 0


def test_sets_of_both_shapes_are_read(tmp_path: Path) -> None:
    marked = tmp_path / "set.txt"
    marked.write_text(RECORD, "utf-8")
    one, two = load(marked)
    assert one.meaning is not None and one.meaning.access == "key" and one.style == "terse"
    assert two.meaning is None
    plain = tmp_path / "set.json"
    means = {"entities": {"book": {"fields": {"title": {"type": "text", "required": True}}}}}
    plain.write_text(json.dumps([{"id": "x", "description": "Books.", "means": means}]))
    assert load(plain)[0].meaning is not None
    for text in ("{}", "[{}]", "nonsense"):
        plain.write_text(text)
        with pytest.raises(UsageError, match="no set"):
            load(plain)


def test_a_model_that_writes_text_is_measured_with_its_confidence() -> None:
    writer = GenerativeUnderstander(ScriptedModel([SHOP] * 3))
    case = Case("one", "Books with reviews.", meaning(parse(SHOP)), "terse", True)
    found = measure("writer", answers_of(writer), [case]).to_json()
    assert found["figures"]["usable"] == 1.0
    assert found["calibration"]["parts"] == len(parse(SHOP).entities)


def test_reports_show_every_candidate_and_escape_what_people_wrote() -> None:
    bad = Case("<b>", "a <script> text", meaning(parse(SHOP)), "terse", True)
    found = measure("mine", lambda _: Answer(wrong(), 0.8, (Part("book", 0.9, kind="entity"),)), [bad]).to_json()
    assert table([found]).count("| mine |") == 1
    html = page("set & co", ("set", [found]))
    assert "<script" not in html and "&lt;script&gt;" in html and "set &amp; co" in html and "<svg" in html
