"""Rules: triggers, and what a refusal of theirs says."""

from __future__ import annotations

from typing import Any

from clodo.blueprint.plan import Plan
from clodo.bricks.rules.language import rules_of
from clodo.bricks.rules.transitions import Transitions
from clodo.bricks.rules.triggers import triggers, watched
from clodo.emit.brick import Brick, EntityParts, Import, Parts
from clodo.emit.openapi import problem_answer


def _parts(plan: Plan) -> Parts:
    b = plan.blueprint
    hooked = EntityParts(imports=(Import("rules", "../lib/rules"),), hooks=("rules",))
    changed = watched(b)

    def amend(document: dict[str, Any]) -> None:
        # A rule of other rows may forbid that a row goes.
        for e in b.entities:
            if e.name in changed:
                operation = document["paths"][f"/api/{plan.path(e)}/{{id}}"]["delete"]
                operation["responses"].setdefault("422", problem_answer(422))

    return Parts(
        sql=tuple(triggers(b)),
        entities={e.name: hooked for e in b.entities if e.name in changed},
        amend=amend,
    )


def _applies(plan: Plan) -> bool:
    return any(rules_of(e) or e.parts_of(Transitions) for e in plan.blueprint.entities)


BRICK = Brick("rules", "clodo.bricks.rules", _applies, _parts)
