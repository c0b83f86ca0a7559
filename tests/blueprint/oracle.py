"""What expressions mean, told a second time: over rows in Python, with exact numbers, and with nothing of the product's own reckoning."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from clodo.blueprint.values import Call, Expression, IsEmpty, IsIn, Not, Operand, Operation, Path

Row = Mapping[str, Any]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LENGTHS = {"minutes": Fraction(1, 1440), "hours": Fraction(1, 24), "days": Fraction(1), "weeks": Fraction(7)}


@dataclass(frozen=True)
class World:
    """Rows by entity, each with its ``id``; a reference is the id of another row of the entity that ``targets`` name. Dates and
    moments are those of Python, numbers fractions."""

    rows: Mapping[str, tuple[Row, ...]]
    targets: Mapping[tuple[str, str], str]
    now: datetime

    def row(self, entity: str, id: Any) -> Row | None:
        return next((r for r in self.rows[entity] if r["id"] == id), None)


@dataclass(frozen=True)
class At:
    """Where an expression stands: on a row of an entity; ``this`` is the row that the whole one is of."""

    world: World
    entity: str
    row: Row
    this: tuple[str, Row] | None = None

    @property
    def own(self) -> tuple[str, Row]:
        return self.this or (self.entity, self.row)


def meaning(e: Expression, at: At) -> Any:
    """The value: a fraction, a text, a boolean, a date, a moment, an id, or ``None``."""
    if isinstance(e, Operand):
        return _leaf(e, at)
    if isinstance(e, Path):
        return _path(e, at)
    if isinstance(e, Not):
        inner = meaning(e.inner, at)
        return None if inner is None else not inner
    if isinstance(e, IsEmpty):
        return (meaning(e.inner, at) is None) != e.negated
    if isinstance(e, IsIn):
        found = meaning(e.inner, at)
        return None if found is None else any(found == _like(v, found) for v in e.values)
    if isinstance(e, Call):
        return _call(e, at)
    return _operation(e, at)


def _like(value: Any, other: Any) -> Any:
    """A constant as a value of the kind of another one."""
    if isinstance(value, Decimal):
        return Fraction(value)
    if isinstance(value, str) and isinstance(other, datetime):
        return datetime.fromisoformat(value)
    return date.fromisoformat(value) if isinstance(value, str) and isinstance(other, date) else value


def _leaf(e: Operand, at: At) -> Any:
    if not e.is_field:
        return _like(e.value, None)
    name = str(e.value)
    if name in at.row:
        return at.row[name]
    return {"now": at.world.now, "today": at.world.now.date(), "this": at.own[1]["id"]}[name]


def _path(e: Path, at: At) -> Any:
    first, *rest = e.names
    entity, row = at.own if first == "this" else (at.entity, at.row)
    names = rest if first == "this" else [first, *rest]
    value: Any = None
    for n, name in enumerate(names):
        value = row[name]
        if n < len(names) - 1:
            entity = at.world.targets[entity, name]
            found = at.world.row(entity, value)
            if found is None:
                return None
            row = found
    return value


def _call(e: Call, at: At) -> Any:
    if e.function in ("count", "exists", "sum", "avg", "min", "max"):
        return _aggregate(e, at)
    value = meaning(e.argument, at)
    if value is None:
        return None
    simple: dict[str, Callable[[Any], Any]] = {
        "abs": abs,
        "round": _round,
        "length": lambda text: Fraction(len(text)),
        "lower": lambda text: "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in text),
        "year": lambda t: f"{t.year:04d}",
        "quarter": lambda t: f"{t.year:04d}-Q{(t.month - 1) // 3 + 1}",
        "month": lambda t: f"{t.year:04d}-{t.month:02d}",
        "week": lambda t: (_day(t) - timedelta(days=_day(t).weekday())).isoformat(),
        "day": lambda t: _day(t).isoformat(),
        "hour": lambda t: f"{_day(t).isoformat()}T{t.hour:02d}",
    }
    return simple[e.function](value)


def _round(value: Fraction) -> Fraction:
    whole = int(abs(value) + Fraction(1, 2))
    return Fraction(whole if value >= 0 else -whole)


def _day(value: date) -> date:
    return value.date() if isinstance(value, datetime) else value


def _aggregate(e: Call, at: At) -> Any:
    entity, column = (e.argument.names[0], e.argument.names[1]) if isinstance(e.argument, Path) else (str(e.argument.value), "")  # type: ignore[union-attr]
    inner = [replace(at, entity=entity, row=row, this=at.own) for row in at.world.rows[entity]]
    kept = [i.row for i in inner if e.where is None or meaning(e.where, i) is True]
    if e.function in ("count", "exists"):
        return Fraction(len(kept)) if e.function == "count" else bool(kept)
    values = [row[column] for row in kept if row[column] is not None]
    if e.function == "sum":
        return sum(values, Fraction(0))
    if not values:
        return None
    return sum(values, Fraction(0)) / len(values) if e.function == "avg" else (min if e.function == "min" else max)(values)


def _operation(e: Operation, at: At) -> Any:
    left = meaning(e.left, at)
    if isinstance(e.right, Call) and e.right.function in (*_LENGTHS, "months", "years") and e.operator in "+-":
        count = meaning(e.right.argument, at)
        return None if None in (left, count) else _moved(left, count if e.operator == "+" else -count, e.right.function)
    right = meaning(e.right, at)
    if e.operator in ("and", "or"):
        decisive = e.operator == "or"
        if decisive in (left, right):
            return decisive
        return None if None in (left, right) else not decisive
    if e.operator != "&":  # what is put together stays the text that it is, though it may read like a date
        left, right = _like(left, right), _like(right, left)
    if isinstance(left, datetime) != isinstance(right, datetime) and isinstance(left, date) and isinstance(right, date) and e.operator not in "-&":
        left, right = _day(left), _day(right)
    if e.operator == "!=":
        return left != right
    if left is None or right is None:
        return None
    return _of_two(e.operator, left, right)


def _of_two(operator: str, left: Any, right: Any) -> Any:
    if operator == "/":
        return left / right if right else None
    if operator == "&":
        return _text(left) + _text(right)
    if operator == "-" and isinstance(left, date):
        apart = _moment(left) - _moment(right)
        return Fraction(apart // timedelta(milliseconds=1), 86_400_000)
    return {
        "=": lambda: left == right, "<": lambda: left < right, "<=": lambda: left <= right, ">": lambda: left > right,
        ">=": lambda: left >= right, "+": lambda: left + right, "-": lambda: left - right, "*": lambda: left * right,
    }[operator]()  # fmt: skip


def _moment(value: date) -> datetime:
    return value if isinstance(value, datetime) else datetime(value.year, value.month, value.day, tzinfo=UTC)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(written(value))


def _moved(value: date, count: Fraction, unit: str) -> date:
    """Whole months and years go by the calendar: a day that a month does not have is one of the next month."""
    moment = _moment(value)
    if unit in ("months", "years"):
        whole = int(count)
        months = moment.year * 12 + moment.month - 1 + whole * (12 if unit == "years" else 1)
        moment = moment.replace(year=months // 12, month=months % 12 + 1, day=1) + timedelta(days=moment.day - 1)
        days = (count - whole) * (365 if unit == "years" else 30)
    else:
        days = count * _LENGTHS[unit]
    apart = abs(days) * 86_400_000
    milliseconds = int(apart + Fraction(1, 2))
    moment += timedelta(milliseconds=milliseconds if days >= 0 else -milliseconds)
    return moment if isinstance(value, datetime) else moment.date()


def written(value: Any) -> Any:
    """A value as services answer it."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}Z"
    if isinstance(value, date):
        return value.isoformat()
    return float(value) if isinstance(value, Fraction) else value
