"""The blueprint language: text → value → text, and errors that help."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from clodo.blueprint import InvalidBlueprint, check, format_blueprint, parse
from clodo.blueprint.syntax import read
from clodo.blueprint.values import Blueprint
from tests.blueprint.strategies import blueprints


@given(blueprints())
@settings(max_examples=150, deadline=None)
def test_format_then_parse_gives_the_value_back(blueprint: Blueprint) -> None:
    assert read(format_blueprint(blueprint))[0] == blueprint


@given(blueprints())
@settings(max_examples=60, deadline=None)
def test_the_canonical_text_is_a_fixed_point(blueprint: Blueprint) -> None:
    text = format_blueprint(blueprint)
    assert format_blueprint(read(text)[0]) == text


def test_an_empty_block_may_stand_on_one_line() -> None:
    assert parse("service x\n\nusers { }\n\nentity a {}\n") == parse("service x\n\nusers {\n}\n\nentity a {\n}\n")


@given(blueprints())
@settings(max_examples=100, deadline=None)
def test_checks_never_stumble(blueprint: Blueprint) -> None:
    for problem in check(blueprint):
        assert problem.message.endswith((".", "?"))


def test_examples_are_canonical_or_parse(example) -> None:  # type: ignore[no-untyped-def]
    blueprint = parse(example.read_text("utf-8"))
    assert parse(format_blueprint(blueprint)) == blueprint


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("service x\nentity Book {\n}\n", 2, 8, "snake_case: write book"),
        ("service x\nentity a {\n  b: string\n}", 3, 6, "Write text"),
        ("service x\nentity a {\n  b: text requird\n}", 3, 11, "Did you mean required?"),
        ("service x\nentity a {\n", 3, 1, "closing '}'"),
        ("service x\nentity a { b: text\n}\n", 2, 12, "Begin a new line behind '{'"),
        ("service x\nentity a {\n  b: file max 10 GB\n}\n", 3, 18, "'KB', 'MB'"),
        ("service x\nentity a {\n  b: text\n  b: text\n}\n", 4, 3, "twice"),
        ("service x\nentity a {\n  b: text min 1 min 2\n}\n", 3, 17, "twice"),
        ("service x\nentity a {\n  b: -> c\n}\nentity d {\n}\n", 3, 3, "does not exist"),
        ("service x\nentity bok {\n}\nentity a {\n  b: -> book\n}\n", 5, 3, "Did you mean bok?"),
        ("service x\nentity a {\n  b: enum(x, y) default z\n}\n", 3, 3, "one of x, y"),
        ("service x\nentity a {\n  b: integer min 5 max 2\n}\n", 3, 3, "both bounds"),
        ("service x\nentity a {\n  id: text\n}\n", 3, 3, "already"),
        ("service x\nentity a {\n  b: text\n  read user\n}\n", 4, 3, "users { }"),
        ("service x\nentity a {\n  p: -> a required\n}\n", 3, 3, "No row could ever"),
        ("service x\nentity a {\n  name: text\n  unique (nmae, name)\n}\n", 4, 3, "Did you mean name?"),
        ("service x\nentity a {\n  b: text\n  unique (b, z)\n  search zz\n}\n", 4, 3, "no 'z' to be unique"),
        ("service x\nentity a {\n  b: text\n  c: text\n  unique (b, c)\n  unique (c, zz)\n}\n", 6, 3, "no 'zz' to be unique"),
        ("service x\nentity a {\n  b: text\n  search z\n}\n", 4, 3, "no field 'z' to search"),
        ("service x\nentity a {\n  title: text\n  search titel\n}\n", 4, 3, "Did you mean title?"),
        ("service x\nread role editr\nusers {\n  roles editor\n}\nentity a {\n}\n", 2, 1, "Did you mean editor?"),
        ("service x\nwrite role boss\nusers {\n  roles editor\n}\nentity a {\n}\n", 2, 1, "Add 'boss' to the line"),
        ("service x\nread user\nwrite owner\nusers {\n}\nentity a {\n}\n", 3, 1, "whole service"),
        ("service x\nusers {\n}\nentity a {\n  b: text\n  read owner\n  write user\n}\n", 7, 3, "Say 'write owner'"),
        ("service x\nwrite user\nusers {\n}\nentity a {\n  b: text\n  read owner\n}\n", 7, 3, "Say 'write owner'"),
        ("service x\nusers {\n}\nentity a {\n  b: text\n  write user\n  create owner\n}\n", 7, 3, "Nobody owns"),
        ("service x\nusers {\n}\nentity a {\n  b: text\n  write user\n  delete user\n}\n", 7, 3, "may delete it already"),
        ("service x\nusers {\n  roles editor\n}\nentity a {\n  b: text\n  write user\n  delete role editr\n}\n", 8, 3, "Did you mean editor?"),
        ("service x\nentity a {\n  r: -> a required on delete set null\n}\n", 3, 3, "set to null"),
        ("service x\nentity a {\n  b: text pattern \"(\"\n}\n", 3, 3, "pattern"),
        ("service x\nentity a {\n  b: boolean unique\n}\n", 3, 3, "cannot be unique"),
        ("service x\nentity a {\n  b: integer = c + 1\n}\n", 3, 3, "no field"),
        ("service x\nentity a {\n  b: integer\n  search b\n}\n", 4, 3, "cannot be searched"),
        ("service x\n", 1, 9, "needs an entity"),
        ("service x\nentity a {\n  title text\n}\n", 3, 3, "write 'title: text'"),
        ("service x\nentity a {\n  d: date min now\n}\n", 3, 15, "fixed moments"),
        ("service x\nentity a {\n  d: date min 2020-01-01\n}\n", 3, 15, 'write "2020-01-01"'),
        ("service x\nentity a {\n  d: time default 09:30\n}\n", 3, 19, 'write "09:30"'),
        ("service my-shop\nentity a {\n}\n", 1, 9, "write my_shop"),
        ("service x\nentity a {\n  e: enum(in-stock, b)\n}\n", 3, 11, 'or "in-stock" in quotes'),
        ("service x 'Shop'\nentity a {\n}\n", 1, 11, "double quotes"),
        ("service x\nentity a {\n  b: text, required\n}\n", 3, 10, "Leave it out"),
        ("service x\ntype data-servise\n", 2, 6, "a service type"),
        ("# nothing yet\n\n", 1, 1, "Begin with 'service"),
        ("service x \"\\ud800\"\nentity a {\n}\n", 1, 11, "cannot be stored"),
        ("service x\nentity a {\n  n: integer\n  s: integer = " + "n + " * 1500 + "n\n}\n", 4, 16, "1,501 parts"),
    ],
)  # fmt: skip
def test_errors_carry_place_and_mend(text: str, line: int, column: int, words: str) -> None:
    with pytest.raises(InvalidBlueprint) as caught:
        parse(text)
    shown = [p for p in caught.value.problems if words in f"{p.message} {p.suggestion}"]
    assert shown, caught.value.message
    assert (shown[0].line, shown[0].column) == (line, column)


def test_keywords_as_names_work_and_are_pointed_out() -> None:
    text = "service x\nentity order {\n  group: text\n  class: integer\n}\n"
    blueprint = parse(text)
    warnings = [p.message for p in check(blueprint) if p.severity == "warning"]
    assert len(warnings) == 3
    assert all("keyword" in w for w in warnings)


def test_windows_line_ends_and_comments_are_read() -> None:
    text = "# my shop\r\nservice x\r\n\r\nentity a { # things\r\n  b: text\r\n}\r\n"
    assert parse(text).entities[0].fields[0].name == "b"


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert parse("\ufeffservice x\nentity a {\n}\n") == parse("service x\nentity a {\n}\n")


def test_the_canonical_text_keeps_the_letters_of_the_user() -> None:
    text = 'service x "Büro – 日本"\n\nentity a {\n  b: enum("größer", small)\n}\n'
    assert format_blueprint(parse(text)) == text


def test_names_may_begin_like_a_constant() -> None:
    source = "service s\n\nentity smoke {\n  false_alarm: boolean\n  true_height: decimal\n  check true_height > 0 and not false_alarm\n}\n"
    assert format_blueprint(parse(source)) == source
