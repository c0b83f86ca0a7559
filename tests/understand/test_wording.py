"""Blueprints of a text have names of its words: the grammar admits the right ones, and refuses names that the text does not have."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lark import Token, UnexpectedInput

from clodo.blueprint.gbnf import gbnf
from clodo.blueprint.syntax import parser
from clodo.corpus.format import Record
from clodo.understand.generative import _EXAMPLES, UNCLEAR
from clodo.understand.wording import grammar_of, names_of
from tests.blueprint.decoder import by_character, pattern
from tests.understand.services import LIMIT_RECORDS, MAIL_RECORDS, RECORDS, STEP_RECORDS, wanted


def admits(text: str, names: list[str], rule: str = "n-name") -> list[bool]:
    """Which names the grammar of a text admits."""
    admitted = pattern(grammar_of(text), rule)
    return [admitted.fullmatch(name) is not None for name in names]


words = st.text("bdfgklmprtvz", min_size=4, max_size=7)


@given(st.lists(words, min_size=6, max_size=6, unique=True), words)
@settings(max_examples=30, deadline=None)
def test_names_are_of_the_text(found: list[str], other: str) -> None:
    thing, first, second, third, state, then = found
    text = f"A {thing} has a {first}, a {second} {third} and is {state} or {then}."
    own = [thing, f"{thing}_service", first, f"{second}_{third}", f"{third}_at", state, then, f"number_of_{thing}_by_{first}"]
    assert all(admits(text, own))
    foreign = [n for n in (other, f"{other}_at", f"{first}_{other}", f"{other}_service", f"number_of_{other}") if other not in names_of(text)]
    apart = [f"{third}_{second}", f"{first}_{then}", f"{thing}_{state}"]
    assert not any(admits(text, foreign + apart))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Libraries lend books; the dates of arrival.", ["library", "book", "arrival_date", "lend", "lent", "loan"]),
        ("It's the author's name, e-mail and qty.", ["author_name", "email", "quantity"]),
        ("custmers hav adress", ["customer", "custmers", "address", "adress"]),
        ("A start and end date, home or away team", ["start_date", "end_date", "home_team", "away_team"]),
        ("Parcels are in the depot, on the way or at the door. CO2 in it.", ["in_the_depot", "on_the_way", "at_the_door", "co2"]),
        ("Café Gruß", ["cafe_gruss"]),
        ("x", ["count", "sum", "now", "created_at", "days", "status", "unclear"]),
    ],
)
def test_they_are_written_as_names_are(text: str, names: list[str]) -> None:
    assert admits(text, names) == [True] * len(names)


def test_values_are_of_the_text() -> None:
    text = 'Shirts in XL, s or 7 days. A "quote", 40+ years.'
    assert admits(text, ['"XL"', '"7_days"', '"40+"', '"XXL"', '"8_days"'], "n-value") == [True, True, True, False, False]


@pytest.mark.parametrize(("text", "blueprint"), [*_EXAMPLES, ("", UNCLEAR), ("?!", UNCLEAR)])
def test_the_examples_of_the_prompt_are_admitted(text: str, blueprint: str) -> None:
    by_character(grammar_of(text)).parse(blueprint)


WANTED = wanted()
#: One names a moment by a word that only a noun of its text has behind it (``paid_on`` of "payment").
SAID = [r for r in (*RECORDS, *STEP_RECORDS, *MAIL_RECORDS, *LIMIT_RECORDS) if r.id != "step-04"]


@pytest.mark.parametrize("record", SAID, ids=lambda r: r.id)
def test_the_names_of_a_record_are_of_its_text(record: Record) -> None:
    blueprint = WANTED[record.id][0]
    tokens = parser().parse(blueprint).scan_values(lambda t: isinstance(t, Token) and t.type in ("KEY", "NAME"))
    names = sorted({str(t).rstrip(":") for t in tokens})
    assert [n for n, taken in zip(names, admits(record.text, names), strict=True) if not taken] == []
    assert admits(record.text, ["zeppelin", f"{names[0]}_zeppelin", "zeppelin_service"]) == [False] * 3


@pytest.mark.parametrize("record", LIMIT_RECORDS[:3], ids=lambda r: r.id)
def test_a_blueprint_is_admitted_until_one_name_is_of_elsewhere(record: Record) -> None:
    reader, blueprint = by_character(grammar_of(record.text)), WANTED[record.id][0]
    reader.parse(blueprint)
    for name in re.findall(r"(?<=^entity )\w+|(?<=^  )\w+(?=:)", blueprint, re.MULTILINE):
        with pytest.raises(UnexpectedInput):
            reader.parse(re.sub(rf"\b{name}\b", "zeppelin", blueprint))


def test_what_is_written_in_another_script_may_have_any_names() -> None:
    assert grammar_of("本には題名と著者がある。 PDF") == gbnf()
    assert grammar_of("Büro – 日本") != gbnf()


def test_a_long_text_has_a_grammar_that_engines_take() -> None:
    text = " ".join(f"{a}{b}{c} has" for a in "bdfgklmp" for b in "aeiou" for c in ("rt", "nd", "mb", "sk", "lt", "gst", "rf", "ps"))
    grammar = grammar_of(text * 2)
    assert len(grammar) < 65_536 and grammar != gbnf()
    assert admits(text, ["bart", "psps"]) == [True, False]
