"""Session cookies, and what guards them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Access, Who
from clodo.bricks.cookies.language import Cookies
from clodo.bricks.sessions.brick import add_to_logins, closed, sessions_of
from clodo.emit.brick import Brick, Import, Parts
from clodo.emit.openapi import json_answer, operation
from clodo.emit.typescript import literal

_SQL = """CREATE TABLE "user__cookie" (
  "hash" TEXT PRIMARY KEY NOT NULL,
  "session_id" TEXT NOT NULL REFERENCES "user__session"("id") ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX "user__cookie__session_id" ON "user__cookie" ("session_id");"""

_README = """## Cookies

A login also sets the cookie `__Host-session`, which no script can read and no other site can send along with a change. A page sends
the `csrf_token` of its login (or of `GET /api/auth/csrf`) as `X-CSRF-Token` with each request that changes something.
"""
#: What changes something and looks at no caller.
_OPEN = {f"/api/auth/{name}" for name in ("register", "login", "refresh", "confirm", "reset", "reset/request")}
_TOKEN = {"csrf_token": {"type": "string"}}
_REFUSED = {
    "description": "The cookie came without its X-CSRF-Token, or from another site",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


def also(document: dict[str, Any], scheme: str, definition: dict[str, Any], but: Callable[[str], bool] = lambda path: False) -> None:
    """A further credential for whatever a bearer token is good for, ``but`` at some paths."""
    document["components"].setdefault("securitySchemes", {})[scheme] = definition
    for path, item in document["paths"].items():
        for found in item.values() if not but(path) else ():
            wanted = found.get("security", []) if isinstance(found, dict) else []
            more = [{scheme: [], **{k: v for k, v in w.items() if k != "bearer"}} for w in wanted if "bearer" in w]
            if more:
                found["security"] = [*wanted, *(m for m in more if m not in wanted)]


def _amend(document: dict[str, Any]) -> None:
    add_to_logins(document, _TOKEN)
    answer = {200: json_answer(closed(_TOKEN), "The token")}
    user = (Access(Who.USER),)
    document["paths"]["/api/auth/csrf"] = {"get": operation("csrf", "The token that goes with the caller's cookie", "auth", answer, rules=user)}


def _finish(document: dict[str, Any]) -> None:
    also(document, "cookie", {"type": "apiKey", "in": "cookie", "name": "__Host-session"})
    # Whatever looks at the caller may refuse the cookie, also where everybody is let in. What a server behind may answer as it
    # likes says so by its default.
    for path, item in document["paths"].items():
        for method in set() if path in _OPEN else {"post", "put", "patch", "delete"} & set(item):
            if "default" not in item[method]["responses"]:
                item[method]["responses"].setdefault("403", copy.deepcopy(_REFUSED))


def cookies_of(plan: Plan) -> Cookies | None:
    """The cookies of a service, where it has them."""
    users = plan.blueprint.users
    return next(iter(users.parts_of(Cookies)), None) if users is not None else None


def _parts(plan: Plan) -> Parts:
    found, sessions = cookies_of(plan), sessions_of(plan)
    assert found is not None
    assert sessions is not None
    origins = literal(list(found.origins))
    return Parts(
        imports=(Import("cookieUser", "./lib/cookies"), Import("cookies", "./lib/cookies")),
        authenticators=(f"cookieUser({origins})",),
        routes=(f"cookies(app, {int(sessions.days)}, {origins});",),
        sql=(_SQL,),
        readme=_README,
        amend=_amend,
        finish=_finish,
    )


BRICK = Brick("cookies", "clodo.bricks.cookies", lambda plan: cookies_of(plan) is not None, _parts, order=90)
