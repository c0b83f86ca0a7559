"""What can be wrong with a computed field."""

from __future__ import annotations

from collections.abc import Iterator

from clodo.blueprint.formulas import Kind, Scope, type_of, type_of_member
from clodo.blueprint.problems import Problem
from clodo.blueprint.reads import OWN, Read, reads
from clodo.blueprint.values import Blueprint, Entity, Field, FieldType

_POSSIBLE = (FieldType.TEXT, FieldType.LONG_TEXT, FieldType.BOOLEAN, FieldType.DATE, FieldType.DATETIME)


def computed_problems(b: Blueprint, e: Entity, f: Field) -> Iterator[Problem]:
    """The problems of the computed field ``f`` of ``e``."""
    path = f"{e.name}.{f.name}"
    assert f.computed is not None
    if f.required or f.unique or f.default is not None or f.minimum or f.maximum or f.pattern:
        yield Problem(f"{f.name!r} is computed, so it takes no other rules.", "Remove them.", path)
    if not (f.type.is_number or f.type in _POSSIBLE):
        yield Problem(f"A {f.type} cannot be computed.", "Use a number, a text, a boolean, a date or a datetime.", path)
        return
    read = [r for r in reads(f.computed, Scope(b, e)) if isinstance(r, Read) and r.is_computed]
    for r in read:
        if (r.entity.name, r.name) == (e.name, f.name):
            yield Problem(f"{f.name!r} is computed from itself, in the end.", "Take it out of what it is computed from.", path)
            return
    for r in read:
        if r.whose == OWN:
            yield Problem(f"{f.name!r} is computed from {r.name!r}, which is computed itself.", "Write the whole expression out.", path)
            return
    found: list[str] = []
    kind, wanted = type_of(f.computed, Scope(b, e), found).kind, type_of_member(f).kind
    for message in found:
        yield Problem(f"In {f.name!r}: {message}", "Mend the expression.", path)
    if not found and kind not in (wanted, Kind.UNKNOWN):
        yield Problem(f"The expression of {f.name!r} gives a {kind}, and a {f.type} is a {wanted}.", "Change the type or the expression.", path)
