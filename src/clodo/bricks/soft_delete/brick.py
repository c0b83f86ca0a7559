"""Deleted rows that are only hidden."""

from __future__ import annotations

from clodo.blueprint.plan import Plan
from clodo.bricks.resources.deleters import edited
from clodo.emit.brick import Brick, Import, Parts


def _parts(plan: Plan) -> Parts:
    return Parts(imports=(Import("archiveRow", "./lib/soft-delete"),), files=edited(plan, BRICK))


BRICK = Brick("soft_delete", "clodo.bricks.soft_delete", lambda plan: plan.uses_soft_delete, _parts, order=40)
