"""``GET /motto``."""

from __future__ import annotations

from typing import Any

from clodo.blueprint.plan import Plan
from clodo.emit.brick import Brick, Import, Parts
from clodo.emit.openapi import json_answer, operation
from clodo.emit.typescript import literal
from clodo_toy.language import Motto


def _parts(plan: Plan) -> Parts:
    [motto] = plan.blueprint.parts_of(Motto)
    answer = {"type": "object", "properties": {"motto": {"type": "string"}}, "required": ["motto"], "additionalProperties": False}

    def amend(document: dict[str, Any]) -> None:
        said = {200: json_answer(answer, "The motto")}
        document["paths"]["/motto"] = {"get": operation("motto", "The motto", "service", said)}

    return Parts(
        imports=(Import("motto", "./lib/motto"),),
        routes=(f"motto(app, {literal(motto.text)});",),
        readme="## Motto\n\n`GET /motto` tells it.\n",
        amend=amend,
    )


BRICK = Brick("toy", "clodo_toy", lambda plan: bool(plan.blueprint.parts_of(Motto)), _parts)
