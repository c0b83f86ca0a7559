"""Sessions: their tables, their routes, and the users whom their tokens stand for."""

from __future__ import annotations

from typing import Any

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Access, Who
from clodo.bricks.sessions.language import Sessions
from clodo.emit.brick import Brick, Import, Parts
from clodo.emit.openapi import json_answer, operation, path_parameter, ref

_SQL = """CREATE TABLE "user__session" (
  "id" TEXT PRIMARY KEY NOT NULL,
  "user_id" TEXT NOT NULL REFERENCES "user"("id") ON DELETE CASCADE,
  "agent" TEXT,
  "created_at" TEXT NOT NULL,
  "last_used_at" TEXT NOT NULL,
  "expires_at" TEXT NOT NULL
);
CREATE INDEX "user__session__user_id" ON "user__session" ("user_id", "id");
CREATE INDEX "user__session__expires_at" ON "user__session" ("expires_at");
CREATE TABLE "user__refresh" (
  "number" INTEGER PRIMARY KEY,
  "hash" TEXT NOT NULL UNIQUE,
  "session_id" TEXT NOT NULL REFERENCES "user__session"("id") ON DELETE CASCADE,
  "next" TEXT
);
CREATE INDEX "user__refresh__session_id" ON "user__refresh" ("session_id", "number");"""

_MOMENT = {"type": "string", "format": "date-time"}
_PAIR: dict[str, Any] = {
    "token": {"type": "string"},
    "refresh_token": {"type": "string"},
    "expires_in": {"type": "integer", "description": "Seconds until the token ends."},
}


def closed(properties: dict[str, Any]) -> dict[str, Any]:
    """The schema of an object that always has these keys, and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def add_to_logins(document: dict[str, Any], properties: dict[str, Any]) -> None:
    """Further keys of the answers to registration and login."""
    for path, status in (("register", "201"), ("login", "200")):
        answer = document["paths"][f"/api/auth/{path}"]["post"]["responses"][status]
        schema = answer["content"]["application/json"]["schema"]
        answer["content"]["application/json"]["schema"] = closed({**schema["properties"], **properties})


def _amend(document: dict[str, Any]) -> None:
    user = (Access(Who.USER),)
    done = {204: {"description": "Done"}}
    given = {
        "type": "object",
        "properties": {"refresh_token": {"type": "string", "maxLength": 200}},
        "required": ["refresh_token"],
        "additionalProperties": False,
    }
    shown = {
        "id": {"type": "string", "format": "uuid"},
        "agent": {"type": ["string", "null"]},
        **dict.fromkeys(("created_at", "last_used_at", "expires_at"), _MOMENT),
        "current": {"type": "boolean"},
    }
    document["components"]["schemas"]["Session"] = closed(shown)
    listed = closed({"items": {"type": "array", "items": ref("Session")}})
    add_to_logins(document, _PAIR)
    document["paths"] |= {
        "/api/auth/refresh": {"post": operation("refresh", "New tokens for a refresh token, which is good once", "auth", {200: json_answer(closed(_PAIR), "The tokens")}, problems=(401,), body=given)},
        "/api/auth/logout": {"post": operation("logout", "End this session", "auth", done, rules=user)},
        "/api/auth/logout-all": {"post": operation("logout_all", "End all sessions", "auth", done, rules=user)},
        "/api/auth/sessions": {"get": operation("list_sessions", "The caller's open sessions, newest first", "auth", {200: json_answer(listed, "The sessions")}, rules=user)},
        "/api/auth/sessions/{id}": {
            "parameters": [path_parameter("id")],
            "delete": operation("end_session", "End one of them", "auth", done, rules=user, problems=(404,)),
        },
    }  # fmt: skip


_README = """## Sessions

A login lasts {days} days. Its `token` ends after 15 minutes; `POST /api/auth/refresh` with `refresh_token` gives new ones. A refresh
token is good once: used again, it ends the session. `POST /api/auth/logout` ends this session, `/api/auth/logout-all` all;
`GET /api/auth/sessions` lists them, `DELETE /api/auth/sessions/{{id}}` ends one.
"""


def sessions_of(plan: Plan) -> Sessions | None:
    """The sessions of a service, where it has them."""
    users = plan.blueprint.users
    return next(iter(users.parts_of(Sessions)), None) if users is not None else None


def _parts(plan: Plan) -> Parts:
    found = sessions_of(plan)
    assert found is not None
    return Parts(
        imports=(Import("sessionUser", "./lib/sessions"), Import("sessions", "./lib/sessions")),
        authenticators=("sessionUser",),
        routes=(f"sessions(app, {int(found.days)});",),
        sql=(_SQL,),
        readme=_README.format(days=int(found.days)),
        amend=_amend,
    )


BRICK = Brick("sessions", "clodo.bricks.sessions", lambda plan: sessions_of(plan) is not None, _parts, order=50)
