"""What a row is filled with where a body leaves out fields whose defaults are worked out, told without a database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from clodo.blueprint.constants import normal
from clodo.blueprint.defaults import in_order, uses_clock
from clodo.blueprint.evaluation import half_away, plain, value_of
from clodo.blueprint.ranges import is_within
from clodo.blueprint.values import Field, FieldType


@dataclass
class Filling:
    """``values`` of the fields that were left out, as the service answers them; ``refused`` are those whose rules the value breaks,
    or which need one and have none."""

    values: dict[str, Any] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)


def filled(fields: Iterable[Field], body: Mapping[str, Any], at: datetime | None = None) -> Filling:
    """The filling of a body at a moment. The values of the body have to be valid.

    Raises:
        Unknowable: the database's own ways have a say in it.
    """
    fields = list(fields)
    moment = at or datetime.now(UTC)
    stamp = f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
    row: dict[str, Any] = {"now": stamp, "today": stamp[:10]}
    row |= {
        f.name: _answered(f, body.get(f.name, _constant(f, stamp)))
        for f in fields
        if f.worked_out is None
    }
    row |= {
        f.name: _answered(f, body[f.name])
        for f in fields
        if f.worked_out is not None and f.name in body
    }
    out = Filling()
    for step in in_order(fields):
        for f in step:
            if f.name in body:
                continue
            assert f.worked_out is not None
            value = _stored(f, value_of(f.worked_out, row))
            row[f.name] = out.values[f.name] = value
            if not _taken(f, value):
                out.refused.add(f.name)
                row[f.name] = None  # as the service takes a value that is none
    return out


def is_filled(f: Field, got: Any, values: Iterable[Any]) -> bool:
    """Whether an answered value is one of those that it may have been filled with; of moments, one in between."""
    found = [*values]
    if f.type.is_number and isinstance(got, int | float):
        return any(
            isinstance(v, int | float) and abs(got - v) <= 1e-9 * max(1, abs(v)) for v in found
        )
    if uses_clock(f) and f.type in (FieldType.DATE, FieldType.DATETIME) and isinstance(got, str):
        known = [v for v in found if isinstance(v, str)]
        return bool(known) and min(known) <= got <= max(known)
    return any(
        got is v if isinstance(got, bool) or isinstance(v, bool) else got == v for v in found
    )


def _constant(f: Field, stamp: str) -> Any:
    if f.default == "now" and f.type.is_temporal:
        return {FieldType.DATE: stamp[:10], FieldType.TIME: stamp[11:19]}.get(f.type, stamp)
    return plain(f.constant_default)


def _answered(f: Field, value: Any) -> Any:
    """A valid value in the form in which the service stores and answers it."""
    made = normal(f.type, value) if isinstance(value, str) else value
    return (
        made.lower()
        if isinstance(made, str) and f.type is FieldType.EMAIL
        else value
        if made is None
        else made
    )


def _stored(f: Field, value: Any) -> Any:
    if isinstance(value, str) and f.type in (FieldType.DATE, FieldType.DATETIME):
        # A date is stored for a moment and the other way round.
        return (
            value[:10]
            if f.type is FieldType.DATE
            else value
            if len(value) > len("2026-01-31")
            else f"{value}T00:00:00.000Z"
        )
    if value is not None and f.type in (FieldType.MONEY, FieldType.INTEGER):
        return half_away(value, 2 if f.type is FieldType.MONEY else 0)
    return _answered(f, value)


def _taken(f: Field, value: Any) -> bool:
    """Whether the field takes the value, as it would from a body."""
    if value is None:
        return not f.required
    if f.type is FieldType.ENUM:
        return value in f.values
    constant = (
        Decimal(repr(value))
        if isinstance(value, int | float) and not isinstance(value, bool)
        else value
    )
    return normal(f.type, constant) is not None and is_within(f, constant)
