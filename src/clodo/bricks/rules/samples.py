"""Bodies in which conditions hold: what samples and checks need."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from clodo.blueprint.evaluation import Unknowable, moved, plain, value_of
from clodo.blueprint.formulas import DURATIONS, names_in
from clodo.blueprint.samples import sample
from clodo.blueprint.values import (
    Call,
    Entity,
    Expression,
    Field,
    FieldType,
    IsEmpty,
    IsIn,
    Not,
    Operand,
    Operation,
)

#: The comparison that holds where another does not.
OPPOSITE = {"=": "!=", "!=": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_MIRRORED = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_HOUR = 1 / 24
_CLOCK = ("now", "today")


def made_to_hold(e: Entity, condition: Expression, body: dict[str, Any]) -> None:
    """Changes a body until a condition on its own fields holds, as far as that can be found. What callers may not set stays out of it."""
    for part in conjuncts(condition):
        if (summed := _summed(e, part)) is not None:
            if not summed.read_only:
                body[summed.name] = 0
            continue
        try:
            if value_of(part, body) in (True, None) and not isinstance(part, IsEmpty | IsIn):
                continue
        except Unknowable:
            pass
        for name, value in satisfying(e, part, body):
            if (f := e.field(name)) is not None and f.read_only:
                continue
            try:
                if value_of(part, clocked(e, body | {name: value})) is not False:
                    body[name] = value
                    break
            except Unknowable:
                body[name] = value
                break


def _summed(e: Entity, part: Expression) -> Field | None:
    """The number of the row that a sum, or a count, of other rows has to be: of a new row there are none."""
    if isinstance(part, Operation) and part.operator == "=":
        for call, other in ((part.left, part.right), (part.right, part.left)):
            if isinstance(call, Call) and call.function in ("sum", "count") and call.where is not None and "this" in names_in(call.where):
                return own_field(e, other)
    return None


def conjuncts(condition: Expression) -> Iterator[Expression]:
    """What ``and`` joins."""
    if isinstance(condition, Operation) and condition.operator == "and":
        yield from conjuncts(condition.left)
        yield from conjuncts(condition.right)
    else:
        yield condition


def satisfying(e: Entity, part: Expression, body: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Values of single fields that may make one comparison true: the name of a field and its new value."""
    if isinstance(part, Not):
        yield from _not_satisfying(e, part.inner, body)
    if isinstance(part, Operation) and part.operator in ("and", "or"):
        # One side is enough for 'or'; of what 'and' joins, one after the other.
        for side in (part.right, part.left):
            yield from satisfying(e, side, body)
    if isinstance(part, IsEmpty) and (f := own_field(e, part.inner)) is not None:
        if not part.negated or body.get(f.name) is None:
            yield f.name, sample(f) if part.negated else None
    if isinstance(part, IsIn) and (f := own_field(e, part.inner)) is not None:
        yield from ((f.name, plain(value)) for value in part.values)
    if isinstance(part, Operand) and (f := own_field(e, part)) is not None:
        yield f.name, True
    if isinstance(part, Operation) and part.operator in _MIRRORED:
        for f, operator, other in (*_freed(e, _mirrored(part)), *_freed(e, part)):
            yield from _towards(e, f, operator, other, body)


