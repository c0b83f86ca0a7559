"""Checks of session cookies: how they are set, and what other sites cannot do with them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from clodo.blueprint.plan import Plan
from clodo.bricks.cookies.brick import cookies_of
from clodo.bricks.sessions.brick import sessions_of
from clodo.bricks.sessions.probes import (
    GUESSES,
    Login,
    attempt,
    log_in,
    me,
    register,
    stored_as_hash,
)
from clodo.proof.check import Check
from clodo.proof.client import Answer
from clodo.proof.session import PASSWORD, Fault, Headers, Session, expect

_NAME = "__Host-session"
_ELSEWHERE = "https://evil.example"


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan."""
    yield Check("cookies.set", "a login sets a cookie that is HttpOnly, Secure and SameSite=Lax", _set)
    yield Check("cookies.stored", "a cookie is stored only as its hash", _stored)
    yield Check("cookies.csrf", "with a cookie alone nothing can be changed", _csrf)
    yield Check("cookies.origin", "a page of another site can change nothing, and log nobody in", _origin)
    yield Check("cookies.forged", "guessed and altered cookies are 401", _forged)
    yield Check("cookies.fixation", "a login gives a cookie of its own, whatever came with it", _fixation)
    yield Check("cookies.logout", "logout ends the cookie, and has the browser forget it", _logout)


def cookie_in(answer: Answer) -> str:
    """The value of the cookie that an answer sets."""
    found = re.match(rf"{_NAME}=([^;]+);", answer.headers.get("set-cookie", ""))
    if found is None:
        raise Fault(f"there is no cookie {_NAME}", answer)
    return found[1]


def _headers(cookie: str, csrf: str | None = None, **more: str) -> Headers:
    token = {} if csrf is None else {"x-csrf-token": csrf}
    return {"cookie": f"theme=dark; {_NAME}={cookie}", **token, **{k.replace("_", "-"): v for k, v in more.items()}}


def _of(login: Login) -> tuple[str, str]:
    return cookie_in(login.answer), str(login.body["csrf_token"])


async def _set(s: Session) -> None:
    sessions = sessions_of(s.plan)
    assert sessions is not None
    login = await register(s, "set")
    for answer in (login.answer, (await log_in(s, login)).answer):
        attributes = {a.strip().lower() for a in answer.headers.get("set-cookie", "").split(";")[1:]}
        wanted = {"httponly", "secure", "samesite=lax", "path=/", f"max-age={int(sessions.days) * 86400}"}
        if not wanted <= attributes or any(a.startswith("domain") for a in attributes):
            raise Fault(f"the cookie is not {', '.join(sorted(wanted))} and without a domain", answer)
        shown = await me(s, _headers(cookie_in(answer)), 200, "the cookie")
        if shown.body["id"] != login.id:
            raise Fault("the cookie is someone else's", shown)
    wrong = expect(await attempt(s, login.email, "wrong password"), 401)
    if "set-cookie" in wrong.headers:
        raise Fault("a wrong login sets a cookie", wrong)


async def _stored(s: Session) -> None:
    await stored_as_hash(s, "user__cookie", _of(await register(s, "jar"))[0])


async def _csrf(s: Session) -> None:
    login, stranger = await register(s, "csrf"), await register(s, "stranger")
    (cookie, csrf), (_, other) = _of(login), _of(stranger)
    for token in (None, "", "x", csrf[:-1], csrf.upper(), other):
        answer = await s.client.send("POST", "/api/auth/logout-all", headers=_headers(cookie, token))
        expect(answer, 403, "a change without the token of this session")
    await me(s, login.headers, 200, "the session is still open")
    told = expect(await s.client.send("GET", "/api/auth/csrf", headers=_headers(cookie)), 200)
    if told.body["csrf_token"] != csrf:
        raise Fault("GET /api/auth/csrf gives another token", told)
    expect(await s.client.send("GET", "/api/auth/csrf"), 401, "no cookie")
    # A bearer token is sent by nobody but the page that holds it.
    expect(await s.client.send("POST", "/api/auth/logout", headers=login.headers), 204)


async def _origin(s: Session) -> None:
    login = await register(s, "origin")
    cookie, csrf = _of(login)
    foreign: list[dict[str, str]] = [{"origin": _ELSEWHERE}, {"origin": "null"}, {"sec_fetch_site": "cross-site"}]
    for more in foreign:
        answer = await s.client.send("POST", "/api/auth/logout-all", headers=_headers(cookie, csrf, **more))
        expect(answer, 403, f"{more}")
    await me(s, login.headers, 200, "the session is still open")
    await me(s, {**_headers(cookie), "origin": _ELSEWHERE}, 200, "reading is guarded by the browser")
    elsewhere = expect(await attempt(s, login.email, PASSWORD, {"origin": _ELSEWHERE}), 200)
    if "set-cookie" in elsewhere.headers:
        raise Fault("a page of another site logs its visitor in", elsewhere)
    cookies = cookies_of(s.plan)
    for origin in cookies.origins if cookies is not None else ():
        friendly = await log_in(s, login, headers={"origin": origin})
        (cookie, csrf) = _of(friendly)
        expect(await s.client.send("POST", "/api/auth/logout", headers=_headers(cookie, csrf, origin=origin)), 204, origin)


async def _forged(s: Session) -> None:
    login = await register(s, "baker")
    cookie, _ = _of(login)
    last = "A" if cookie[-2] != "A" else "B"
    # Lastly what is secret in other places: none of it is a cookie.
    for value in (*GUESSES[1:3], cookie[:-2] + last + cookie[-1], cookie + "x", login.refresh_token, login.id):
        await me(s, _headers(value), 401, "a cookie that nobody gave out")
    await me(s, {"authorization": f"Bearer {cookie}"}, 401, "a cookie is no bearer token")


async def _fixation(s: Session) -> None:
    login, planted = await register(s, "fixed"), "planted" + "x" * 36
    again = await log_in(s, login, headers=_headers(planted))
    if cookie_in(again.answer) in (planted, cookie_in(login.answer)):
        raise Fault("a login keeps a cookie that was there before", again.answer)
    await me(s, _headers(planted), 401, "a planted cookie after a login")


async def _logout(s: Session) -> None:
    login = await register(s, "bye")
    cookie, csrf = _of(login)
    left = expect(await s.client.send("POST", "/api/auth/logout", headers=_headers(cookie, csrf)), 204)
    if f"{_NAME}=;" not in left.headers.get("set-cookie", "") or "max-age=0" not in left.headers["set-cookie"].lower():
        raise Fault("logout does not have the browser forget the cookie", left)
    await me(s, _headers(cookie), 401, "the cookie after logout")
    await me(s, login.headers, 401, "the token of the same session after logout")
