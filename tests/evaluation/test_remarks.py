"""Remarks are counted as false on texts that are right, and as due where something is lost."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from clodo.blueprint import parse
from clodo.corpus.format import Record
from clodo.corpus.format import parse as parse_record
from clodo.evaluation.remarks import remarks
from clodo.understand.port import Span, Understanding

TEXT = (
    "[Books|book] have a [price|book. int] up to [90|book.price =max] and a [state|book. enum]: [new|book.state =enum], [old|book.state =enum]. "
    "We [export|@export of=book] books. [Paint them|X]. We are 12 people."
)
FIELDS = ("price: integer max 90", "state: enum(new, old)", "export csv")


def record(text: str = TEXT, verdict: str = "") -> Record:
    return parse_record("\n".join(["=== r-1 | style=terse | domain=test", text, "---", *([f"verdict {verdict}"] if verdict else [])]))


def figures(lines: Sequence[str], *shown: str, role: str = "unexplained", asks: bool = False) -> dict[str, float]:
    """The figures of an answer of some lines, with remarks on some words."""
    text = record().text
    places = [text.index(words) for words in shown]
    spans = tuple(Span(at, at + len(words), role) for at, words in zip(places, shown, strict=True))
    blueprint = parse("\n".join(["service book_service", "entity book {", *lines, "}", ""]))
    found = Understanding(None if asks else blueprint, 1.0, "m", "p", spans=spans, questions=("What?",) if asks else ())
    return remarks(lambda _: found, [record()]).to_json()


def test_only_what_can_be_built_and_was_is_shown_falsely() -> None:
    assert figures(FIELDS)["false"] == 0
    assert figures(FIELDS, "12")["false"] == 1
    assert figures(FIELDS, "Paint them", role="unsupported")["false"] == 0
    assert figures(FIELDS, "up to", role="unsupported")["false"] == 1
    assert figures(FIELDS, "up to", role="value")["false"] == 0


@pytest.mark.parametrize(
    ("lines", "words", "lost"),
    [
        (("price: integer", *FIELDS[1:]), "90", 1),
        (FIELDS[:2], "export", 1),
        ((FIELDS[0], "state: text", FIELDS[2]), "new", 2),
        (("price: integer max 80", *FIELDS[1:]), "90", 1),
        (("price: integer min 90", *FIELDS[1:]), "90", 0),
    ],
)
def test_what_is_lost_is_to_be_shown_and_what_is_wrong_is_not_lost(lines: tuple[str, ...], words: str, lost: int) -> None:
    silent, told = figures(lines), figures(lines, words)
    assert (silent["lost"], silent["shown"], told["shown"], silent["right"]) == (lost, 0, min(lost, 1), 0)
    assert not lost or (told["told_texts"], silent["told_texts"]) == (float(lost == 1), 0)


def test_questions_are_not_silent() -> None:
    assert figures((), asks=True)["right"] == figures((), asks=True)["lacking"] == 0


def test_each_text_that_tells_something_is_told() -> None:
    told: list[tuple[str, list[str]]] = []
    found = Understanding(parse("service s\nentity book {\nprice: integer\n}\n"), 1.0, "m", "p")
    remarks(lambda _: found, [record()], lambda r, kind, words: told.append((kind, words)))
    assert told == [("silent", ["90", "new", "old", "export"])]
