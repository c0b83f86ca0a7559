"""Values that a field accepts, for examples and tests; the same for the same number."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable
from decimal import Decimal
from functools import cache
from typing import Any

from clodo.blueprint.values import Field, FieldType

_FIXED: dict[FieldType, Any] = {
    FieldType.BOOLEAN: True,
    FieldType.JSON: {"any": "json"},
}


def sample_body(fields: Iterable[Field], number: int = 0) -> dict[str, Any]:
    """A body with a value for every field that callers may set."""
    return {
        f.name: sample(f, number) for f in fields if not f.read_only and f.computed is None
    }


def sample(f: Field, number: int = 0) -> Any:
    """A value that the field accepts; different numbers give different values where there is room."""
    if f.type in _FIXED:
        return _FIXED[f.type]
    if f.type is FieldType.ENUM:
        return f.values[number % len(f.values)]
    if f.type.is_number:
        return _number(f, number)
    if f.type.is_temporal:
        return _moment(f, number)
    if f.type is FieldType.UUID:
        return f"01890000-0000-7000-8000-{number:012x}"
    return _text(f, number)


def _number(f: Field, number: int) -> float | int:
    step = Decimal(1) if f.type is FieldType.INTEGER else Decimal("0.5")
    low = f.minimum.value if f.minimum and isinstance(f.minimum.value, Decimal) else None
    high = f.maximum.value if f.maximum and isinstance(f.maximum.value, Decimal) else None
    value = Decimal(5 + number)
    if low is not None and (high is None or low <= high):
        value = low + step * ((1 if f.minimum and f.minimum.exclusive else 0) + number)
    if high is not None:
        top = high - (step if f.maximum and f.maximum.exclusive else 0)
        value = min(value, top)
        if low is not None and value < low:
            value = (low + high) / 2
    if f.type is FieldType.INTEGER:
        return int(value)
    return float(value) if value != value.to_integral_value() else int(value)


def _moment(f: Field, number: int) -> str:
    low = str(f.minimum.value) if f.minimum else ""
    high = str(f.maximum.value) if f.maximum else ""
    if f.type is FieldType.TIME:
        return (low or high or f"{8 + number % 12:02d}:30:00") if low or high else f"{8 + number % 12:02d}:30:00"
    day = (low or high)[:10] or f"2026-{1 + number % 12:02d}-{1 + number % 28:02d}"
    if f.type is FieldType.DATE:
        return day
    return low or high or f"{day}T09:{number % 60:02d}:00.000Z"


@cache
def _matching(pattern: str, number: int, low: int, high: int) -> str:
    """A text that a pattern accepts, of a length within the bounds where one is soon found."""
    import rstr

    maker = rstr.Rstr(random.Random(number))
    first = maker.xeger(pattern)
    tries = itertools.chain([first], (maker.xeger(pattern) for _ in range(49)))
    fitting = (t for t in tries if max(low, 1) <= len(t) <= high and t.isprintable())
    return str(next(fitting, first))


def _text(f: Field, number: int) -> Any:
    low = int(Decimal(f.minimum.value)) if f.minimum else 0
    high = int(Decimal(f.maximum.value)) if f.maximum else 200
    if f.type is FieldType.LIST:
        return [f"item {i + 1}" for i in range(min(max(low, 1), high))]
    if f.type is FieldType.EMAIL:
        return f"someone{number}@example.com"
    if f.type is FieldType.URL:
        return f"https://example.com/{number}"
    if f.pattern is not None:
        return _matching(f.pattern, number, low, high)
    text = f"{f.name.replace('_', ' ')} {number + 1}"
    if len(text) > high:
        text = (f"{number:x}" + text)[:high]
    return text.ljust(low, "x")
