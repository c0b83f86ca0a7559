"""The grammar for decoders and the grammar of the parser are two views of one language."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.lark import from_lark
from lark import Lark, UnexpectedInput

from clodo.blueprint import format_blueprint, parse
from clodo.blueprint.alternatives import alternatives
from clodo.blueprint.gbnf import gbnf
from clodo.blueprint.syntax import parser
from tests.blueprint.decoder import by_character


@cache
def admitted() -> Lark:
    """What a decoder may write, whatever the text."""
    return by_character(gbnf())


def test_it_admits_letters_of_every_language() -> None:
    admitted().parse(format_blueprint(parse('service x "Büro – 日本"\nentity a {\n}\n')))


def test_it_admits_what_people_and_models_write(example: Path) -> None:
    text = format_blueprint(parse(example.read_text("utf-8")))
    admitted().parse(text)


@given(from_lark(admitted()))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_it_admits_the_parser_reads(text: str) -> None:
    parser().parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "service x\nentity a {\n  b: string\n}\n",
        "service X\nentity a {\n}\n",
        "service x\nentity a {\n  b: text requird\n}\n",
        "Sure! Here it is:\nservice x\nentity a {\n}\n",
        "service x\nentity a {\n",
    ],
)
def test_it_keeps_out_what_is_no_blueprint(text: str) -> None:
    with pytest.raises(UnexpectedInput):
        admitted().parse(text)


@given(st.sets(st.text("ab_", max_size=5), max_size=12), st.text("ab_", max_size=6))
@settings(max_examples=60, deadline=None)
def test_alternatives_admit_their_words_and_no_others(words: set[str], other: str) -> None:
    reader = by_character(f'root ::= "<" {alternatives(words)} ">"')
    for word in words | {other}:
        try:
            reader.parse(f"<{word}>")
            taken = True
        except UnexpectedInput:
            taken = False
        assert taken == (word in (words or {""}))


def test_names_and_values_can_be_narrowed() -> None:
    reader = by_character(gbnf({"n-name": '"shop" | "book" | "size"', "n-value": r'"\"" "XL" "\""'}))
    text = 'service shop "Any title"\nentity book {\n  size: enum("XL", size) default "any text"\n}\n'
    reader.parse(text)
    for ours, other in (("service shop", "service ship"), ("entity book", "entity booking"), ("  size", "  sizes"), ('"XL"', '"XS"'), (", size", ", sizes")):
        with pytest.raises(UnexpectedInput):
            reader.parse(text.replace(ours, other))
