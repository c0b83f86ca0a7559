"""Checks of sessions: tokens that end, refresh tokens that are good once, logout."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Iterator
from typing import Any

from clodo.blueprint.plan import Plan
from clodo.bricks.sessions.language import Sessions
from clodo.bricks.sessions.probes import (
    GUESSES,
    Login,
    log_in,
    me,
    refresh,
    register,
    stored_as_hash,
)
from clodo.bricks.users.checks import forge
from clodo.proof.check import Check
from clodo.proof.client import Answer
from clodo.proof.session import Fault, Session, expect, expect_path

_MOST_SECONDS = 15 * 60
_AT_ONCE = 6


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan."""
    yield Check("sessions.short", "an access token ends within 15 minutes, and its session in the days said", _short)
    yield Check("sessions.stored", "a refresh token is stored only as its hash", _stored)
    yield Check("sessions.refresh", "a refresh token gives new tokens", _refresh)
    yield Check("sessions.reuse", "a refresh token is good once, and its reuse ends the session", _reuse)
    yield Check("sessions.guess", "guessed refresh tokens are 401", _guess)
    yield Check("sessions.forged", "an access token is good for its own session and user alone", _forged)
    yield Check("sessions.logout", "logout ends this session alone, at once", _logout)
    yield Check("sessions.logout_all", "logout-all ends every session of the caller, and of nobody else", _logout_all)
    yield Check("sessions.list", "the caller's sessions are listed, and can be ended", _list)
    yield Check("sessions.ended", "a session that has ended is good for nothing", _ended)


def claims_of(token: str) -> dict[str, Any]:
    """What an access token says."""
    return dict(json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "==")))


async def _short(s: Session) -> None:
    login = await register(s, "short")
    claims, now = claims_of(login.body["token"]), time.time()
    seconds = login.body.get("expires_in")
    if not 0 < claims["exp"] - now <= _MOST_SECONDS + 5:
        raise Fault("an access token does not end within 15 minutes", login.answer)
    if not isinstance(seconds, int) or abs(claims["exp"] - now - seconds) > 10:
        raise Fault("expires_in is not when the token ends", login.answer)
    [sessions] = s.blueprint.users.parts_of(Sessions) if s.blueprint.users else ()
    [row] = await s.query(
        'SELECT julianday("expires_at") - julianday("created_at") AS "days" FROM "user__session" WHERE "user_id" = ?', login.id
    )
    if abs(row["days"] - float(sessions.days)) > 0.01:
        raise Fault(f"a session lasts {row['days']} days, not {sessions.days}")


async def _stored(s: Session) -> None:
    login = await register(s, "stored")
    await stored_as_hash(s, "user__refresh", login.refresh_token)


def _pair(answer: Answer) -> tuple[dict[str, str], str]:
    body = expect(answer, 200, "a refresh token that is new").body
    return {"authorization": f"Bearer {body['token']}"}, str(body["refresh_token"])


async def _refresh(s: Session) -> None:
    login = await register(s, "refresh")
    headers, token = _pair(await refresh(s, login.refresh_token))
    if token == login.refresh_token:
        raise Fault("refreshing gives the same refresh token")
    shown = await me(s, headers, 200, "the new access token")
    if shown.body["id"] != login.id:
        raise Fault("the new token is someone else's", shown)
    _pair(await refresh(s, token))


async def _reuse(s: Session) -> None:
    login = await register(s, "reuse")
    other = await log_in(s, login)
    answers = await asyncio.gather(*(refresh(s, login.refresh_token) for _ in range(_AT_ONCE)))
    good = [a for a in answers if a.status == 200]
    if len(good) != 1:
        raise Fault(f"{len(good)} of {_AT_ONCE} requests at once with one refresh token got tokens", answers[0])
    for answer in answers:
        if answer.status != 200:
            expect(answer, 401, "a refresh token that was used")
    headers, token = _pair(good[0])
    expect(await refresh(s, token), 401, "the token of a session that was ended by reuse")
    await me(s, headers, 401, "the access token of a session that was ended by reuse")
    await me(s, other.headers, 200, "another session")
    # The last of a chain tells of a theft as the first does.
    chain = [other.refresh_token]
    for _ in range(2):
        chain.append(_pair(await refresh(s, chain[-1]))[1])
    expect(await refresh(s, chain[0]), 401, "a refresh token from long ago")
    expect(await refresh(s, chain[-1]), 401, "the newest token after the reuse of an old one")


