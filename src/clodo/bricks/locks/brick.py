"""Locks: hooks with conditions of stored rows, and the views that refuse."""

from __future__ import annotations

from typing import Any

from clodo.blueprint.formulas import Scope
from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Entity
from clodo.bricks.locks.language import ChangeWhen, Lock, free_fields, locks_of, said
from clodo.emit.brick import Brick, EntityParts, Import, Parts
from clodo.emit.expressions import Place, sql
from clodo.emit.openapi import problem_answer
from clodo.emit.typescript import literal

_ROW = '"t".'


def _view(verb: str) -> str:
    return f"""CREATE VIEW "_lock__{verb}" AS SELECT 1 AS "row";

CREATE TRIGGER "_lock__{verb}__refused" INSTEAD OF INSERT ON "_lock__{verb}"
BEGIN
  SELECT RAISE(ABORT, 'the row is locked: {verb}');
END;"""


def _verb(lock: Lock) -> str:
    return "change" if isinstance(lock, ChangeWhen) else "delete"


def _hook(plan: Plan, e: Entity) -> str:
    place = Place(Scope(plan.blueprint, e), _ROW, _ROW)
    said_of = [f"{_verb(k)}: {{ sql: {literal(sql(k.condition, place))}, detail: {literal(said(k))} }}" for k in locks_of(e)]
    return f"locks({{ {', '.join([*said_of, f'free: {literal(list(free_fields(e)))}'])} }})"


def _parts(plan: Plan) -> Parts:
    locked = [e for e in plan.blueprint.entities if locks_of(e)]
    verbs = dict.fromkeys(_verb(k) for e in locked for k in locks_of(e))

    def amend(document: dict[str, Any]) -> None:
        # Files of a row change with it.
        for e in locked:
            for path, item in document["paths"].items():
                if path.startswith(f"/api/{plan.path(e)}/{{id}}/"):
                    for method in ("put", "delete"):
                        if method in item:
                            item[method]["responses"].setdefault("409", problem_answer(409))

    return Parts(
        sql=tuple(map(_view, verbs)),
        entities={e.name: EntityParts(imports=(Import("locks", "../lib/locks"),), hooks=(_hook(plan, e),)) for e in locked},
        amend=amend,
    )


BRICK = Brick("locks", "clodo.bricks.locks", lambda plan: any(map(locks_of, plan.blueprint.entities)), _parts, order=79)
