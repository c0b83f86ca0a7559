"""The routes of entities."""

from __future__ import annotations

from clodo.blueprint.plan import Plan
from clodo.bricks.resources.deleters import deleters_source, edited, has_deleters
from clodo.emit.brick import Brick, Import, Parts
from clodo.emit.computations import formula_files
from clodo.emit.typescript import entity_const, entity_module


def _parts(plan: Plan) -> Parts:
    entities = plan.blueprint.entities
    if not entities:
        return Parts()
    remove = ", archiveRow" if plan.uses_soft_delete else ""
    return Parts(
        imports=(
            *(Import(entity_const(e), f"./entities/{entity_module(e)}") for e in entities),
            Import("resource", "./lib/resource"),
        ),
        routes=tuple(f"resource(app, {entity_const(e)}{remove});" for e in entities),
        files={
            **(
                {"src/lib/deleters.ts": deleters_source(), **edited(plan, BRICK)}
                if has_deleters(plan)
                else {}
            ),
            **formula_files([f for e in entities for f in e.fields]),
        },
    )


BRICK = Brick("resources", "clodo.bricks.resources", lambda plan: plan.stores, _parts, order=10)
