"""Expressions: their types, and that the database gives what they mean."""

from __future__ import annotations

import sqlite3
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clodo.blueprint import InvalidBlueprint, parse
from clodo.blueprint.evaluation import Unknowable, value_of
from clodo.blueprint.formulas import Kind, Scope, type_of
from clodo.blueprint.values import Expression, IsEmpty, IsIn, Not, Operand, Operation, Operator
from clodo.emit.expressions import Place, sql

SHELF = """service shelf

users {
  town: text
  secret: text write-only
}

entity book {
  title: text required
  state: enum(new, old)
  copies: integer
  price: money
  seen: boolean
  bought_on: date
  made_at: datetime
  opens: time
  tags: list
  hidden: text write-only
  writer: -> user
  write owner
}

entity loan {
  days_out: integer
  fee: money
  back_at: datetime
  book: -> book
}
"""
BLUEPRINT = parse(SHELF)
BOOK, LOAN = BLUEPRINT.entities


def computed(type_: str, text: str) -> Any:
    return parse(SHELF.replace("  write owner\n", f"  answer: {type_} = {text}\n  write owner\n"))


@pytest.mark.parametrize(
    ("type_", "text"),
    [
        ("money", "price * copies"),
        ("text", 'title & " " & state'),
        ("boolean", 'seen and not state = "old" or copies in (1, 2)'),
        ("boolean", "bought_on + days(14) < today"),
        ("boolean", "made_at < bought_on"),
        ("decimal", "today - bought_on"),
        ("date", "bought_on + weeks(2)"),
        ("datetime", "made_at - minutes(5)"),
        ("integer", "count(loan where book = this and back_at is empty)"),
        ("money", "sum(loan.fee where book = this)"),
        ("decimal", "avg(loan.days_out where book = this and days_out > 0)"),
        ("boolean", "exists(loan where book = this and days_out > this.copies)"),
        ("datetime", "max(loan.back_at where book = this)"),
        ("text", "writer.town"),
        ("text", "owner.email"),
        ("text", "month(made_at)"),
        ("integer", "length(title)"),
    ],
)
def test_sound_expressions_are_taken(type_: str, text: str) -> None:
    answer = computed(type_, text).entities[0].field("answer")
    assert answer is not None and answer.computed is not None


@pytest.mark.parametrize(
    ("type_", "text", "words"),
    [
        ("integer", "title", "gives a text"),
        ("integer", "title + 1", "cannot take a text and a number"),
        ("text", "tags & title", "is no text"),
        ("boolean", "copies and seen", "join conditions"),
        ("boolean", 'state = "odd"', "'odd' is none of new, old. Did you mean old?"),
        ("boolean", 'bought_on < "soon"', "'soon' is no date"),
        ("boolean", "title > copies", "One side is a text"),
        ("boolean", "writer = this", "A book is no user"),
        ("text", "hidden", "write-only"),
        ("text", "writer.secret", "Users have no 'secret'"),
        ("text", "title.length", "has no 'length'"),
        ("integer", "counts(loan)", "Did you mean count?"),
        ("integer", "count(loan.fee)", "takes an entity and no field"),
        ("money", "sum(loan)", "wants a field"),
        ("money", "sum(loan.back_at)", "cannot take a moment"),
        ("date", "bought_on + copies", "cannot take a date and a number"),
        ("text", "caller.email", "There is no caller here"),
        ("json", "title", "cannot be computed"),
        ("boolean", "seen = seen", "Both sides are the same"),
    ],
)
def test_what_makes_no_sense_is_told(type_: str, text: str, words: str) -> None:
    with pytest.raises(InvalidBlueprint) as caught:
        computed(type_, text)
    assert words in caught.value.message


def test_a_word_that_breaks_out_of_its_text_stays_a_text() -> None:
    made = sql(Operation("=", Operand("title", is_field=True), Operand("'; DROP TABLE book; --")), Place(Scope(BLUEPRINT, BOOK)))
    assert made == "(\"title\" = '''; DROP TABLE book; --')"


NUMBERS = st.integers(-50, 50)
numbers: st.SearchStrategy[Expression] = st.recursive(
    st.one_of(NUMBERS.map(lambda n: Operand(Decimal(n))), st.just(Operand("copies", is_field=True))),
    lambda inner: st.builds(Operation, st.sampled_from(["+", "-", "*", "/"]), inner, inner),
    max_leaves=6,
)
texts = st.one_of(st.sampled_from(["", "a", "B", "o'k", "Ü"]).map(Operand), st.just(Operand("title", is_field=True)))
COMPARISONS: list[Operator] = ["=", "!=", "<", "<=", ">", ">="]
conditions: st.SearchStrategy[Expression] = st.recursive(
    st.one_of(
        st.builds(Operation, st.sampled_from(COMPARISONS), numbers, numbers),
        st.builds(Operation, st.sampled_from(COMPARISONS), texts, texts),
        st.builds(IsEmpty, st.sampled_from([Operand("copies", is_field=True), Operand("title", is_field=True)]), st.booleans()),
        st.builds(IsIn, numbers, st.lists(NUMBERS.map(Decimal), min_size=1, max_size=3).map(tuple)),
        st.just(Operand("seen", is_field=True)),
    ),
    lambda inner: st.one_of(st.builds(Not, inner), st.builds(Operation, st.sampled_from(["and", "or"]), inner, inner)),
    max_leaves=5,
)
rows = st.fixed_dictionaries(
    {"copies": st.none() | NUMBERS, "title": st.none() | st.sampled_from(["", "a", "b", "o'k"]), "seen": st.none() | st.booleans()}
)


def in_database(e: Expression, row: dict[str, Any]) -> Any:
    with sqlite3.connect(":memory:") as database:
        database.execute('CREATE TABLE "book" ("copies" INTEGER, "title" TEXT, "seen" INTEGER)')
        database.execute('INSERT INTO "book" VALUES (?, ?, ?)', (row["copies"], row["title"], row["seen"]))
        return database.execute(f'SELECT {sql(e, Place(Scope(BLUEPRINT, BOOK)))} FROM "book"').fetchone()[0]


@settings(max_examples=300, deadline=None)
@given(e=st.one_of(numbers, conditions), row=rows)
def test_the_database_gives_what_the_expression_means(e: Expression, row: dict[str, Any]) -> None:
    problems: list[str] = []
    kind = type_of(e, Scope(BLUEPRINT, BOOK), problems).kind
    assert kind in (Kind.NUMBER, Kind.BOOLEAN)
    try:
        wanted = value_of(e, row)
    except Unknowable:
        return
    got = in_database(e, row)
    if wanted is None or got is None:
        assert got is None and wanted is None
    elif kind is Kind.BOOLEAN:
        assert bool(got) is bool(wanted)
    else:
        assert got == pytest.approx(wanted)
