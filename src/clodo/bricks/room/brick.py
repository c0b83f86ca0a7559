"""A Durable Object for the room of each row, and the way in."""

from __future__ import annotations

from typing import Any

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Entity
from clodo.bricks.room.language import Room
from clodo.emit.brick import Brick, EntityParts, Import, Parts, Stage
from clodo.emit.openapi import operation, path_parameter, ref
from clodo.emit.typescript import entity_const, literal

_README = """## Rooms

`GET /api/…/{id}/room` opens a WebSocket to the room of a row. Programs send their credential as always; browsers, which cannot, offer it
beside the protocol `room`: `new WebSocket(url, ["room", "bearer." + token])`, or `"key." + key`. Every JSON value of up to 4 KB that is
sent comes to all who are there as `{"type": "message", "from", "user", "data"}`. The room tells `welcome`, `joined`, `left`, `updated`
(with the row), `deleted` and `error`; `{"type":"ping"}` is answered with `{"type":"pong"}`.
"""
_OTHERS = {426: "The request does not ask for a WebSocket", 429: "The room is full"}


def room_entities(plan: Plan) -> list[Entity]:
    """The entities whose rows have rooms."""
    return [e for e in plan.blueprint.entities if e.parts_of(Room)]


def _parts(plan: Plan) -> Parts:
    entities = room_entities(plan)

    def amend(document: dict[str, Any]) -> None:
        for e in entities:
            document["paths"][f"/api/{plan.path(e)}/{{id}}/room"] = {"parameters": [path_parameter("id")], "get": _operation(plan, e)}

    return Parts(
        imports=(Import("offeredCredential", "./lib/room"), Import("room", "./lib/room")),
        # Before anybody asks who is calling.
        middleware=tuple((Stage.EDGE, f"app.use({literal(f'/api/{plan.path(e)}/:id/room')}, offeredCredential);") for e in entities),
        routes=tuple(f"room(app, {entity_const(e)});" for e in entities),
        exports=('export { Room } from "./lib/room-object";',),
        env={"ROOM": 'DurableObjectNamespace<import("./lib/room-object").Room>'},
        wrangler={
            "durable_objects": {"bindings": [{"name": "ROOM", "class_name": "Room"}]},
            "migrations": [{"tag": "room-1", "new_sqlite_classes": ["Room"]}],
        },
        entities={e.name: EntityParts((Import("toldInRoom", "../lib/room"),), ("toldInRoom",)) for e in entities},
        readme=_README,
        amend=amend,
    )


def _operation(plan: Plan, e: Entity) -> dict[str, Any]:
    protocol = {
        "name": "Sec-WebSocket-Protocol", "in": "header", "required": False, "schema": {"type": "string"},
        "description": "room, and beside it a credential of a browser's: bearer.TOKEN or key.KEY.",
    }  # fmt: skip
    opened = {101: {"description": "A WebSocket to the room"}}
    made = operation(f"room_{e.name}", f"The room of one {e.name.replace('_', ' ')}", e.name, opened, rules=(plan.blueprint.read_access(e),), problems=(400, 404), parameters=[protocol])
    for status, words in _OTHERS.items():
        made["responses"][str(status)] = {"description": words, "content": {"application/problem+json": {"schema": ref("Problem")}}}
    return made


BRICK = Brick("room", "clodo.bricks.room", lambda plan: bool(room_entities(plan)), _parts)
