"""Search in the texts of an entity."""

from __future__ import annotations

from clodo.blueprint.plan import Plan
from clodo.emit.brick import Brick, EntityParts, Import, Parts
from clodo.emit.typescript import literal


def _parts(plan: Plan) -> Parts:
    return Parts(
        entities={
            e.name: EntityParts(
                imports=(Import("search", "../lib/search"),),
                properties=(f"search: search({literal(list(e.search))})",),
            )
            for e in plan.blueprint.entities
            if e.search
        }
    )


BRICK = Brick(
    "search",
    "clodo.bricks.search",
    lambda plan: any(e.search for e in plan.blueprint.entities) or (plan.blueprint.users is not None and bool(plan.blueprint.users.search)),
    _parts,
    order=30,
)
