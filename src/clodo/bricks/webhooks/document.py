"""The paths of webhooks in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Access, Blueprint, Entity, Field, FieldType, Reference
from clodo.bricks.webhooks.language import PATH
from clodo.emit.openapi import (
    json_answer,
    list_parameters,
    operation,
    page_schema,
    path_parameter,
    ref,
)
from clodo.emit.schemas import Schema, row_schema

_TAG = "webhooks"


def subscription(access: Access) -> Entity:
    """A subscription, as if it were an entity."""
    fields = (Field("url", FieldType.URL, required=True), Field("events", FieldType.LIST, required=True))
    return Entity("webhook__subscription", fields, read=access, write=access)


def delivery(access: Access) -> Entity:
    """What is sent of one event to one subscription, as if it were an entity."""
    fields = (
        Field("event", FieldType.TEXT, required=True),
        Field("status", FieldType.ENUM, ("pending", "delivered", "dead"), required=True),
        Field("attempts", FieldType.INTEGER, required=True),
        Field("response_status", FieldType.INTEGER),
        Field("error", FieldType.TEXT),
        Field("next_attempt_at", FieldType.DATETIME),
    )
    references = (Reference("webhook", "webhook__subscription", required=True), Reference("event", "webhook__event", required=True))
    return Entity("webhook__delivery", fields, references, read=access, write=access)


def amended(plan: Plan, access: Access, topics: list[str]) -> Callable[[dict[str, Any]], None]:
    """Adds the paths to a document."""

    def amend(document: dict[str, Any]) -> None:
        document["components"]["schemas"] |= _schemas(plan.blueprint, access, topics)
        document["paths"] |= _paths(plan.blueprint, access)

    return amend


def _schemas(b: Blueprint, access: Access, topics: list[str]) -> Schema:
    shown = row_schema(b, subscription(access))
    secret = {"type": "string", "description": "Signs what is sent. It is answered this once."}
    created = {**shown, "properties": {**shown["properties"], "signing_secret": secret}, "required": [*shown["required"], "signing_secret"]}
    events = {"type": "array", "items": {"enum": topics}, "minItems": 1, "maxItems": len(topics)}
    body = {
        "type": "object",
        "properties": {"url": {"type": "string", "format": "uri", "maxLength": 2000, "description": "https, at a public host."}, "events": events},
        "required": ["url", "events"],
        "additionalProperties": False,
    }
    # No entity's schema has a hyphen in its name.
    return {
        "Webhook-Subscription": shown,
        "Webhook-Created": created,
        "Webhook-Body": body,
        "Webhook-Delivery": row_schema(b, delivery(access)),
    }


def _paths(b: Blueprint, access: Access) -> Schema:
    rules, one = (access,), path_parameter("id")
    subscribed, sent = ref("Webhook-Subscription"), ref("Webhook-Delivery")
    created = json_answer(ref("Webhook-Created"), "The subscription with its secret")
    created["headers"] = {"Location": {"schema": {"type": "string"}}}
    path = f"/api/{PATH}"
    return {
        path: {
            "get": operation("list_webhooks", "List the subscriptions", _TAG, {200: json_answer(page_schema("Webhook-Subscription"), "A page")}, rules=rules, problems=(400,), parameters=list_parameters(b, subscription(access))),
            "post": operation("subscribe", "Subscribe to events", _TAG, {201: created}, rules=rules, problems=(409,), body=ref("Webhook-Body")),
        },
        f"{path}/{{id}}": {
            "parameters": [one],
            "get": operation("get_webhook", "Read a subscription", _TAG, {200: json_answer(subscribed, "The subscription")}, rules=rules, problems=(404,)),
            "delete": operation("unsubscribe", "End a subscription", _TAG, {204: {"description": "Ended"}}, rules=rules, problems=(404,)),
        },
        f"{path}/deliveries": {
            "get": operation("list_webhook_deliveries", "List what is sent, was sent, and never arrived", _TAG, {200: json_answer(page_schema("Webhook-Delivery"), "A page")}, rules=rules, problems=(400,), parameters=list_parameters(b, delivery(access))),
        },
        f"{path}/deliveries/{{id}}": {
            "parameters": [one],
            "get": operation("get_webhook_delivery", "Read a delivery", _TAG, {200: json_answer(sent, "The delivery")}, rules=rules, problems=(404,)),
        },
        f"{path}/deliveries/{{id}}/retry": {
            "parameters": [one],
            "post": operation("retry_webhook_delivery", "Send it again", _TAG, {202: json_answer(sent, "It is on its way")}, rules=rules, problems=(404, 409)),
        },
    }  # fmt: skip
