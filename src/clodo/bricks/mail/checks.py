"""Checks of what is mailed: tokens that are good once, and answers that tell nobody who has an account."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from clodo.blueprint.plan import Plan
from clodo.bricks.mail.brick import confirms, resets
from clodo.bricks.sessions.probes import (
    GUESSES,
    Login,
    attempt,
    log_in,
    me,
    refresh,
    register,
    stored_as_hash,
)
from clodo.bricks.user_keys.brick import has_keys
from clodo.bricks.user_keys.checks import make_key
from clodo.proof.check import Check
from clodo.proof.client import Answer
from clodo.proof.session import PASSWORD, Fault, Headers, Session, expect, expect_path

_CONFIRM, _RESET = "/api/auth/confirm", "/api/auth/reset"
_OTHER = "another fine password"
_PAST = "2020-01-01T00:00:00.000Z"


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan."""
    if confirms(plan):
        yield Check("mail.confirm", "a mailed token confirms an address, once", _confirms)
        yield Check("mail.confirm_again", "another token can be mailed until an address is confirmed", _again)
        yield Check("mail.admin", "the role of ADMIN_EMAIL comes when that address is confirmed", _admin, alone=True)
    if resets(plan):
        yield Check("mail.reset", "a mailed token sets another password, and ends all sessions", _resets)
        yield Check("mail.once", "a token is good once, also for requests at once", _once)
        yield Check("mail.expired", "a token that is too old is refused", _expired)
        yield Check("mail.silent", "asking for a reset tells nobody whether there is such an account", _silent)
        yield Check("mail.pause", "nobody is mailed twice within a minute, or loses a token to another request", _pause)
    yield Check("mail.guess", "guessed tokens, and those for another purpose, are 422", _guess)
    yield Check("mail.stored", "a token is kept as its hash; the outbox has no route", _stored)


async def _tokens(s: Session, email: str, purpose: str, count: int) -> list[str]:
    """The tokens of so many mails of a kind in the outbox for an address, in their order."""
    sql = 'SELECT "token" FROM "user__outbox" WHERE "recipient" = ? AND "purpose" = ? ORDER BY "id"'
    rows = await s.query(sql, email, purpose)
    if len(rows) != count:
        raise Fault(f"the outbox holds {len(rows)} mails to {purpose} for one address, not {count}")
    return [str(row["token"]) for row in rows]


async def mailed(s: Session, email: str, purpose: str) -> str:
    """The token of the one mail of a kind in the outbox for an address."""
    return (await _tokens(s, email, purpose, 1))[0]


async def _request(s: Session, email: object) -> Answer:
    return await s.client.send("POST", f"{_RESET}/request", {"email": email})


async def _reset_token(s: Session, email: str) -> str:
    expect(await _request(s, email), 202)
    return await mailed(s, email, "reset")


async def _reset(s: Session, token: object, password: object = _OTHER) -> Answer:
    return await s.client.send("POST", _RESET, {"token": token, "password": password})


async def _confirm(s: Session, token: object, headers: Headers | None = None) -> Answer:
    return await s.client.send("POST", _CONFIRM, {"token": token}, headers=headers)


async def _confirmed(s: Session, login: Login) -> bool:
    return bool((await me(s, login.headers, 200, "the account")).body["email_confirmed"])


async def _confirms(s: Session) -> None:
    login = await register(s, "confirm")
    if login.body["user"]["email_confirmed"] is not False:
        raise Fault("a new account counts as confirmed", login.answer)
    body = {**s.registration(f"sly{s.number()}@example.com"), "email_confirmed": True}
    expect_path(expect(await s.client.send("POST", "/api/auth/register", body), 422), "email_confirmed")
    token = await mailed(s, login.email, "confirm")
    slow = await register(s, "slow")
    await s.query('UPDATE "user__token" SET "expires_at" = ? WHERE "user_id" = ?', _PAST, slow.id)
    expect(await _confirm(s, await mailed(s, slow.email, "confirm")), 422, "a token that is too old")
    if await _confirmed(s, slow):
        raise Fault("a bad token has confirmed an address")
    if token in login.answer.text:
        raise Fault("the answer to a registration has the token that confirms it", login.answer)
    expect(await _confirm(s, token), 204)
    if not await _confirmed(s, login):
        raise Fault("the address is not confirmed")
    if (await me(s, login.headers, 200, "the account")).body["role"] != "user":
        raise Fault("whoever confirms an address gets a role")
    expect_path(expect(await _confirm(s, token), 422, "a token that was used"), "token")