async def _guess(s: Session) -> None:
    login = await register(s, "guess")
    for token in (*GUESSES, login.refresh_token[:-1], login.refresh_token + "A", login.body["token"][:200]):
        answer = expect(await refresh(s, token), 401, "a guess")
        if "www-authenticate" not in answer.headers:
            raise Fault("the 401 has no WWW-Authenticate", answer)
    for body, path in (({}, "refresh_token"), ({"refresh_token": 5}, "refresh_token"), ({"refresh_token": "x", "more": 1}, "more")):
        expect_path(expect(await s.client.send("POST", "/api/auth/refresh", body), 422), path)
    expect(await refresh(s, "x" * 201), 422, "a token that is too long")
    bearer = {"authorization": f"Bearer {login.refresh_token}"}
    await me(s, bearer, 401, "a refresh token is no access token")
    _pair(await refresh(s, login.refresh_token))


async def _forged(s: Session) -> None:
    """Even whoever has the secret of the tokens needs a session that is open."""
    ann, ben = await s.account("ann"), await register(s, "forged")
    claims, secret = claims_of(ben.body["token"]), s.secrets["JWT_SECRET"]
    bad = {
        "another user's session": {**claims, "sub": ann.id},
        "no session": {k: v for k, v in claims.items() if k != "sid"},
        "a session that is not there": {**claims, "sid": ann.id},
        "a session of another type": {**claims, "sid": [claims.get("sid")]},
    }
    for why, forged in bad.items():
        await me(s, {"authorization": f"Bearer {forge(forged, secret)}"}, 401, why)


async def _gone(s: Session, login: Login, why: str) -> None:
    await me(s, login.headers, 401, f"{why}: the access token")
    expect(await refresh(s, login.refresh_token), 401, f"{why}: the refresh token")


async def _logout(s: Session) -> None:
    login = await register(s, "logout")
    other = await log_in(s, login)
    expect(await s.client.send("POST", "/api/auth/logout"), 401, "no credential")
    expect(await s.client.send("POST", "/api/auth/logout", headers=login.headers), 204)
    await _gone(s, login, "after logout")
    await me(s, other.headers, 200, "another session")


async def _logout_all(s: Session) -> None:
    login = await register(s, "all")
    other, ann = await log_in(s, login), await s.account("ann")
    expect(await s.client.send("POST", "/api/auth/logout-all", headers=login.headers), 204)
    for one in (login, other):
        await _gone(s, one, "after logout-all")
    await me(s, ann.headers, 200, "the session of someone else")


async def _list(s: Session) -> None:
    path, agent = "/api/auth/sessions", {"user-agent": f"probe {'x' * 300}"}
    login = await register(s, "list")
    other, stranger = await log_in(s, login, headers=agent), await s.account("ann")
    listed = expect(await s.client.send("GET", path, headers=login.headers), 200)
    items = listed.body["items"]
    if [i["current"] for i in items] != [False, True]:
        raise Fault("the list is not the other session and then this one", listed)
    if not str(items[0]["agent"]).startswith("probe x") or len(items[0]["agent"]) > 200:
        raise Fault("a session does not tell the program that opened it, within bounds", listed)
    target = f"{path}/{items[0]['id']}"
    expect(await s.client.send("DELETE", target, headers=stranger.headers), 404, "someone else's session")
    await me(s, other.headers, 200, "a session that a stranger tried to end")
    expect(await s.client.send("DELETE", target, headers=login.headers), 204)
    await _gone(s, other, "after it was ended")
    expect(await s.client.send("DELETE", target, headers=login.headers), 404, "a session that is gone")


async def _ended(s: Session) -> None:
    """No request can wait for days; whoever runs the service can turn back the clock of a row."""
    login = await register(s, "ended")
    await s.query('UPDATE "user__session" SET "expires_at" = ? WHERE "user_id" = ?', "2020-01-01T00:00:00.000Z", login.id)
    await _gone(s, login, "after its end")
