"""Values that a field must refuse, and values at the edge that it must take."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from clodo.blueprint.samples import sample
from clodo.blueprint.values import Bound, Field, FieldType

_WRONG: dict[FieldType, tuple[Any, ...]] = {
    FieldType.TEXT: (5, True, ["a"], {"a": 1}, "nul\u0000l"),
    FieldType.LONG_TEXT: (5, True, ["a"], {"a": 1}),
    FieldType.INTEGER: ("1", 1.5, True, [1], 2**60),
    FieldType.DECIMAL: ("1.5", True, [1]),
    FieldType.MONEY: ("1.5", True, [1], 1.005, 5e-324),
    FieldType.BOOLEAN: ("true", 1, 0),
    FieldType.DATE: (20260101, "2026-02-30", "01/02/2026", "2026-1-1"),
    FieldType.DATETIME: (1700000000, "2026-01-01", "2026-13-01T00:00:00Z", "2026-01-01T25:00:00Z"),
    FieldType.TIME: (930, "25:00", "9:30", "09:60"),
    FieldType.EMAIL: (5, "nobody", "a@b", "a b@example.com"),
    FieldType.URL: (5, "example.com", "javascript:alert(1)", "ftp://example.com"),
    FieldType.UUID: (5, "1234", "not-a-uuid"),
    FieldType.ENUM: (5, "no such value", True),
    FieldType.LIST: ("a", [1], {"a": 1}),
}


def wrong_type(f: Field) -> tuple[Any, ...]:
    """Values that are not of the type of the field."""
    return _WRONG.get(f.type, ())


def right(f: Field) -> Iterator[Any]:
    """Values that the field must take and give back as they are; the awkward ones of each type."""
    if f.type is FieldType.ENUM:
        yield from f.values
    elif f.type is FieldType.BOOLEAN:
        yield from (True, False)
    elif f.type is FieldType.MONEY:
        # Times a hundred, these are not whole in binary.
        yield from (float(v) for v in map(Decimal, ("0.29", "1.15", "4.35", "64.1")) if _holds(f, v))
    elif f.type is FieldType.DATETIME and f.minimum is None and f.maximum is None:
        yield from ("2026-03-01T12:00:00+05:30", "2024-02-29T23:59:59.5Z")


def beyond(f: Field) -> Iterator[tuple[str, Any]]:
    """Bound in words, and a value just beyond it."""
    for name, bound, side in (("minimum", f.minimum, -1), ("maximum", f.maximum, 1)):
        if bound is None:
            continue
        if f.type.is_number and isinstance(bound.value, Decimal):
            yield name, _plain(bound.value if bound.exclusive else bound.value + side * _step(f), f)
        elif f.type.is_temporal:
            value = _moved(f, str(bound.value), 0 if bound.exclusive else side)
            if value is not None:
                yield name, value
        elif f.type.is_textual:
            size = int(Decimal(bound.value)) + side
            if size >= 0:
                yield f"{name} length", _sized(f, size)


def edges(f: Field) -> Iterator[tuple[str, Any]]:
    """Bound in words, and a value exactly at (inclusive) or next to (exclusive) it."""
    for name, bound, side in (("minimum", f.minimum, -1), ("maximum", f.maximum, 1)):
        if bound is None:
            continue
        if f.type.is_number and isinstance(bound.value, Decimal):
            inside = bound.value - side * _step(f) if bound.exclusive else bound.value
            if _holds(f, inside):
                yield name, _plain(inside, f)
        elif f.type.is_temporal:
            value = _moved(f, str(bound.value), -side if bound.exclusive else 0)
            if value is not None:
                yield name, value
        elif f.type.is_textual and f.pattern is None and f.type not in (FieldType.EMAIL, FieldType.URL):
            size = int(Decimal(bound.value))
            if size > 0 or not f.required:
                yield f"{name} length", _sized(f, size)


def _holds(f: Field, value: Decimal) -> bool:
    def beyond_low(b: Bound | None) -> bool:
        return b is not None and isinstance(b.value, Decimal) and value < b.value

    def beyond_high(b: Bound | None) -> bool:
        return b is not None and isinstance(b.value, Decimal) and value > b.value

    return not beyond_low(f.minimum) and not beyond_high(f.maximum)


def _step(f: Field) -> Decimal:
    return Decimal(1) if f.type is FieldType.INTEGER else Decimal("0.01")


def _plain(value: Decimal, f: Field) -> float | int:
    if f.type is FieldType.INTEGER or value == value.to_integral_value():
        return int(value)
    return float(value)


def _moved(f: Field, text: str, days: int) -> str | None:
    from datetime import datetime, timedelta

    if days == 0:
        return text
    if f.type is FieldType.TIME:
        moved = datetime.fromisoformat(f"2026-06-15T{text}") + timedelta(minutes=days)
        return moved.time().isoformat() if moved.day == 15 else None
    moved = datetime.fromisoformat(text.replace("Z", "+00:00")) + timedelta(days=days)
    if f.type is FieldType.DATE:
        return moved.date().isoformat()
    return moved.strftime("%Y-%m-%dT%H:%M:%SZ")


def _sized(f: Field, size: int) -> Any:
    if f.type is FieldType.LIST:
        return ["x"] * size
    if f.type is FieldType.EMAIL:
        return ("a" * max(size - 12, 0) + "@example.com")[-size:] if size else ""
    if f.type is FieldType.URL:
        return ("https://example.com/" + "a" * size)[:size]
    base = str(sample(f)) if f.pattern is not None else "x"
    return (base * (size // max(1, len(base)) + 1))[:size]