async def _admin(s: Session) -> None:
    admin = await s.account("admin")
    if s.early_admin:
        raise Fault("whoever registers the address in ADMIN_EMAIL is admin, though nothing shows that it is theirs")
    change = 'UPDATE "user" SET "role" = ?, "email_confirmed" = ? WHERE "id" = ?'
    try:
        await s.query(change, "user", 0, admin.id)
        await s.query('DELETE FROM "user__outbox" WHERE "recipient" = ?', admin.email)
        await s.query('UPDATE "user__asked" SET "at" = 0')
        expect(await s.client.send("POST", f"{_CONFIRM}/request", headers=admin.headers), 202)
        token = await mailed(s, admin.email, "confirm")
        # Who registered the address had the mail sent; who reads it knows no password. Neither is enough.
        for headers in ({}, (await s.account("ann")).headers):
            expect(await _confirm(s, token, headers), 403, "the administrator's address is confirmed by whoever is not logged in with it")
        if (await me(s, admin.headers, 200, "the account")).body["role"] != "user":
            raise Fault("a token that was refused gives the administrator's role")
        expect(await _confirm(s, token, admin.headers), 204)
        told = await me(s, admin.headers, 200, "the account")
        if told.body["role"] != "admin" or told.body["email_confirmed"] is not True:
            raise Fault("whoever confirms the address in ADMIN_EMAIL is not admin", told)
    finally:
        await s.query(change, "admin", 1, admin.id)


async def _again(s: Session) -> None:
    login = await register(s, "again")
    path = f"{_CONFIRM}/request"
    expect(await s.client.send("POST", path), 401, "no credential")
    # Nobody waits for the pause between two mails to pass.
    hashes = 'SELECT "hash" FROM "user__token" WHERE "user_id" = ?'
    await s.query(f'UPDATE "user__asked" SET "at" = 0 WHERE "by" IN ({hashes})', login.id)
    expect(await s.client.send("POST", path, headers=login.headers), 202)
    first, second = await _tokens(s, login.email, "confirm", 2)
    expect(await _confirm(s, first), 204, "the first of two tokens")
    expect(await _confirm(s, second), 422, "the other token when the address is confirmed")


async def _resets(s: Session) -> None:
    login = await register(s, "forgot")
    other = await log_in(s, login)
    key: dict[str, Any] = await make_key(s, login.headers) if has_keys(s.plan) else {}
    token = await _reset_token(s, login.email)
    for password in ("short", None, 12345678, "x" * 201):
        expect_path(expect(await _reset(s, token, password), 422, "a bad password"), "password")
    expect(await _reset(s, token), 204)
    expect(await attempt(s, login.email, PASSWORD), 401, "the old password")
    for one in (login, other):
        await me(s, one.headers, 401, "a session from before the reset")
        expect(await refresh(s, one.refresh_token), 401, "a refresh token from before the reset")
    if key:
        await me(s, {"x-api-key": key["key"]}, 401, "a key from before the reset")
    after = await log_in(s, login, _OTHER)
    if confirms(s.plan) and not await _confirmed(s, after):
        raise Fault("whoever got the mail has the address, and yet it is not confirmed")


