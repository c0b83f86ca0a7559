"""Defaults that are worked out: what may stand there, and what a row is filled with."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from clodo.blueprint import InvalidBlueprint, check, parse
from clodo.blueprint.filling import filled
from clodo.blueprint.text import format_blueprint
from clodo.blueprint.values import Call, Field, Operand, Operation
from clodo.emit.schemas import body_schema

SHOP = """service shop

entity maker {
  name: text required
}

entity item {
  name: text required max 60
  price: money required min 0
  quantity: integer required default 1 min 1 max 1000
  note: text
  starts: datetime
  size: enum(small, big)
  code: text read-only
  secret: text write-only
  mail: email
  tags: list
  twice: money = price * 2
  maker: -> maker
  LINE
}
"""


def with_line(line: str) -> str:
    return SHOP.replace("LINE", line)


def default_of(line: str) -> Field:
    f = parse(with_line(line)).entities[1].field(line.split(":")[0])
    assert f is not None
    return f


@pytest.mark.parametrize(
    "line",
    [
        "due: date default today + days(14)",
        "due: date required default today + days(14)",
        "due: datetime default now",
        "due: datetime default today",
        "due: date default starts",
        "due: datetime default starts - hours(2)",
        "total: money default price * quantity",
        "total: decimal required default price * quantity / 2",
        "days: integer default today - starts",
        'label: text default name & " x" max 80',
        "label: text default lower(name)",
        "label: text default month(now)",
        "big: boolean default (price > 100 and note is empty)",
        "copy: email default mail",
        "copy: enum(small, big, huge) default size",
        "agreed: money read-only default price",
        "word: text default name",
    ],
)
def test_sound_defaults_are_taken_and_printed_as_they_are(line: str) -> None:
    blueprint = parse(with_line(line))
    assert parse(format_blueprint(blueprint)) == blueprint
    assert not [p for p in check(blueprint) if p.severity == "error"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("due: date default price", "'due' is a date, and the value is a number"),
        ("total: money default name", "'total' is a number, and the value is a text"),
        ("total: money default prize * 2", "item has no field 'prize'. Did you mean price?"),
        ("label: text default unknown", 'Write default "unknown" for the text itself.'),
        ("size2: enum(small, big) default huge", "The default 'huge' of 'size2' is not one of its values."),
        ("size2: enum(small) default size", "takes small only"),
        ("total: money default maker.name", "knows its own row only"),
        ("total: integer default count(item)", "knows its own row only"),
        ("total: boolean default (maker is empty)", "which names another row"),
        ("total: money default twice", "which is computed"),
        ("label: text default code", "which no body gives"),
        ("label: text default secret", "which is write-only"),
        ("label: list default tags", "cannot have a default"),
        ("due: datetime default created_at", "'now' is the same moment"),
        ("label: text default owner", "which a default does not know"),
        ("label: text default empty", "which a default does not know"),
        ("total: money default total + 1", "of itself"),
        ('label: text default name pattern "^a"', "may not match it"),
        ('copy: email default name & "@example.com"', "constant or the email of another field"),
        ("total: money required read-only default price / quantity", "divides by what may be zero"),
        ("label: text read-only required default note", "'note' may be empty"),
        ("total: money default counts(price)", "There is no function 'counts'"),
        ("total: money default price + 1 hashed", "a default of it would be known"),
        ("total: money default sum(price where price > 1)", "knows its own row only"),
    ],
)
def test_what_makes_no_sense_is_told(line: str, words: str) -> None:
    with pytest.raises(InvalidBlueprint) as caught:
        parse(with_line(line))
    assert words in caught.value.message


def test_defaults_that_go_round_in_a_circle_are_told() -> None:
    with pytest.raises(InvalidBlueprint, match="of itself, in the end"):
        parse(with_line("a: integer default b + 1\n  b: integer default c\n  c: integer default a"))


def test_a_comparison_stands_in_brackets() -> None:
    with pytest.raises(InvalidBlueprint):
        parse(with_line("big: boolean default price > 100"))


def test_a_required_field_that_may_find_nothing_is_warned_of() -> None:
    blueprint = parse(with_line("label: text required default note"))
    assert [p.severity for p in check(blueprint) if "'note' may be empty" in p.message] == ["warning"]
    assert not check(parse(with_line("label: text required default name")))


def test_states_begin_with_one_value() -> None:
    with pytest.raises(InvalidBlueprint, match="one and the same"):
        parse(with_line("state: enum(small, big) default size\n  transitions state: small -> big"))


def test_constants_stay_constants() -> None:
    assert default_of("due: datetime default now").default == "now"
    assert default_of("n: integer default -5").default == Decimal(-5)
    assert default_of("n: integer default (5)").default == Decimal(5)
    assert default_of("on: boolean default true").default is True
    assert default_of('label: text default "name"').default == "name"
    assert default_of("s: enum(small, note) default note").default == "note"
    assert default_of("due: date default today").worked_out == Operand("today", is_field=True)
    days = Call("days", Operand(Decimal(14)))
    assert default_of("due: date default today + days(14)").default == Operation("+", Operand("today", is_field=True), days)


def test_the_document_has_no_false_literal() -> None:
    entity = parse(with_line("due: date default today + days(14)\n  at: datetime default now\n  n: integer default 3")).entities[1]
    body = body_schema(entity, change=False)["properties"]
    assert "default" not in body["due"] and body["due"]["description"] == "Filled in where it is left out: today + days(14)."
    assert body["at"]["description"] == "Filled in where it is left out: now." and body["n"]["default"] == 3
    assert "description" not in body_schema(entity, change=True)["properties"]["due"]


def test_a_row_is_filled_step_by_step() -> None:
    lines = "total: money max 50 default price * quantity\n  label: text default name & due\n  due: date default today + months(1)"
    fields = parse(with_line(lines)).entities[1].fields
    at = datetime(2026, 1, 31, 12, tzinfo=UTC)
    filling = filled(fields, {"name": "a ", "price": 2.5}, at)
    assert filling.values == {"total": 2.5, "due": "2026-03-03", "label": "a 2026-03-03"} and not filling.refused
    assert filled(fields, {"name": "a", "price": 30, "quantity": 2}, at).refused == {"total"}
    assert "due" not in filled(fields, {"name": "a", "price": 30, "due": "2027-01-01"}, at).values
