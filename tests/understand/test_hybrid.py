"""Understanders in an order, understandings as documents, and descriptions without their secrets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from clodo.blueprint import parse
from clodo.blueprint.values import Blueprint
from clodo.errors import ModelError
from clodo.lm import Tried
from clodo.understand.document import document, understanding_of
from clodo.understand.hybrid import Candidate, HybridUnderstander
from clodo.understand.port import Part, Span, Understander, Understanding
from clodo.understand.redacting import RedactingUnderstander
from clodo.understand.remote import RemoteUnderstander

TEXT = "Books have a title and 3 shelves. " + "And so on, at length. " * 6
BOOKS = parse("service books\n\nentity book {\n  title: text\n}\n")
GOOD = Understanding(BOOKS, 0.9, "m 1", "here")


@dataclass
class Fixed:
    """Gives one understanding, and counts."""

    made: Understanding | ModelError
    asked: list[str] = field(default_factory=list)

    def understand(self, description: str) -> Understanding:
        self.asked.append(description)
        if isinstance(self.made, ModelError):
            raise self.made
        return self.made


def hybrid(*order: Understander) -> HybridUnderstander:
    return HybridUnderstander([Candidate("abc"[i], "here", lambda u=u: u) for i, u in enumerate(order)])  # type: ignore[misc]


def test_what_does_is_not_asked_again() -> None:
    larger = Fixed(GOOD)
    made = hybrid(Fixed(GOOD), larger).understand(TEXT)
    assert (made, larger.asked) == (GOOD, [])


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        (replace(GOOD, confidence=0.49), "low-confidence"),
        (replace(GOOD, blueprint=None, confidence=0.4, questions=("What?",)), "low-confidence"),
        (replace(GOOD, spans=(Span(23, 24, "unexplained"),)), "unexplained"),
        (replace(GOOD, spans=(Span(50, len(TEXT.rstrip()), "unexplained"),)), "too-long"),
        (replace(GOOD, blueprint=None), "invalid-answer"),
        (replace(GOOD, blueprint=replace(BOOKS, entities=BOOKS.entities * 2)), "invalid-answer"),
        (ModelError("It is too long.", code="too-long"), "too-long"),
        (ModelError("It is down.", code="unavailable"), "unavailable"),
    ],
)
def test_what_does_not_goes_further(first: Understanding | ModelError, reason: str) -> None:
    made = hybrid(Fixed(first), Fixed(replace(GOOD, model="large"))).understand(TEXT)
    assert made.model == "large" and [(t.model, t.reason) for t in made.tried] == [("a", reason)]
    assert made.tried[0].detail


def test_sure_questions_are_an_answer() -> None:
    larger = Fixed(GOOD)
    made = hybrid(Fixed(replace(GOOD, blueprint=None, questions=("What?",))), larger).understand(TEXT)
    assert made.questions and larger.asked == []


def test_a_model_is_opened_once_and_only_when_it_is_asked() -> None:
    opened: list[str] = []

    def open_(name: str) -> Understander:
        opened.append(name)
        return Fixed(replace(GOOD, confidence=0.1) if name == "a" else GOOD)

    made = HybridUnderstander([Candidate(n, "here", lambda n=n: open_(n)) for n in "abc"])  # type: ignore[misc]
    made.understand(TEXT)
    made.understand(TEXT)
    assert opened == ["a", "b"]


def test_an_understanding_goes_through_json_and_back() -> None:
    whole = replace(
        GOOD, parts=(Part("book", 0.9, kind="entity"),), not_understood=(Part("shelf", 0.4, ((0, 5),), "entity"),), notes=("A note.",), spans=(Span(0, 5, "entity"),), tried=(Tried("a", "b", "c", "d"),),
        timings_ms={"prefill": 1.0, "decode": 2.0, "model": 3.0},
    )  # fmt: skip
    told = json.loads(json.dumps(document(whole, {"total": 9.0})))
    assert told["timings_ms"]["total"] == 9.0 and told["tried"] == [{"model": "a", "provider": "b", "reason": "c", "detail": "d"}]
    back = understanding_of(told, TEXT, "there")
    assert replace(back, parts=whole.parts) == replace(whole, provider="there")
    asking = replace(GOOD, blueprint=None, questions=("What?",))
    assert understanding_of(document(asking, {}), TEXT, "here").questions == ("What?",)


@pytest.mark.parametrize(
    "change",
    [
        {"blueprint": "service x\nentity a {\n  b: string\n}\n"}, {"blueprint": 5}, {"blueprint": None}, {"questions": "What?"}, {"confidence": 1.5},
        {"confidence": None}, {"confidence": float("nan")}, {"spans": [{"start": 0, "end": 10**6, "role": "entity"}]}, {"spans": [{"start": 0, "end": 1, "role": "<b>"}]},
        {"spans": 5}, {"parts": [{}]}, {"tried": ["x"]}, {"timings_ms": 3},
    ],
)  # fmt: skip
def test_an_answer_from_elsewhere_is_checked(change: Mapping[str, Any]) -> None:
    with pytest.raises(ModelError, match="does not hold up") as failure:
        understanding_of({**document(GOOD, {}), **change}, TEXT, "there")
    assert failure.value.code == "invalid-answer"


def test_a_document_that_leaves_out_what_it_may() -> None:
    least = {"blueprint": document(GOOD, {})["blueprint"], "model": "m", "confidence": 1}
    assert understanding_of(least, TEXT, "there").blueprint == BOOKS
    assert RemoteUnderstander(lambda _: (least, 12.0), "there").understand(TEXT).timings_ms["model"] == 12.0


def default_of(b: Blueprint | None) -> object:
    assert b is not None
    return b.entities[0].fields[0].default


def test_placeholders_come_back_as_they_were_with_spans_in_their_places() -> None:
    text = "Ann Lee (ann@example.com) keeps books with a title."
    answered = parse('service books\n\nentity book {\n  title: text default "[EMAIL_1]"\n}\n')
    at = "[NAME_1] ([EMAIL_1]) keeps books".index("books")
    spans = (Span(0, 8, "unexplained"), Span(at, at + 5, "entity"))
    inner = Fixed(replace(GOOD, blueprint=answered, notes=("Read [NAME_1].",), spans=spans, parts=(Part("book", 0.9, ((at, at + 5),)),), not_understood=(Part("person", 0.3, ((0, 8),)),)))
    made = RedactingUnderstander(inner).understand(text)
    assert inner.asked == ["[NAME_1] ([EMAIL_1]) keeps books with a title."]
    assert "ann@example.com" in str(default_of(made.blueprint)) and made.notes == ("Read Ann Lee.",)
    assert [text[s.start : s.end] for s in made.spans] == ["Ann Lee", "books"]
    assert [text[a:b] for p in (*made.parts, *made.not_understood) for a, b in p.spans] == ["books", "Ann Lee"]


def test_a_secret_that_does_not_fit_where_the_model_put_it_is_told() -> None:
    answered = parse('service books\n\nentity book {\n  title: text default "[PASSWORD_1]"\n}\n')
    with pytest.raises(ModelError, match="put back"):
        RedactingUnderstander(Fixed(replace(GOOD, blueprint=answered))).understand("password='a\"b\\c\"'")
