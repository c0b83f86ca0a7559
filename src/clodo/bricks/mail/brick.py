"""The outbox, and what is mailed: tokens that confirm an address or set a password anew."""

from __future__ import annotations

from typing import Any

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Access, Who
from clodo.bricks.mail.language import ConfirmEmail, ResetPassword
from clodo.bricks.sessions.brick import closed
from clodo.emit.brick import Brick, Import, Parts
from clodo.emit.openapi import operation
from clodo.emit.typescript import literal

_SQL = """CREATE TABLE "user__token" (
  "hash" TEXT PRIMARY KEY NOT NULL,
  "user_id" TEXT NOT NULL REFERENCES "user"("id") ON DELETE CASCADE,
  "purpose" TEXT NOT NULL,
  "expires_at" TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX "user__token__user_id" ON "user__token" ("user_id", "purpose");
CREATE INDEX "user__token__expires_at" ON "user__token" ("expires_at");
CREATE TABLE "user__asked" (
  "who" TEXT PRIMARY KEY NOT NULL,
  "by" TEXT NOT NULL UNIQUE,
  "at" INTEGER NOT NULL
);
CREATE INDEX "user__asked__at" ON "user__asked" ("at");
CREATE TABLE "user__outbox" (
  "id" TEXT PRIMARY KEY NOT NULL,
  "purpose" TEXT NOT NULL,
  "recipient" TEXT NOT NULL,
  "token" TEXT,
  "created_at" TEXT NOT NULL,
  "expires_at" TEXT NOT NULL,
  "attempts" INTEGER NOT NULL DEFAULT 0,
  "next_attempt_at" TEXT,
  "sent_at" TEXT
);
CREATE INDEX "user__outbox__due" ON "user__outbox" ("next_attempt_at") WHERE "sent_at" IS NULL;
CREATE INDEX "user__outbox__expires_at" ON "user__outbox" ("expires_at");"""

_TOKEN = {"type": "string", "maxLength": 200}
_PASSWORD = {"type": "string", "minLength": 8, "maxLength": 200}
_DONE = {204: {"description": "Done"}}
_ACCEPTED = {202: {"description": "If there is something to mail, it is on its way"}}
_README = """## Mail

{what} The service puts the mail into the table `user__outbox` and hands it over as `id`, `purpose`, `to`, `token` and `expires_at`:
`npx wrangler d1 execute DB --local --command 'SELECT * FROM "user__outbox"'` shows what is not sent yet.
"""
_CONFIRM = "After registration a token goes to the new address; `POST /api/auth/confirm` with it makes `email_confirmed` true (for the address in `ADMIN_EMAIL` sent while logged in with it), and `POST /api/auth/confirm/request` mails another."
_RESET = "`POST /api/auth/reset/request` with an `email` mails a token to it; `POST /api/auth/reset` with the token and a `password` sets that, and ends all sessions."


def _confirm_paths(paths: dict[str, Any]) -> None:
    user = (Access(Who.USER),)
    paths |= {
        "/api/auth/confirm": {"post": operation("confirm_email", "Confirm an address with the token mailed to it", "auth", _DONE, body=closed({"token": _TOKEN}), problems=(403,))},
        "/api/auth/confirm/request": {"post": operation("request_confirmation", "Mail another token", "auth", _ACCEPTED, rules=user)},
    }  # fmt: skip


def _reset_paths(paths: dict[str, Any]) -> None:
    address = closed({"email": {"type": "string", "format": "email"}})
    given = closed({"token": _TOKEN, "password": _PASSWORD})
    paths |= {
        "/api/auth/reset/request": {"post": operation("request_reset", "Mail a token to an address, if it is one of an account", "auth", _ACCEPTED, body=address)},
        "/api/auth/reset": {"post": operation("reset_password", "Set another password with that token", "auth", _DONE, body=given)},
    }  # fmt: skip


def confirms(plan: Plan) -> bool:
    """Whether addresses are confirmed."""
    users = plan.blueprint.users
    return users is not None and bool(users.parts_of(ConfirmEmail))


def resets(plan: Plan) -> bool:
    """Whether passwords are set anew by mail."""
    users = plan.blueprint.users
    return users is not None and bool(users.parts_of(ResetPassword))


def _parts(plan: Plan) -> Parts:
    confirm, reset = confirms(plan), resets(plan)

    def amend(document: dict[str, Any]) -> None:
        if confirm:
            _confirm_paths(document["paths"])
        if reset:
            _reset_paths(document["paths"])

    names = ["confirmEmail"] * confirm + ["resetPassword"] * reset
    routes = ["confirmEmail(app);"] * confirm + [f"resetPassword(app, {literal(confirm)});"] * reset
    return Parts(
        imports=tuple(Import(name, "./lib/mailed") for name in names),
        routes=tuple(routes),
        sql=(_SQL,),
        readme=_README.format(what=" ".join([_CONFIRM] * confirm + [_RESET] * reset)),
        amend=amend,
    )


BRICK = Brick("mail", "clodo.bricks.mail", lambda plan: confirms(plan) or resets(plan), _parts, order=53)
