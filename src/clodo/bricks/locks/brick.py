"""Locks: hooks with conditions of stored rows, and the views that refuse."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from clodo.blueprint.formulas import Scope
from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Access, Entity, Who
from clodo.bricks.locks.language import Lock, free_fields, locks_of, said, verb_of
from clodo.emit.brick import Brick, EntityParts, Import, Parts
from clodo.emit.expressions import Place, sql
from clodo.emit.openapi import problem_answer
from clodo.emit.typescript import literal, rule

_ROW = '"t".'


def _views(plan: Plan) -> list[str]:
    """The views that refuse: as many for each verb as an entity has locks of it."""
    return list(dict.fromkeys(view for e in plan.blueprint.entities for view, _ in _numbered(e)))


def _refusing(view: str) -> str:
    return f"""CREATE VIEW "{view}" AS SELECT 1 AS "row";

CREATE TRIGGER "{view}__refused" INSTEAD OF INSERT ON "{view}"
BEGIN
  SELECT RAISE(ABORT, 'refused by {view}.');
END;"""


def _numbered(e: Entity) -> list[tuple[str, Lock]]:
    """The locks of an entity, each with its view."""
    counts: Counter[str] = Counter()
    out = []
    for lock in locks_of(e):
        counts[verb_of(lock)] += 1
        out.append((f"_lock__{verb_of(lock)}__{counts[verb_of(lock)]}", lock))
    return out


def _hook(plan: Plan, e: Entity) -> str:
    place = Place(Scope(plan.blueprint, e), _ROW, _ROW)
    made = [
        f"{{ verb: {literal(verb_of(lock))}, view: {literal(view)}, sql: {literal(sql(lock.condition, place))}, detail: {literal(said(lock))}{_free(lock)} }}"
        for view, lock in _numbered(e)
    ]
    return f"locks([{', '.join(made)}], {literal(list(free_fields(e)))})"


def _free(lock: Lock) -> str:
    """Whom a lock does not hold up, as the end of its literal."""
    return f", free: {rule(Access(Who.ROLE, lock.free))}" if lock.free else ""


def _changing(plan: Plan, locked: list[Entity], paths: Iterable[str]) -> list[str]:
    """The paths below a row where locked rows change: files change with their row, and links, from both sides, with the row that declares them."""
    sides = [(link, plan.path(link.source), link.source_path) for link in plan.links]
    sides += [(link, plan.path(link.target), link.target_path) for link in plan.links if not link.is_self]
    links = {f"/api/{path}/{{id}}/{below}/{{other_id}}": link.source for link, path, below in sides}
    of_files = [path for path in paths if path not in links and path.startswith(tuple(f"/api/{plan.path(e)}/{{id}}/" for e in locked))]
    return of_files + [path for path, source in links.items() if source in locked]


def _parts(plan: Plan) -> Parts:
    locked = [e for e in plan.blueprint.entities if locks_of(e)]

    def amend(document: dict[str, Any]) -> None:
        for path in _changing(plan, locked, document["paths"]):
            for method in ("put", "delete"):
                if method in document["paths"][path]:
                    document["paths"][path][method]["responses"].setdefault("409", problem_answer(409))

    return Parts(
        sql=tuple(map(_refusing, _views(plan))),
        entities={e.name: EntityParts(imports=(Import("locks", "../lib/locks"),), hooks=(_hook(plan, e),)) for e in locked},
        amend=amend,
    )


BRICK = Brick("locks", "clodo.bricks.locks", lambda plan: any(map(locks_of, plan.blueprint.entities)), _parts, order=79)
