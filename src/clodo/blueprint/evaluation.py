"""The value of an expression for a row that is at hand, worked out without a database.

Nulls spread as they do in SQL: a comparison with nothing is neither true nor false.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from clodo.blueprint.constants import utc
from clodo.blueprint.values import Call, Expression, IsEmpty, IsIn, Not, Operand, Operation

_MINUTES = re.compile(r"\d\d:\d\d", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")
_MONTHS = {"months": 1, "years": 12}
#: Beyond this every number is a whole one.
_EXACT = 2.0**52
_DAYS = {"minutes": 1 / 1440, "hours": 1 / 24, "days": 1, "weeks": 7}


class Unknowable(Exception):
    """The row alone does not tell the value."""


def value_of(e: Expression, row: Mapping[str, Any]) -> Any:
    """The value: a number, a text, a boolean or ``None``. Names are the keys of the row.

    Raises:
        Unknowable: other rows, the clock or the database's own ways have a say in it.
    """
    if isinstance(e, Operand):
        return _operand(e, row)
    if isinstance(e, Not):
        inner = value_of(e.inner, row)
        return None if inner is None else not inner
    if isinstance(e, IsEmpty):
        return (value_of(e.inner, row) is None) is not e.negated
    if isinstance(e, IsIn):
        found = value_of(e.inner, row)
        return None if found is None else any(_of_two("=", *_in_one_form(found, plain(v))) for v in e.values)
    if isinstance(e, Operation):
        return _operation(e, row)
    if isinstance(e, Call) and e.where is None and e.function in _FUNCTIONS:
        found = value_of(e.argument, row)
        return None if found is None else _FUNCTIONS[e.function](found)
    raise Unknowable("it reaches beyond the row")


def half_away(value: float, places: int = 0) -> float | int:
    """A number of so many decimals; a half goes away from zero, also where the dust of binary fractions makes it less than one."""
    scaled = round(abs(value) * 10**places, 7)
    whole = math.floor(scaled + 0.5) if scaled < _EXACT else int(scaled)
    made = math.copysign(whole, value) / 10**places
    return int(made) if made == int(made) else made


def _period(name: str) -> Callable[[str], str]:
    """How a date or moment is cut to a period; a week is named by its Monday."""

    def cut(moment: str) -> str:
        day = date.fromisoformat(moment[:10])
        if name == "week":
            return (day - timedelta(days=day.weekday())).isoformat()
        return (
            f"{moment[:4]}-Q{(day.month + 2) // 3}" if name == "quarter" else moment[: _SIGNS[name]]
        )

    return cut


#: How many signs of a moment name its period.
_SIGNS = {"hour": 13, "day": 10, "month": 7, "year": 4}
_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "round": half_away,
    "abs": abs,
    "length": len,
    "lower": lambda text: "".join(c.lower() if c.isascii() else c for c in text),
    **{name: _period(name) for name in (*_SIGNS, "week", "quarter")},
}


def plain(value: Any) -> Any:
    """A constant as JSON has it."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def _operand(e: Operand, row: Mapping[str, Any]) -> Any:
    if not e.is_field:
        return plain(e.value)
    name = str(e.value)
    for key in (name, f"{name}_id"):
        if key in row:
            return row[key]
    if name in ("now", "today", "caller", "owner", "this"):
        raise Unknowable(f"{name!r} is not in the row")
    return None


def _operation(e: Operation, row: Mapping[str, Any]) -> Any:
    if e.operator in ("and", "or"):
        return _joined(e.operator, value_of(e.left, row), value_of(e.right, row))
    left = value_of(e.left, row)
    if isinstance(e.right, Call) and e.right.function in (*_MONTHS, *_DAYS) and e.operator in ("+", "-"):
        return _moved(left, e.right, 1 if e.operator == "+" else -1, row)
    right = value_of(e.right, row)
    if e.operator in _COMPARISONS:
        left, right = _in_one_form(left, right)
    if e.operator == "!=":
        return left != right
    if left is None or right is None:
        return None
    return _of_two(e.operator, left, right)


def _joined(operator: str, left: bool | None, right: bool | None) -> bool | None:
    """Whatever the unknown side is, one side may decide."""
    decisive = operator == "or"
    if left is decisive or right is decisive:
        return decisive
    return None if left is None or right is None else not decisive


def _in_one_form(left: Any, right: Any) -> tuple[Any, Any]:
    """Two values as they can be compared: a moment in UTC, of a moment and a date the days, a time of day with its seconds."""
    if isinstance(left, str) and isinstance(right, str):
        a, c = (utc(v) or (f"{v}:00" if _MINUTES.fullmatch(v) else v) for v in (left, right))
        if {_DATE.fullmatch(a) is None, _DATE.fullmatch(c) is None} == {True, False} and utc(a if len(a) > len(c) else c):
            return a[:10], c[:10]
        return (a, c) if (a, c) != (left, right) and len(a) == len(c) else (left, right)
    return left, right


def _of_two(operator: str, left: Any, right: Any) -> Any:
    if operator == "&":
        if not (isinstance(left, str) and isinstance(right, str)):
            raise Unknowable("how the database writes a number is its own matter")
        return left + right
    if isinstance(left, str) != isinstance(right, str):
        raise Unknowable("texts are no numbers")
    if operator in ("=", "<", "<=", ">", ">="):
        if isinstance(left, float) or isinstance(right, float):
            left, right = round(left, 9), round(right, 9)
        return {
            "=": left == right, "<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right,
        }[operator]  # fmt: skip
    if isinstance(left, str):
        return round((_moment(left) - _moment(right)) / timedelta(days=1), 8)
    if operator == "/":
        return left / right if right else None
    return {"+": left + right, "-": left - right, "*": left * right}[operator]


def _moved(moment: Any, length: Call, sign: int, row: Mapping[str, Any]) -> Any:
    count = value_of(length.argument, row)
    if moment is None or count is None:
        return None
    if not isinstance(moment, str):
        raise Unknowable("what is moved is no moment")
    try:
        if length.function in _MONTHS:
            return _months_later(moment, sign * count, _MONTHS[length.function])
        return moved(moment, sign * count * _DAYS[length.function])
    except (ValueError, OverflowError):
        return None  # beyond what calendars hold


def _months_later(moment: str, count: float, size: int) -> str:
    """So many times ``size`` months later; days that a month does not have are those of the next one, as in SQLite. What is no
    whole number counts 30 days for a month and 365 for a year."""
    whole = int(count)
    year, month = divmod(int(moment[:4]) * 12 + int(moment[5:7]) - 1 + whole * size, 12)
    first = date(year, month + 1, 1).isoformat()
    days = int(moment[8:10]) - 1 + (count - whole) * {1: 30, 12: 365}[size]
    return moved(first + moment[10:], days)


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found.replace(tzinfo=found.tzinfo or UTC)


def moved(moment: str, days: float) -> str:
    """A date or a moment so many days later, in its own form."""
    if len(moment) == len("2026-01-01"):
        return (date.fromisoformat(moment) + timedelta(days=days)).isoformat()
    then = datetime.fromisoformat(moment).astimezone(UTC) + timedelta(days=days)
    return f"{then:%Y-%m-%dT%H:%M:%S}".rjust(19, "0") + f".{then.microsecond // 1000:03d}Z"
