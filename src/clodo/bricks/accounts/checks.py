"""Checks of passwords changed and roles given."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from clodo.blueprint.plan import Plan
from clodo.bricks.accounts.brick import has, roles_of
from clodo.bricks.accounts.language import ChangePassword, ManageRoles
from clodo.bricks.sessions.probes import attempt, log_in, me, refresh, register
from clodo.proof.check import Check
from clodo.proof.client import Answer
from clodo.proof.session import PASSWORD, Fault, Headers, Session, expect, expect_path

_PASSWORD, _USERS = "/api/auth/password", "/api/users"
_OTHER = "another fine password"


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan."""
    if has(plan, ChangePassword):
        yield Check("accounts.password", "whoever knows a password changes it, and the other sessions end", _changes)
        yield Check("accounts.password_wrong", "without the present password nothing is changed", _wrong)
    if has(plan, ManageRoles):
        yield Check("accounts.roles", "administrators alone list users and give roles", _roles)
        yield Check("accounts.list", "the list of users is paged and filtered, and holds no secret", _list)
        for name in _searched(plan):
            yield Check("accounts.search", f"the list of users is searched in {name}", partial(_search, name))
        yield Check("accounts.last", "the last administrator stays one", _last)


async def _change(s: Session, headers: Headers, current: object, password: object) -> Answer:
    return await s.client.send("PUT", _PASSWORD, {"current_password": current, "password": password}, headers=headers)


async def _changes(s: Session) -> None:
    login = await register(s, "change")
    other, ann = await log_in(s, login), await s.account("ann")
    expect(await _change(s, login.headers, PASSWORD, _OTHER), 204)
    await me(s, login.headers, 200, "this session")
    await me(s, other.headers, 401, "another session")
    expect(await refresh(s, other.refresh_token), 401, "the refresh token of another session")
    await me(s, ann.headers, 200, "someone else's session")
    expect(await attempt(s, login.email, PASSWORD), 401, "the old password")
    await log_in(s, login, _OTHER)


async def _wrong(s: Session) -> None:
    login = await register(s, "wrong")
    expect_path(expect(await _change(s, login.headers, "not my password", _OTHER), 422), "current_password")
    for password in ("short", None, "x" * 201):
        expect_path(expect(await _change(s, login.headers, PASSWORD, password), 422, str(password)), "password")
    expect_path(expect(await s.client.send("PUT", _PASSWORD, {"password": _OTHER}, headers=login.headers), 422), "current_password")
    expect(await _change(s, {}, PASSWORD, _OTHER), 401, "no credential")
    expect(await attempt(s, login.email, PASSWORD), 200, "the password that was not changed")


async def _give(s: Session, who: Headers, id: str, role: object) -> Answer:
    return await s.client.send("PATCH", f"{_USERS}/{id}", {"role": role}, headers=who)


async def _roles(s: Session) -> None:
    admin, ann = await s.account("admin"), await s.account("ann")
    someone = await s.account(f"given{s.number()}")
    path = f"{_USERS}/{someone.id}"
    for method, target in (("GET", _USERS), ("GET", path), ("PATCH", path)):
        body = {"role": "admin"} if method == "PATCH" else None
        expect(await s.client.send(method, target, body), 401, "no credential")
        expect(await s.client.send(method, target, body, headers=ann.headers), 403, "no administrator")
    expect(await _give(s, ann.headers, ann.id, "admin"), 403, "a role for oneself")
    users = s.blueprint.users
    assert users is not None
    for role in (*(r for r in roles_of(users) if r != "admin"), "user"):
        given = expect(await _give(s, admin.headers, someone.id, role), 200)
        shown = await me(s, someone.headers, 200, "the user")
        if given.body["role"] != role or shown.body["role"] != role:
            raise Fault(f"the role is not {role!r}", shown)
    for bad in ("emperor", None, 5, ["admin"]):
        expect_path(expect(await _give(s, admin.headers, someone.id, bad), 422, str(bad)), "role")
    for key in ("email", "id", "password_hash"):
        answer = await s.client.send("PATCH", path, {key: "x@example.com"}, headers=admin.headers)
        expect_path(expect(answer, 422, key), key)
    expect(await _give(s, admin.headers, "nobody", "user"), 404, "no such user")


async def _list(s: Session) -> None:
    admin, ann = await s.account("admin"), await s.account("ann")
    page = expect(await s.client.send("GET", _USERS, headers=admin.headers, params={"limit": 1}), 200)
    if len(page.body["items"]) != 1 or page.body["next_cursor"] is None:
        raise Fault("a page of one user is not followed by another", page)
    found = expect(await s.client.send("GET", _USERS, headers=admin.headers, params={"email": ann.email}), 200)
    one = expect(await s.client.send("GET", f"{_USERS}/{ann.id}", headers=admin.headers), 200)
    if found.body["items"] != [one.body] or one.body["email"] != ann.email:
        raise Fault("the list filtered by an address is not that user alone", found)
    for params in ({"password_hash": "x"}, {"sort": "password_hash"}, {"password_hash_min": "a"}):
        expect(await s.client.send("GET", _USERS, headers=admin.headers, params=params), 400, str(params))


def _searched(plan: Plan) -> tuple[str, ...]:
    users = plan.blueprint.users
    return users.search if users is not None else ()


async def _search(name: str, s: Session) -> None:
    admin, someone = await s.account("admin"), await s.account("ben")

    async def found(q: str) -> list[str]:
        params = {"q": q, "id": someone.id}
        page = expect(await s.client.send("GET", _USERS, headers=admin.headers, params=params), 200, f"q={q}")
        return [row["id"] for row in page.body["items"]]

    shown = expect(await s.client.send("GET", f"{_USERS}/{someone.id}", headers=admin.headers), 200).body[name]
    text = " ".join(shown) if isinstance(shown, list) else str(shown or "")
    words = text.split()[:8]
    for q in (text.split()[0].lower(), text.split()[0].upper(), " ".join(words)) if words else ():
        if await found(q) != [someone.id]:
            raise Fault(f"q did not find the {name} of a user by {q!r}")
    if await found("zzqx-no-such-word") or await found(f"{' '.join(words[:1])} zzqx-no-such-word"):
        raise Fault("q found a user without the words")
    many = await s.client.send("GET", _USERS, headers=admin.headers, params={"q": "a b c d e f g h i"})
    expect_path(expect(many, 400), "q")


async def _last(s: Session) -> None:
    """That of two who dismiss each other one remains is for the tests of this brick: here every check needs the one."""
    admin = await s.account("admin")
    answer = await _give(s, admin.headers, admin.id, "user")
    if answer.status == 200:
        await s.query('UPDATE "user" SET "role" = ? WHERE "id" = ?', "admin", admin.id)
    expect(answer, 409, "the last administrator")
    second = await s.account(f"second{s.number()}")
    expect(await _give(s, admin.headers, second.id, "admin"), 200)
    expect(await _give(s, second.headers, second.id, "user"), 200, "one of two administrators")
    expect(await _give(s, second.headers, second.id, "admin"), 403, "an administrator no more")
