"""Entities that can have few rows, because a unique field has few values (a table number of 1 to 20) or a rule says so.

Their checks would take the values from one another, so a proof of such a service runs one check at a
time on empty tables, and says so where a check needs more rows than there can be.
"""

from __future__ import annotations

from clodo.blueprint.constructs import construct_of
from clodo.blueprint.plan import Plan
from clodo.blueprint.ranges import steps
from clodo.blueprint.values import Field, FieldType

#: With more values than this, no two checks meet.
_PLENTY = 2000


def scarce_entities(plan: Plan) -> frozenset[str]:
    """The names of the entities that can have few rows."""
    return frozenset(
        e.name for e in plan.blueprint.entities
        if any(_few(f) for f in e.fields) or any(construct_of(part).few(part) for part in e.parts)
    )  # fmt: skip


def _few(f: Field) -> bool:
    if not f.unique:
        return False
    if f.type is FieldType.ENUM:
        return True
    return (f.type.is_number or f.type.is_temporal) and steps(f).count < _PLENTY

