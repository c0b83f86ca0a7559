"""Whether an action changes what its own guards look at."""

from __future__ import annotations

from clodo.blueprint.reads import Counting, Read, reads
from clodo.blueprint.values import Blueprint, Entity, OnDelete
from clodo.bricks.actions.values import (
    Action,
    CreateRow,
    DeleteRows,
    SetValues,
    scope_of,
    target_field,
)


def may_wear_off(b: Blueprint, e: Entity, action: Action) -> bool:
    """Whether a call may be the one after which the guards refuse: without that, one call after the other is let through
    as all at once are."""
    found = [r for guard in action.guards for r in reads(guard.condition, scope_of(b, e, action))]
    counted = {r.entity.name for r in found if isinstance(r, Counting)}
    looked_at = {(r.entity.name, r.name) for r in found if isinstance(r, Read)}
    tables = counted | {table for table, _ in looked_at}
    changed = {(e.name, "updated_at")}
    for effect in action.effects:
        if isinstance(effect, CreateRow | DeleteRows):
            if effect.entity in (counted if isinstance(effect, CreateRow) else tables):
                return True
        elif isinstance(effect, SetValues):
            targets = (target_field(b, e, a.target, action.references) for a in effect.assignments)
            changed |= {(entity.name, m.name) for entity, m in filter(None, targets)}
        else:
            changed |= {(effect.entity, a.target[0]) for a in effect.assignments}
            changed.add((effect.entity, "updated_at"))
    return bool(changed & looked_at)


def may_take_along(b: Blueprint, e: Entity, action: Action) -> bool:
    """Whether the row of a call, one of ``e``, may be among those that the action deletes, or goes with them."""
    gone = {effect.entity for effect in action.effects if isinstance(effect, DeleteRows)}
    while following := {child.name for child in b.entities for r in child.references if r.target in gone and r.on_delete is OnDelete.CASCADE} - gone:
        gone |= following
    return e.name in gone
