"""A service with paths and rows to count, random rows of it, and random expressions of every kind over them, all of them sound."""

from __future__ import annotations

import sqlite3
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from clodo.blueprint import parse
from clodo.blueprint.formulas import Kind
from clodo.blueprint.values import (
    Call,
    Expression,
    FieldType,
    IsEmpty,
    IsIn,
    Not,
    Operand,
    Operation,
    Path,
)
from tests.blueprint.oracle import World, written

SOURCE = """service billing

entity country {
  code: text
  rate: decimal
}

entity customer {
  name: text
  since: date
  country: -> country
}

entity invoice {
  number: integer
  title: text
  paid: boolean
  issued: date
  due: datetime
  state: enum(open, sent)
  total: money
  customer: -> customer
}

entity line {
  amount: money
  quantity: integer
  note: text
  at: datetime
  invoice: -> invoice
}
"""
BLUEPRINT = parse(SOURCE)
INVOICE = BLUEPRINT.entities[2]
NOW = datetime(2026, 2, 28, 13, 45, 30, 250_000, tzinfo=UTC)
TARGETS = {("customer", "country"): "country", ("invoice", "customer"): "customer", ("line", "invoice"): "invoice"}

TEXTS = ("", "a", "B", "Zoë", "o'k", '"; --', "\U0001f600", "\ue000", "ÄB", "${x}`", "?1")
_days = st.dates(date(1999, 12, 1), date(2032, 3, 1))
_moments = st.integers(0, 30 * 365 * 1440).map(lambda n: datetime(2000, 1, 1, tzinfo=UTC) + timedelta(minutes=n))
_numbers = st.integers(-20, 20).map(Fraction)
_quarters = st.integers(-200, 200).map(lambda n: Fraction(n, 4))
_texts = st.sampled_from(TEXTS)
_VALUES: dict[FieldType, st.SearchStrategy[Any]] = {
    FieldType.TEXT: _texts,
    FieldType.DECIMAL: _quarters,
    FieldType.MONEY: _quarters,
    FieldType.INTEGER: _numbers,
    FieldType.BOOLEAN: st.booleans(),
    FieldType.DATE: _days,
    FieldType.DATETIME: _moments,
    FieldType.ENUM: st.sampled_from(["open", "sent"]),
}


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A few rows of each entity, some of whose values and references are empty."""
    rows: dict[str, tuple[dict[str, Any], ...]] = {}
    for e, most in zip(BLUEPRINT.entities, (2, 2, 2, 4), strict=True):
        made = []
        for n in range(draw(st.integers(0 if e.name == "line" else 1, most))):
            row: dict[str, Any] = {"id": f"{e.name}{n}", "created_at": NOW, "updated_at": NOW}
            row |= {f.name: draw(st.none() | _VALUES[f.type]) for f in e.fields}
            for r in e.references:
                row[r.name] = draw(st.none() | st.sampled_from([one["id"] for one in rows[r.target]]))
            made.append(row)
        rows[e.name] = tuple(made)
    return World(rows, TARGETS, NOW)


def stored(f: FieldType | None, value: Any) -> Any:
    """A value as the database holds it."""
    if isinstance(value, Fraction):
        return int(value * 100) if f is FieldType.MONEY else int(value) if f is FieldType.INTEGER else float(value)
    return int(value) if isinstance(value, bool) else written(value)


def statements(world: World) -> list[tuple[str, list[Any]]]:
    """What puts the rows of a world into empty tables."""
    out = []
    for e in BLUEPRINT.entities:
        types = {f.name: f.type for f in e.fields}
        references = {r.name for r in e.references}
        for row in world.rows[e.name]:
            columns = ", ".join(f'"{name}_id"' if name in references else f'"{name}"' for name in row)
            out.append((f'INSERT INTO "{e.name}" ({columns}) VALUES ({", ".join("?" * len(row))})', [stored(types.get(n), v) for n, v in row.items()]))
    return out


def filled(db: sqlite3.Connection, world: World) -> None:
    """Puts the rows of a world into the tables, in the place of those of another."""
    for e in reversed(BLUEPRINT.entities):
        db.execute(f'DELETE FROM "{e.name}"')
    for text, values in statements(world):
        db.execute(text, values)


def name(word: str) -> Expression:
    """A word, or a path of words."""
    words = tuple(word.split("."))
    return Operand(word, is_field=True) if len(words) == 1 else Path(words)


#: What there is of each kind: on an invoice, on a line within a function over lines, and on a row that is not there yet.
_OF_INVOICE = {
    Kind.NUMBER: ["number", "total", "customer.country.rate"],
    Kind.TEXT: ["title", "customer.name", "customer.country.code"],
    Kind.BOOLEAN: ["paid"],
    Kind.DATE: ["issued", "customer.since", "today"],
    Kind.DATETIME: ["due", "now"],
}
_OF_LINE = {
    Kind.NUMBER: ["amount", "quantity", "this.number", "invoice.total", "invoice.customer.country.rate"],
    Kind.TEXT: ["note", "this.title", "invoice.customer.name", "this.customer.country.code"],
    Kind.BOOLEAN: ["invoice.paid", "this.paid"],
    Kind.DATE: ["invoice.issued", "this.issued", "this.customer.since"],
    Kind.DATETIME: ["at", "this.due", "now"],
}
_ALONE = {kind: [n for n in names if "." not in n] for kind, names in _OF_INVOICE.items()}
_COUNTED = {Kind.NUMBER: ["amount", "quantity"], Kind.TEXT: ["note"], Kind.DATETIME: ["at"]}
_CONSTANTS: dict[Kind, st.SearchStrategy[Expression]] = {
    Kind.NUMBER: st.integers(-20, 20).map(lambda n: Operand(Decimal(n) / 4)),
    Kind.TEXT: _texts.map(Operand),
    Kind.BOOLEAN: st.booleans().map(Operand),
}
_KINDS = [Kind.NUMBER, Kind.TEXT, Kind.BOOLEAN, Kind.DATE, Kind.DATETIME]


class Maker:
    """Draws sound expressions. ``alone``: of the row's own fields and nothing else."""

    def __init__(self, draw: st.DrawFn, *, alone: bool = False) -> None:
        self.draw, self.alone = draw, alone

    def one(self, kind: Kind, depth: int = 3, *, line: bool = False) -> Expression:
        names = _ALONE if self.alone else _OF_LINE if line else _OF_INVOICE
        leaves = st.sampled_from(names[kind]).map(name)
        ways = [] if depth <= 0 else getattr(self, f"_{kind.name.lower()}_ways")()
        if depth > 0 and not line and not self.alone and kind is not Kind.DATE:
            ways += ["aggregate"] * 2
        way = self.draw(st.sampled_from([*ways, "leaf"]))
        if way == "leaf":
            return self.draw(leaves | _CONSTANTS[kind] if kind in _CONSTANTS else leaves)
        return getattr(self, f"_{way}")(kind, depth - 1, line)  # type: ignore[no-any-return]

    def _number_ways(self) -> list[str]:
        return ["arithmetic", "arithmetic", "between", "of_text", "rounded"]

    def _text_ways(self) -> list[str]:
        return ["joined", "period", "lower"]

    def _boolean_ways(self) -> list[str]:
        return ["compared", "compared", "both", "opposite", "empty", "among", *([] if self.alone else ["same_row"])]

    def _date_ways(self) -> list[str]:
        return ["moved"]

    _datetime_ways = _date_ways

    def _arithmetic(self, kind: Kind, depth: int, line: bool) -> Expression:
        return Operation(self.draw(st.sampled_from(["+", "-", "*", "/"])), self.one(kind, depth, line=line), self.one(kind, depth, line=line))

    def _between(self, kind: Kind, depth: int, line: bool) -> Expression:
        left, right = (self.one(self.draw(st.sampled_from([Kind.DATE, Kind.DATETIME])), depth, line=line) for _ in range(2))
        return Operation("-", left, right)

    def _of_text(self, kind: Kind, depth: int, line: bool) -> Expression:
        return Call("length", self.one(Kind.TEXT, depth, line=line))

    def _rounded(self, kind: Kind, depth: int, line: bool) -> Expression:
        # A half that is none in binary would be rounded to the other side.
        leaf = self.one(kind, 0, line=line)
        return Call(self.draw(st.sampled_from(["round", "abs"])), Operation("*", leaf, self.one(kind, 0, line=line)))

    def _joined(self, kind: Kind, depth: int, line: bool) -> Expression:
        sides = st.sampled_from([Kind.TEXT, Kind.TEXT, Kind.DATE, Kind.DATETIME])
        return Operation("&", self.one(self.draw(sides), depth, line=line), self.one(self.draw(sides), depth, line=line))

    def _period(self, kind: Kind, depth: int, line: bool) -> Expression:
        function = self.draw(st.sampled_from(["hour", "day", "week", "month", "quarter", "year"]))
        of = Kind.DATETIME if function == "hour" else self.draw(st.sampled_from([Kind.DATE, Kind.DATETIME]))
        return Call(function, self.one(of, depth, line=line))

    def _lower(self, kind: Kind, depth: int, line: bool) -> Expression:
        return Call("lower", self.one(kind, depth, line=line))

    def _compared(self, kind: Kind, depth: int, line: bool) -> Expression:
        of = self.draw(st.sampled_from(_KINDS))
        other = self.draw(st.sampled_from([Kind.DATE, Kind.DATETIME])) if of in (Kind.DATE, Kind.DATETIME) else of
        left, right = self.one(of, depth, line=line), self.one(other, depth, line=line)
        return Operation(self.draw(st.sampled_from(["=", "!=", "<", "<=", ">", ">="])), left, Not(right) if left == right and of is Kind.BOOLEAN else right)

    def _both(self, kind: Kind, depth: int, line: bool) -> Expression:
        return Operation(self.draw(st.sampled_from(["and", "or"])), self.one(kind, depth, line=line), self.one(kind, depth, line=line))

    def _opposite(self, kind: Kind, depth: int, line: bool) -> Expression:
        return Not(self.one(kind, depth, line=line))

    def _empty(self, kind: Kind, depth: int, line: bool) -> Expression:
        return IsEmpty(self.one(self.draw(st.sampled_from(_KINDS)), depth, line=line), self.draw(st.booleans()))

    def _among(self, kind: Kind, depth: int, line: bool) -> Expression:
        if self.draw(st.booleans()):
            return IsIn(self.one(Kind.TEXT, depth, line=line), tuple(self.draw(st.lists(_texts, min_size=1, max_size=3))))
        if self.draw(st.booleans()):
            values = tuple(self.draw(st.lists(st.integers(-20, 20).map(lambda n: Decimal(n) / 4), min_size=1, max_size=3)))
            return IsIn(self.one(Kind.NUMBER, depth, line=line), values)
        return IsIn(self.one(Kind.DATE, 0, line=line), ("2026-02-28", "2000-01-01"))

    def _same_row(self, kind: Kind, depth: int, line: bool) -> Expression:
        pairs = [("invoice", "this"), ("invoice.customer", "this.customer")] if line else [("customer.country", "customer.country")]
        left, right = self.draw(st.sampled_from(pairs))
        return IsEmpty(name(left)) if left == right else Operation(self.draw(st.sampled_from(["=", "!="])), name(left), name(right))

    def _moved(self, kind: Kind, depth: int, line: bool) -> Expression:
        function = self.draw(st.sampled_from(["minutes", "hours", "days", "weeks", "months", "years"]))
        whole = function in ("months", "years") or self.draw(st.booleans())
        size: Expression = Operand(Decimal(self.draw(st.integers(-40, 40)))) if whole else Operand(Decimal(self.draw(st.integers(-99, 99))) / 4)
        length = name("quantity" if line else "number") if self.draw(st.booleans()) else size
        return Operation(self.draw(st.sampled_from(["+", "-"])), self.one(kind, depth, line=line), Call(function, length))

    def _aggregate(self, kind: Kind, depth: int, line: bool) -> Expression:
        where = self.one(Kind.BOOLEAN, depth, line=True) if self.draw(st.integers(0, 3)) else None
        if kind is Kind.BOOLEAN or (kind is Kind.NUMBER and self.draw(st.booleans())):
            return Call("exists" if kind is Kind.BOOLEAN else "count", name("line"), where)
        functions = ["sum", "avg", "min", "max"] if kind is Kind.NUMBER else ["min", "max"]
        return Call(self.draw(st.sampled_from(functions)), name(f"line.{self.draw(st.sampled_from(_COUNTED[kind]))}"), where)


@st.composite
def sound(draw: st.DrawFn, *, alone: bool = False) -> Expression:
    """A sound expression on an invoice."""
    return Maker(draw, alone=alone).one(draw(st.sampled_from(_KINDS)))
