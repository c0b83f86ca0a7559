"""The routes of deleted rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Entity
from clodo.bricks.resources.deleters import edited
from clodo.bricks.restore.language import Restore
from clodo.emit.brick import Brick, Import, Parts
from clodo.emit.openapi import json_answer, operation, path_parameter, ref
from clodo.emit.typescript import entity_const


def restorable(plan: Plan) -> Iterator[Entity]:
    """The entities whose deleted rows come back."""
    return (e for e in plan.blueprint.entities if e.parts_of(Restore))


def _parts(plan: Plan) -> Parts:
    def amend(document: dict[str, Any]) -> None:
        for e in restorable(plan):
            _amend(plan, e, document["paths"])

    return Parts(
        imports=(Import("restoring", "./lib/restore"),),
        ahead=tuple(f"restoring(app, {entity_const(e)});" for e in restorable(plan)),
        files=edited(plan, BRICK),
        amend=amend,
    )


def _amend(plan: Plan, e: Entity, paths: dict[str, Any]) -> None:
    path, b = f"/api/{plan.path(e)}", plan.blueprint
    rules = (b.read_access(e), b.delete_access(e))
    listed = paths[path]["get"]
    page = {**listed["responses"]["200"], "description": "A page of deleted rows"}
    paths[f"{path}/deleted"] = {
        "get": operation(
            f"deleted_{e.name}", f"List deleted {plan.path(e)}", e.name, {200: page},
            rules=rules, problems=(400,), parameters=listed.get("parameters"),
        ),
    }  # fmt: skip
    paths[f"{path}/{{id}}/restore"] = {
        "parameters": [path_parameter("id")],
        "post": operation(
            f"restore_{e.name}", "Restore a deleted row, and what was deleted with it", e.name,
            {200: json_answer(ref(plan.schemas.row(e)), "The row, as it was")}, rules=rules, problems=(404, 409),
        ),
    }  # fmt: skip


BRICK = Brick("restore", "clodo.bricks.restore", lambda plan: any(restorable(plan)), _parts)
