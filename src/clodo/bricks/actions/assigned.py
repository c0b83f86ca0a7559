"""The fields that actions and schedules fill with values that the database works out: what a body is checked for, the table itself has
to see to there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from clodo.blueprint.values import Blueprint, Entity, Field, Operand, Reference
from clodo.bricks.actions.values import (
    Action,
    Assignment,
    CreateRow,
    DeleteRows,
    SetValues,
    UpdateRows,
    target_field,
)


def assigned_by(b: Blueprint, e: Entity, action: Action) -> Iterator[tuple[str, str]]:
    """The fields that an action on rows of ``e`` fills, each with its entity."""
    for effect in action.effects:
        if isinstance(effect, SetValues):
            yield from assigned_in(b, e, effect.assignments, action.references)
        elif isinstance(effect, CreateRow | UpdateRows) and (other := b.entity(effect.entity)) is not None:
            yield from assigned_in(b, other, effect.assignments, ())


def assigned_in(b: Blueprint, e: Entity, assignments: tuple[Assignment, ...], named: Sequence[Reference]) -> Iterator[tuple[str, str]]:
    """The fields that assignments fill whose targets are seen from ``e``; ``named`` are the parameters that
    name rows. Constants are looked at when the blueprint is read."""
    for a in assignments:
        found = target_field(b, e, a.target, named)
        constant = isinstance(a.value, Operand) and not a.value.is_field
        if found is not None and isinstance(found[1], Field) and not constant:
            yield found[0].name, found[1].name


def changed_by(b: Blueprint, e: Entity, action: Action) -> Iterator[str]:
    """The entities of the rows that an action changes, one after the other; where it changes several by one effect, twice."""
    for effect in action.effects:
        if isinstance(effect, SetValues):
            rows = {a.target[:-1]: found[0].name for a in effect.assignments if (found := target_field(b, e, a.target, action.references)) is not None}
            yield from rows.values()
        else:
            yield from [effect.entity] * (2 if isinstance(effect, UpdateRows | DeleteRows) else 1)
