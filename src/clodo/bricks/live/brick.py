"""A table of changes, and the stream of each entity's."""

from __future__ import annotations

from typing import Any

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Entity
from clodo.bricks.live.language import Live
from clodo.emit.brick import Brick, EntityParts, Import, Parts
from clodo.emit.openapi import operation
from clodo.emit.typescript import entity_const

# No entity's name begins with an underscore. Numbers of rows that are gone are never given again.
_TABLE = """CREATE TABLE "_live" (
  "number" INTEGER PRIMARY KEY AUTOINCREMENT,
  "entity" TEXT NOT NULL,
  "id" TEXT NOT NULL,
  "was" TEXT
);
CREATE INDEX "_live__entity" ON "_live" ("entity", "number");"""
_README = """## Live changes

`GET /api/…/events` is a stream of server-sent events: `created` and `updated` with the row as it is now, `deleted` with its id. A
stream ends after a minute at most; `EventSource` connects again by itself and goes on where it was. After `reset`, read
the list anew: changes were missed.
"""


def live_entities(plan: Plan) -> list[Entity]:
    """The entities whose changes are told."""
    return [e for e in plan.blueprint.entities if e.parts_of(Live)]


def _parts(plan: Plan) -> Parts:
    entities = live_entities(plan)

    def amend(document: dict[str, Any]) -> None:
        for e in entities:
            document["paths"][f"/api/{plan.path(e)}/events"] = {"get": _operation(plan, e)}

    return Parts(
        imports=(Import("events", "./lib/live"),),
        ahead=tuple(f"events(app, {entity_const(e)});" for e in entities),
        sql=(_TABLE,),
        entities={e.name: EntityParts((Import("live", "../lib/live"),), ("live",)) for e in entities},
        readme=_README,
        amend=amend,
    )


def _operation(plan: Plan, e: Entity) -> dict[str, Any]:
    wait = {"type": "integer", "minimum": 0, "maximum": 60, "default": 60}
    parameters = [
        {"name": "wait", "in": "query", "required": False, "schema": wait, "description": "Seconds until the stream ends."},
        {"name": "Last-Event-ID", "in": "header", "required": False, "schema": {"type": "string", "pattern": "^[0-9]{1,15}$"}, "description": "The last event that is known; without it the stream begins now."},
    ]  # fmt: skip
    stream = {"description": "Events as they happen", "content": {"text/event-stream": {"schema": {"type": "string"}}}}
    rules = (plan.blueprint.read_access(e),)
    return operation(f"events_{e.name}", f"Changes of {plan.path(e)}", e.name, {200: stream}, rules=rules, problems=(400,), parameters=parameters)


BRICK = Brick("live", "clodo.bricks.live", lambda plan: bool(live_entities(plan)), _parts)
