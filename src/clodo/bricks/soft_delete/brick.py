"""Deleted rows that are only hidden."""

from __future__ import annotations

from clodo.emit.brick import Brick, Import, Parts

BRICK = Brick(
    "soft_delete",
    "clodo.bricks.soft_delete",
    lambda plan: plan.uses_soft_delete,
    lambda plan: Parts(imports=(Import("archiveRow", "./lib/soft-delete"),)),
    order=40,
)
