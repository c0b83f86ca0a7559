"""Keys of users: their table, their routes, and the users whom they stand for."""

from __future__ import annotations

from functools import partial
from typing import Any

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Access, Who
from clodo.bricks.accounts.brick import has
from clodo.bricks.accounts.language import ManageRoles
from clodo.bricks.cookies.brick import also
from clodo.bricks.sessions.brick import closed
from clodo.bricks.user_keys.language import UserKeys
from clodo.emit.brick import Brick, Import, Parts
from clodo.emit.openapi import json_answer, operation, path_parameter, ref

_SQL = """CREATE TABLE "user__key" (
  "id" TEXT PRIMARY KEY NOT NULL,
  "user_id" TEXT NOT NULL REFERENCES "user"("id") ON DELETE CASCADE,
  "name" TEXT NOT NULL,
  "prefix" TEXT NOT NULL UNIQUE,
  "hash" TEXT NOT NULL,
  "created_at" TEXT NOT NULL,
  "expires_at" TEXT,
  "last_used_at" TEXT
);
CREATE INDEX "user__key__user_id" ON "user__key" ("user_id", "id");"""

_MOMENT = {"type": "string", "format": "date-time"}
_PERHAPS = {"type": ["string", "null"], "format": "date-time"}
_NAME = {"type": "string", "minLength": 1, "maxLength": 100}
_SHOWN = {
    "id": {"type": "string", "format": "uuid"},
    "name": _NAME,
    "prefix": {"type": "string", "description": "The front of the key, to know it by."},
    "created_at": _MOMENT,
    "expires_at": _PERHAPS,
    "last_used_at": _PERHAPS,
}
_BODY = {
    "type": "object",
    "properties": {"name": _NAME, "expires_at": _PERHAPS},
    "required": ["name"],
    "additionalProperties": False,
}
_README = """## Keys of users

`POST /api/auth/keys` with `name`, and perhaps `expires_at`, makes a key for programs; it is shown this once. It stands for its user in
`X-API-Key` or as a bearer token, for everything but the account itself. `GET /api/auth/keys` lists keys, `DELETE /api/auth/keys/{id}` revokes one.
"""


def _amend(document: dict[str, Any]) -> None:
    user = (Access(Who.USER),)
    document["components"]["schemas"]["UserKey"] = closed(_SHOWN)
    made = closed({**_SHOWN, "key": {"type": "string", "description": "Shown this once."}})
    listed = closed({"items": {"type": "array", "items": ref("UserKey")}})
    document["paths"] |= {
        "/api/auth/keys": {
            "get": operation("list_keys", "The caller's keys, newest first", "auth", {200: json_answer(listed, "The keys")}, rules=user),
            "post": operation("create_key", "Make a key", "auth", {201: json_answer(made, "The key")}, rules=user, problems=(409,), body=_BODY),
        },
        "/api/auth/keys/{id}": {
            "parameters": [path_parameter("id")],
            "delete": operation("revoke_key", "Revoke a key", "auth", {204: {"description": "Revoked"}}, rules=user, problems=(404,)),
        },
    }  # fmt: skip


def _finish(plan: Plan, document: dict[str, Any]) -> None:
    also(document, "userKey", {"type": "apiKey", "in": "header", "name": "X-API-Key"}, but=partial(_in_person, plan))


def _in_person(plan: Plan, path: str) -> bool:
    """Whether what stands at a path manages accounts, which is not for keys."""
    if path.startswith("/api/auth/"):
        return path != "/api/auth/me"
    return has(plan, ManageRoles) and path in ("/api/users", "/api/users/{id}")


def _parts(plan: Plan) -> Parts:
    return Parts(
        imports=(Import("keyUser", "./lib/user-keys"), Import("userKeys", "./lib/user-keys")),
        authenticators=("keyUser",),
        routes=("userKeys(app);",),
        sql=(_SQL,),
        readme=_README,
        amend=_amend,
        finish=partial(_finish, plan),
    )


def has_keys(plan: Plan) -> bool:
    """Whether users have keys of their own."""
    users = plan.blueprint.users
    return users is not None and bool(users.parts_of(UserKeys))


BRICK = Brick("user_keys", "clodo.bricks.user_keys", has_keys, _parts, order=51)
