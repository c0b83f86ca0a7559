"""Tables say what was judged, and show a dash where nothing was."""

from __future__ import annotations

from typing import Any

from clodo.blueprint import parse
from clodo.errors import ModelError
from clodo.evaluation.case import Case
from clodo.evaluation.measure import Answer, answers_of, measure
from clodo.evaluation.report import page
from clodo.evaluation.scoring import Meaning, meaning
from clodo.evaluation.tables import breakdown, table
from clodo.understand.port import Part, Understanding

SHOP = "service shop\n\nentity book {\n  title: text required\n  score: integer min 1\n}\n"


def case(id: str, style: str = "terse", *, clear: bool = True) -> Case:
    return Case(id, f"text {id}", meaning(parse(SHOP)) if clear else None, style, True)


def answer(source: str = SHOP, confidence: float = 0.8) -> Answer:
    return Answer(meaning(parse(source)), confidence, (Part("book", 0.9, kind="entity"),))


def cells(made: str, row: int = 0) -> dict[str, str]:
    """A row of a table by its heads."""
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in made.splitlines()]
    assert len({len(line) for line in lines}) == 1
    return dict(zip(lines[0], lines[2 + row], strict=True))


def test_what_nothing_was_there_to_judge_of_is_a_dash() -> None:
    unclear = measure("m", lambda _: Answer(None), [case("a", clear=False)]).to_json()
    both = measure("n", lambda _: answer(), [case("a")]).to_json()
    alone, beside = cells(table([unclear])), cells(table([unclear, both]))
    assert unclear["figures"] == {} and not {"entities", "fields", "usable"} & set(alone)
    assert {beside[name] for name in ("entities", "fields", "types", "usable", "exact", "ECE parts", "ECE whole", "asks clear")} == {"–"}
    assert beside["asks unclear"] == "100% of 1"
    assert cells(table([unclear, both]), 1)["entities"].startswith("1.00") and "owned" not in beside


def test_the_whole_has_a_calibration_error_of_its_own() -> None:
    found = measure("m", lambda _: answer(confidence=0.4), [case("a"), case("b")], draws=0).to_json()
    shown = cells(table([found]))
    assert [shown[f"ECE {of}"].split()[0] for of in ("parts", "whole")] == ["0.100", "0.600"]
    assert all(shown[f"ECE {of}"].endswith(" by chance)") for of in ("parts", "whole"))
    assert "whole blueprints against" in page("set", ("set", [found]))
    patterns = measure("no doubt", lambda _: Answer(meaning(parse(SHOP))), [case("a")], draws=0).to_json()
    assert cells(table([patterns]))["ECE whole"] == "–"


def test_results_of_before_are_shown_with_what_they_tell() -> None:
    old: dict[str, Any] = {
        "candidate": "old", "clear": 9, "unclear": 0, "figures": {"usable": 0.25}, "intervals": {}, "styles": {}, "constructs": {},
        "abstention": {"asked_of_unclear": 0.0, "asked_of_clear": 0.0}, "calibration": {"ece_parts": 0.03}, "latency_ms": {"p50": 1, "p95": 2},
    }  # fmt: skip
    shown = cells(table([old, measure("new", lambda _: answer(), [case("a")], draws=0).to_json()]))
    assert (shown["usable"], shown["exact"], shown["ECE parts"], shown["ECE whole"]) == ("0.25", "–", "0.030", "–")
    assert "old" in page("t", ("set", [old]))


def test_styles_and_constructs_are_told_by_themselves() -> None:
    wrong = SHOP.replace("min 1", "min 2")
    found = measure("m", lambda text: answer(wrong if text == "text b" else SHOP), [case("a"), case("b", "email")], draws=0).to_json()
    email, terse = (cells(breakdown([found], "style"), row) for row in (0, 1))
    assert (email["style"], email["texts"], email["usable"], email["fields"]) == ("email", "1", "0.00", "1.00")
    assert (terse["style"], terse["usable"], terse["constraints"]) == ("terse", "1.00", "1.00")
    minimum, required = (cells(breakdown([found], "construct"), row) for row in (0, 1))
    assert (minimum["construct"], minimum["stated"], minimum["recall"], minimum["f1"]) == ("minimum", "2", "0.50", "0.50")
    assert (required["construct"], required["f1"]) == ("required", "1.00")
    html = page("set", ("set", [found]))
    assert html.count("<th>constraints</th>") == 2, "once for all texts, once by style"


class Dead:
    """A model that cannot be reached."""

    def understand(self, description: str) -> Understanding:
        raise ModelError("Nothing answers there.")


def test_texts_without_an_answer_are_counted() -> None:
    found = measure("m", answers_of(Dead()), [case("a"), case("b", clear=False)], draws=0).to_json()
    assert (found["failed"], found["failure"]) == (2, "Nothing answers there.")
    assert cells(table([found]))["failed"] == "100% of 2"
    fine = measure("m", lambda _: Answer(Meaning()), [case("a")], draws=0).to_json()
    assert fine["failed"] == 0 and "failed" not in cells(table([fine]))
    assert "2 texts came to no answer: Nothing answers there." in page("set", ("set", [found]))
