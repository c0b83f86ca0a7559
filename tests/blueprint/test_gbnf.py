"""The grammar for decoders and the grammar of the parser are two views of one language."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.extra.lark import from_lark
from lark import Lark, UnexpectedInput

from clodo.blueprint import format_blueprint, parse
from clodo.blueprint.gbnf import gbnf
from clodo.blueprint.syntax import parser


@cache
def by_character() -> Lark:
    """The GBNF as a Lark grammar that knows no tokens, only characters, as a decoder does."""
    rules = []
    for line in gbnf().splitlines():
        name, _, body = line.partition(" ::= ")
        pieces = re.split(r'("(?:[^"\\]|\\.)*"|\[(?:[^\]\\]|\\.)*\])', body)
        for i, piece in enumerate(pieces):
            if piece == '""':
                pieces[i] = ""
            elif piece.startswith("["):
                pieces[i] = f"/{piece.replace('/', chr(92) + '/')}/"
            elif not piece.startswith('"'):
                words = re.sub(r"\b[rt]-[a-z0-9-]+", lambda m: m[0].replace("-", "_"), piece)
                pieces[i] = re.sub(r"\{(\d+),(\d+)\}", r"~\1..\2", words)
        name = "start" if name == "root" else name.replace("-", "_")
        rules.append(f"{name}: {''.join(pieces)}")
    return Lark("\n".join(rules), parser="earley", lexer="dynamic_complete")


def test_it_admits_letters_of_every_language() -> None:
    by_character().parse(format_blueprint(parse('service x "Büro – 日本"\nentity a {\n}\n')))


def test_it_admits_what_people_and_models_write(example: Path) -> None:
    text = format_blueprint(parse(example.read_text("utf-8")))
    by_character().parse(text)


@given(from_lark(by_character()))
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
        by_character().parse(text)
