"""The paths of incoming events in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Access, Blueprint, Entity, Field, FieldType
from clodo.bricks.incoming.language import HEADER, Incoming
from clodo.emit.openapi import (
    json_answer,
    list_parameters,
    operation,
    page_schema,
    path_parameter,
    ref,
)
from clodo.emit.schemas import Schema, row_schema

_TAG = "incoming"


def _stored(access: Access, *more: Field) -> Entity:
    """An event that came in, as if it were an entity."""
    fields = (
        Field("hook", FieldType.TEXT, required=True),
        Field("event_id", FieldType.TEXT, required=True),
        Field("type", FieldType.TEXT),
        Field("received_at", FieldType.DATETIME, required=True),
        Field("handled_at", FieldType.DATETIME),
    )
    return Entity("incoming__event", (*fields, *more), read=access, write=access, timestamps=False)


def amended(plan: Plan, hooks: tuple[Incoming, ...]) -> Callable[[dict[str, Any]], None]:
    """Adds the paths to a document."""

    def amend(document: dict[str, Any]) -> None:
        b, access = plan.blueprint, hooks[0].access
        answer = {
            "type": "object",
            "properties": {"id": {"type": "string"}, "event_id": {"type": "string"}, "duplicate": {"type": "boolean"}},
            "required": ["id", "event_id", "duplicate"],
            "additionalProperties": False,
        }
        # No entity's schema has a hyphen in its name.
        document["components"]["schemas"] |= {
            "Incoming-Event": row_schema(b, _stored(access)),
            "Incoming-Payload": row_schema(b, _stored(access, Field("payload", FieldType.JSON, required=True))),
            "Incoming-Answer": answer,
        }
        for hook in hooks:
            document["paths"] |= _paths(b, hook)

    return amend


def _headers(hook: Incoming) -> list[Schema]:
    names = {
        "stripe": ["Stripe-Signature"],
        "github": ["X-Hub-Signature-256", "X-GitHub-Delivery", "X-GitHub-Event"],
        "standard": ["webhook-id", "webhook-timestamp", "webhook-signature"],
        "hmac": [hook.header or HEADER, *([hook.id_header] if hook.id_header else [])],
    }[hook.sender]
    return [{"name": name, "in": "header", "required": name != "X-GitHub-Event", "schema": {"type": "string"}} for name in names]


def _paths(b: Blueprint, hook: Incoming) -> Schema:
    rules, name = (hook.access,), hook.name
    page = {200: json_answer(page_schema("Incoming-Event"), "A page")}
    got = {200: json_answer(ref("Incoming-Answer"), "It is stored, now or before")}
    listing = operation(f"list_incoming_{name}", f"List what came in as {name}", _TAG, page, rules=rules, problems=(400,), parameters=list_parameters(b, _stored(hook.access)))
    receiving = operation(f"receive_{name}", f"Take an event, signed by {hook.label}", _TAG, got, problems=(401,), parameters=_headers(hook), body={"type": "object"})
    late = {"description": "The handler of the event failed, or is at it still: it is to be sent again", "content": receiving["responses"]["401"]["content"]}
    receiving["responses"]["503"] = {**late, "headers": {"Retry-After": {"schema": {"type": "integer"}}}}
    reading = operation(f"get_incoming_{name}", "Read an event with its payload", _TAG, {200: json_answer(ref("Incoming-Payload"), "The event")}, rules=rules, problems=(404,))
    return {
        hook.path: {"get": listing, "post": receiving},
        f"{hook.path}/{{id}}": {"parameters": [path_parameter("id")], "get": reading},
    }