def _not_satisfying(e: Entity, part: Expression, body: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Values of single fields that may make one condition false."""
    if isinstance(part, Not):
        yield from satisfying(e, part.inner, body)
    elif isinstance(part, Operation) and part.operator in ("and", "or"):
        for side in (part.right, part.left):
            yield from _not_satisfying(e, side, body)
    elif isinstance(part, IsEmpty):
        yield from satisfying(e, IsEmpty(part.inner, not part.negated), body)
    elif isinstance(part, Operation) and part.operator in OPPOSITE:
        yield from satisfying(e, Operation(OPPOSITE[part.operator], part.left, part.right), body)  # type: ignore[arg-type]
    elif isinstance(part, IsIn) and (f := own_field(e, part.inner)) is not None:
        yield from ((f.name, value) for value in f.values if value not in part.values)
    elif isinstance(part, Operand) and (f := own_field(e, part)) is not None:
        yield f.name, False


def own_field(e: Entity, part: Expression) -> Field | None:
    """The field of the row that an operand names and callers may set."""
    f = e.field(str(part.value)) if isinstance(part, Operand) and part.is_field else None
    return f if f is not None and f.computed is None else None


def clocked(e: Entity, row: dict[str, Any]) -> dict[str, Any]:
    """A row, and what expressions on it call the time by."""
    now = datetime.now(UTC)
    times = {"now": now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}Z", "today": now.date().isoformat()}
    return {**{word: time for word, time in times.items() if e.field(word) is None}, **row}


def _mirrored(comparison: Operation) -> Operation:
    return Operation(_MIRRORED[comparison.operator], comparison.right, comparison.left)  # type: ignore[arg-type]


def _freed(e: Entity, comparison: Operation) -> Iterator[tuple[Field, str, Expression]]:
    """What a field on the left of a comparison is held against: the right side, without what is added to the field or taken from it.
    ``sent_at + days(3) < now`` is ``sent_at < now - days(3)``, and ``now - sent_at > 3`` is ``sent_at < now - days(3)``."""
    left, operator, other = comparison.left, comparison.operator, comparison.right
    if (f := own_field(e, left)) is not None:
        yield f, operator, other
    if not isinstance(left, Operation) or left.operator not in ("+", "-"):
        return
    if (f := own_field(e, left.left)) is not None:
        of_moments = f.type.is_temporal and not _is_duration(left.right)
        back = replace(left, operator="-" if left.operator == "+" else "+", left=other)
        yield f, operator, replace(left, operator="+", left=left.right, right=Call("days", other)) if of_moments else back
    if (f := own_field(e, left.right)) is not None and left.operator == "-":
        yield f, _MIRRORED[operator], replace(left, right=Call("days", other) if f.type.is_temporal else other)
    elif f is not None:
        yield f, operator, replace(left, operator="-", left=other, right=left.left)


def _is_duration(e: Expression) -> bool:
    return isinstance(e, Call) and e.function in DURATIONS


def _towards(e: Entity, f: Field, operator: str, other: Expression, body: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Values of ``f`` for which ``f operator other`` holds."""
    base = _value(e, f, other, body)
    if base is None:
        if f.type.is_number and operator != "!=":
            yield f.name, _far(f, below=operator[0] == "<")
        return
    # The clock goes on: what is not before this moment is so before long.
    passes = operator == ">=" and f.type is FieldType.DATETIME and not {*_CLOCK}.isdisjoint(names_in(other))
    if operator in ("=", "<=", ">=") and not passes:
        yield f.name, _formed(f, base)
    if operator == "!=":
        yield from ((f.name, value) for value in f.values if value != base)
    for sign in (1, -1):
        if operator == "!=" or (operator[0] == ">") is (sign > 0):
            step = stepped(f, base, sign)
            if step is not None:
                yield f.name, _formed(f, step)


def _formed(f: Field, value: Any) -> Any:
    """A date or a moment in the form of a field."""
    if f.type is FieldType.DATE and isinstance(value, str):
        return value[:10]
    return f"{value}T00:00:00.000Z" if f.type is FieldType.DATETIME and isinstance(value, str) and len(value) == 10 else value


def _far(f: Field, *, below: bool) -> float | int:
    """A number that is likely to lie on that side of one that only the database knows."""
    bound = f.minimum if below else f.maximum
    number = plain(bound.value) if bound is not None else 0 if below else 1_000_000
    return number + (bound.exclusive if below else -bound.exclusive) if bound is not None else number


def _value(e: Entity, f: Field, other: Expression, body: dict[str, Any]) -> Any:
    """What a field is held against; the time where only the database knows it, and the field tells one."""
    row = clocked(e, body)
    try:
        return value_of(other, row)
    except Unknowable:
        return row["today" if f.type is FieldType.DATE else "now"] if f.type in (FieldType.DATE, FieldType.DATETIME) else None


def stepped(f: Field, base: Any, sign: int) -> Any:
    """A value a little above or below, ``None`` where the type knows no such thing."""
    if f.type.is_number and isinstance(base, int | float):
        return base + sign
    if f.type is FieldType.DATE and isinstance(base, str):
        return moved(base[:10], sign)
    if f.type is FieldType.DATETIME and isinstance(base, str):
        return moved(base, sign if len(base) == 10 else sign * _HOUR)
    if f.type is FieldType.BOOLEAN:
        return not base
    if f.type is FieldType.TIME and isinstance(base, str):
        hour = int(base[:2]) + sign
        return f"{hour:02d}{base[2:]}" if 0 <= hour < 24 else None
    return None


def ranged(start: str, end: str, body: dict[str, Any]) -> None:
    """Makes a range that is short, so that those of other numbers lie beside it."""
    first = body.get(start)
    if isinstance(first, str) and len(first) > len("09:00:00"):
        body[end] = moved(first, 1 if len(first) == len("2026-01-01") else _HOUR)
    elif isinstance(first, str):
        body[end] = f"{first[:3]}{(int(first[3:5]) + 1) % 60:02d}{first[5:]}"
    elif first is not None:
        body[end] = first + 1