async def _once(s: Session) -> None:
    login = await register(s, "once")
    token = await _reset_token(s, login.email)
    answers = await asyncio.gather(*(_reset(s, token, f"{_OTHER} {n}") for n in range(3)))
    good = [n for n, a in enumerate(answers) if a.status == 204]
    if len(good) != 1:
        raise Fault(f"{len(good)} of 3 requests at once with one token set a password", answers[0])
    await log_in(s, login, f"{_OTHER} {good[0]}")
    expect_path(expect(await _reset(s, token), 422, "a token that was used"), "token")


async def _expired(s: Session) -> None:
    login = await register(s, "late")
    token = await _reset_token(s, login.email)
    [row] = await s.query('SELECT (julianday("expires_at") - julianday(\'now\')) * 24 AS "hours" FROM "user__token" WHERE "user_id" = ? AND "purpose" = ?', login.id, "reset")
    if not 0 < row["hours"] <= 1.02:
        raise Fault(f"a token that sets a password is good for {row['hours']:.1f} hours")
    await s.query('UPDATE "user__token" SET "expires_at" = ? WHERE "user_id" = ?', _PAST, login.id)
    expect_path(expect(await _reset(s, token), 422, "a token that is too old"), "token")
    await log_in(s, login)


async def _silent(s: Session) -> None:
    login, nobody = await register(s, "known"), f"unknown{s.number()}@example.com"
    known, unknown = await _request(s, login.email), await _request(s, nobody)
    for answer in (known, unknown):
        expect(answer, 202)
    if known.text != unknown.text or set(known.headers) != set(unknown.headers):
        raise Fault("the answers for known and unknown addresses differ", known)
    if await s.query('SELECT "id" FROM "user__outbox" WHERE "recipient" = ?', nobody):
        raise Fault("somebody without an account is mailed")
    for email in ("nobody", 5, None, f"a@example.com\r\nBcc: {nobody}", [login.email, nobody]):
        expect_path(expect(await _request(s, email), 422, str(email)), "email")


async def _pause(s: Session) -> None:
    login = await register(s, "flood")
    for answer in await asyncio.gather(*(_request(s, login.email) for _ in range(4))):
        expect(answer, 202)
    token = await mailed(s, login.email, "reset")
    expect(await _request(s, login.email), 202)
    if await mailed(s, login.email, "reset") != token:
        raise Fault("a second mail within a minute takes the place of the first")
    # Nobody can make a mail void by asking for more, and one reset makes all of them void.
    hashes = 'SELECT "hash" FROM "user__token" WHERE "user_id" = ?'
    await s.query(f'UPDATE "user__asked" SET "at" = 0 WHERE "by" IN ({hashes})', login.id)
    expect(await _request(s, login.email), 202)
    first, second = await _tokens(s, login.email, "reset", 2)
    expect(await _reset(s, first), 204, "the first of two tokens")
    expect(await _reset(s, second), 422, "the other token after a reset")


async def _guess(s: Session) -> None:
    for token in GUESSES:
        if confirms(s.plan):
            expect_path(expect(await _confirm(s, token), 422, "a guess"), "token")
        if resets(s.plan):
            expect_path(expect(await _reset(s, token), 422, "a guess"), "token")
    if confirms(s.plan):
        login = await register(s, "swap")
        token = await mailed(s, login.email, "confirm")
        if resets(s.plan):
            expect(await _reset(s, token), 422, "a token that confirms sets no password")
            expect(await _confirm(s, await _reset_token(s, login.email)), 422, "a token that sets a password confirms nothing")
        expect(await _confirm(s, token), 204)


async def _stored(s: Session) -> None:
    login = await register(s, "post")
    purpose = "confirm" if confirms(s.plan) else "reset"
    token = await (mailed(s, login.email, purpose) if confirms(s.plan) else _reset_token(s, login.email))
    await stored_as_hash(s, "user__token", token)
    admin = await s.account("admin")
    for path in ("/api/auth/outbox", "/api/outbox"):
        expect(await s.client.send("GET", path, headers=admin.headers), 404, "the outbox is no route")
