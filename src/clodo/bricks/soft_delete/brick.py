"""Deleted rows that are only hidden."""

from __future__ import annotations

from collections.abc import Iterator

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Entity
from clodo.bricks.resources.deleters import edited
from clodo.emit.brick import Brick, Import, Parts


def _parts(plan: Plan) -> Parts:
    guards = [sql for e in plan.blueprint.entities for sql in _guards(plan, e)]
    return Parts(imports=(Import("archiveRow", "./lib/soft-delete"),), files=edited(plan, BRICK), sql=tuple(guards))


def _guards(plan: Plan, e: Entity) -> Iterator[str]:
    """Triggers that let no row begin to refer to a hidden one, in the words that the service knows a broken reference by:
    the service looks before, but a row may be hidden after that."""
    for r in e.references:
        target, key = plan.blueprint.entity(r.target), f"{r.name}_id"
        if target is None or not target.soft_delete:
            continue
        hidden = f'EXISTS (SELECT 1 FROM "{target.name}" WHERE "id" = NEW."{key}" AND "deleted_at" IS NOT NULL)'
        for name, event, when in (
            (f"{e.name}__{key}__set", "INSERT", hidden),
            (f"{e.name}__{key}__changed", f'UPDATE OF "{key}"', f'NEW."{key}" IS NOT OLD."{key}" AND {hidden}'),
        ):
            yield (
                f'CREATE TRIGGER "{name}" BEFORE {event} ON "{e.name}" WHEN {when} '
                "BEGIN SELECT RAISE(ABORT, 'FOREIGN KEY constraint failed'); END;"
            )


BRICK = Brick("soft_delete", "clodo.bricks.soft_delete", lambda plan: plan.uses_soft_delete, _parts, order=40)
