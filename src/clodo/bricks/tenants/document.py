"""Tenants in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import USER, Entity, Field, FieldType
from clodo.bricks.tenants.language import HEADER, belongs, tenant_entity
from clodo.emit.openapi import json_answer, operation, path_parameter, ref
from clodo.emit.schemas import Schema, field_schema

#: What is about no tenant: whoever holds the API key manages it, and senders of events know of none.
_OF_THE_SERVICE = ("/api/webhooks", "/api/incoming/")
METHODS = ("get", "put", "post", "delete", "patch")


def amend(plan: Plan, document: dict[str, Any]) -> None:
    """Adds the routes of members, and the header to all that is about rows of a tenant."""
    tenant = tenant_entity(plan.blueprint)
    assert tenant is not None
    for path, item in document["paths"].items():
        if needs_tenant(plan, path) and not path.startswith(_OF_THE_SERVICE):
            for method in METHODS:
                if method in item:
                    _with_header(item[method], tenant)
    base = f"/api/{plan.path(tenant)}"
    for method in ("put", "patch", "delete"):
        document["paths"][f"{base}/{{id}}"][method]["responses"].setdefault("403", problem("Only an owner of it may do this"))
    document["components"]["schemas"] |= {"TenantMember": _member(), "TenantInvitation": _invitation()}
    document["paths"] |= _paths(base, tenant, ref(plan.schemas.row(tenant)))


def needs_tenant(plan: Plan, path: str) -> bool:
    """Whether a path is about rows of a tenant: all below ``/api`` but accounts, tenants and what is shared."""
    b = plan.blueprint
    root, *segments = path.strip("/").split("/")
    if root != "api" or not segments or segments[0] == "auth":
        return False
    free = {plan.path(e) for e in b.entities if not belongs(b, e)}
    if segments[0] not in free:
        return True
    below = {c.path for c in plan.children if belongs(b, c.child)}
    for link in plan.links:
        below |= {link.source_path} if belongs(b, link.target) else set()
        below |= {link.target_path} if belongs(b, link.source) else set()
    return bool(below & set(segments))


def problem(words: str) -> Schema:
    """A refusal."""
    return {"description": words, "content": {"application/problem+json": {"schema": ref("Problem")}}}


def _with_header(op: dict[str, Any], tenant: Entity) -> None:
    words = f"The id of the {tenant.name.replace('_', ' ')} whose rows this is about."
    parameter = {"name": HEADER, "in": "header", "required": True, "schema": {"type": "string"}, "description": words}
    op["parameters"] = [*op.get("parameters", []), parameter]
    op["responses"].setdefault("400", problem(f"The header {HEADER} is missing"))
    op["responses"].setdefault("403", problem(f"The caller is no member of what {HEADER} names"))


def _closed(properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


_ID: Schema = {"type": "string", "format": "uuid"}
_MOMENT: Schema = {"type": "string", "format": "date-time"}
_ROLE: Schema = {"type": "string", "enum": ["owner", "member"]}


def _member() -> Schema:
    return _closed({"user_id": _ID, "email": {"type": "string"}, "role": _ROLE, "created_at": _MOMENT})


def _invitation() -> Schema:
    return _closed({"id": _ID, "email": {"type": "string"}, "role": _ROLE, "created_at": _MOMENT, "expires_at": _MOMENT})


def _paths(base: str, tenant: Entity, row: Schema) -> Schema:
    tag, noun, rules = tenant.name, tenant.name.replace("_", " "), (USER,)
    invitation = ref("TenantInvitation")
    told = _closed({**_invitation()["properties"], "token": {"type": "string", "description": "Told this once."}})
    email = field_schema(Field("email", FieldType.EMAIL, required=True))
    asked = {"type": "object", "properties": {"email": email, "role": {**_ROLE, "default": "member"}}, "required": ["email"], "additionalProperties": False}
    change = {"type": "object", "properties": {"role": _ROLE}, "additionalProperties": False}
    page = _closed({"items": {"type": "array", "items": ref("TenantMember")}, "next_cursor": {"type": ["string", "null"]}})
    limit = {"name": "limit", "in": "query", "required": False, "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}}
    cursor = {"name": "cursor", "in": "query", "required": False, "schema": {"type": "string"}}
    member, one = [path_parameter("id"), path_parameter("user_id")], [path_parameter("id"), path_parameter("invitation_id")]
    listed = _closed({"items": {"type": "array", "items": invitation}})
    join = _closed({"token": {"type": "string", "minLength": 1, "maxLength": 200}})
    return {
        f"{base}/join": {"post": operation(f"join_{tag}", f"Accept an invitation to a {noun}", tag, {200: json_answer(row, "What was joined")}, rules=rules, problems=(404,), body=join)},
        f"{base}/{{id}}/members": {
            "parameters": [path_parameter("id")],
            "get": operation(f"members_of_{tag}", f"List the members of a {noun}", tag, {200: json_answer(page, "A page")}, rules=rules, problems=(400, 404), parameters=[limit, cursor]),
        },
        f"{base}/{{id}}/members/{{user_id}}": {
            "parameters": member,
            "patch": operation(f"change_member_of_{tag}", "Make a member an owner, or an owner a member", tag, {200: json_answer(ref("TenantMember"), "The member")}, rules=rules, problems=(404, 409), body=change),
            "delete": operation(f"remove_member_of_{tag}", "Remove a member, or leave", tag, {204: {"description": "Removed"}}, rules=rules, problems=(404, 409)),
        },
        f"{base}/{{id}}/invitations": {
            "parameters": [path_parameter("id")],
            "get": operation(f"invitations_to_{tag}", "List the open invitations", tag, {200: json_answer(listed, "The invitations")}, rules=rules, problems=(404,)),
            "post": operation(f"invite_to_{tag}", "Invite an address; whoever has the token and the address can join", tag, {201: json_answer(told, "The invitation")}, rules=rules, problems=(404, 409), body=asked),
        },
        f"{base}/{{id}}/invitations/{{invitation_id}}": {
            "parameters": one,
            "delete": operation(f"uninvite_from_{tag}", "Take an invitation back", tag, {204: {"description": "Taken back"}}, rules=rules, problems=(404,)),
        },
    }  # fmt: skip
