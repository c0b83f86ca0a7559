"""The limit of attempts to log in."""

from __future__ import annotations

from typing import Any

from clodo.blueprint.plan import Plan
from clodo.bricks.login_limit.language import LoginLimit
from clodo.emit.brick import Brick, Import, Parts

_SQL = """CREATE TABLE "user__attempt" (
  "id" TEXT PRIMARY KEY NOT NULL,
  "who" TEXT NOT NULL,
  "at" INTEGER NOT NULL
);
CREATE INDEX "user__attempt__who" ON "user__attempt" ("who", "at");
CREATE INDEX "user__attempt__at" ON "user__attempt" ("at");"""

_REFUSED = {
    "description": "Too many attempts",
    "headers": {"Retry-After": {"description": "Seconds to wait", "schema": {"type": "integer"}}},
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
#: What takes a password that somebody could guess.
_GUARDED = (("/api/auth/login", "post"), ("/api/auth/password", "put"))


def limit_of(plan: Plan) -> LoginLimit | None:
    """The limit of a service, where it has one."""
    users = plan.blueprint.users
    return next(iter(users.parts_of(LoginLimit)), None) if users is not None else None


def _amend(document: dict[str, Any]) -> None:
    for path, method in _GUARDED:
        if path in document["paths"]:
            document["paths"][path][method]["responses"]["429"] = _REFUSED


def _parts(plan: Plan) -> Parts:
    limit = limit_of(plan)
    assert limit is not None
    attempts, minutes = int(limit.attempts), int(limit.minutes)
    return Parts(
        imports=(Import("loginLimit", "./lib/login-limit"),),
        routes=(f"loginLimit(app, {attempts}, {minutes * 60});",),
        sql=(_SQL,),
        readme=f"## Login limit\n\nAfter {attempts} wrong passwords in {minutes} minutes, from one address for one account, logins are answered with 429; so are they after {10 * attempts} for one account from anywhere, or from one address for any account.\n",
        amend=_amend,
    )


# Behind the bricks that bring what it guards.
BRICK = Brick("login_limit", "clodo.bricks.login_limit", lambda plan: limit_of(plan) is not None, _parts, order=60)
