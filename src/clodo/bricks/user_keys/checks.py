"""Checks of users' own keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from clodo.blueprint.plan import Plan
from clodo.bricks.sessions.brick import sessions_of
from clodo.bricks.sessions.probes import GUESSES, hashed, me, register
from clodo.proof.check import Check
from clodo.proof.session import Account, Fault, Headers, Session, expect, expect_path

_PATH = "/api/auth/keys"
_NEVER = "9999-12-31T23:59:59.000Z"


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan."""
    yield Check("user_keys.good", "a key stands for its user, in either header", _good)
    yield Check("user_keys.once", "a key is shown once, and stored only as its hash", _once)
    yield Check("user_keys.body", "a key needs a name, and an end in the future where it has one", _body)
    yield Check("user_keys.own", "users see and revoke their own keys alone", _own)
    yield Check("user_keys.revoked", "a revoked or expired key is 401", _revoked)
    yield Check("user_keys.guess", "guessed and altered keys are 401", _guess)
    yield Check("user_keys.account", "a key does not manage the account", _account)


async def make_key(s: Session, headers: Headers, **more: Any) -> dict[str, Any]:
    """A new key of the caller's."""
    answer = await s.client.send("POST", _PATH, {"name": "a program", **more}, headers=headers)
    return dict(expect(answer, 201, "a valid key").body)


def _both(key: str) -> tuple[Headers, Headers]:
    return {"x-api-key": key}, {"authorization": f"Bearer {key}"}


async def _ann(s: Session) -> tuple[Account, dict[str, Any]]:
    ann = await s.account("ann")
    return ann, await make_key(s, ann.headers, expires_at=_NEVER)


async def _good(s: Session) -> None:
    ann, key = await _ann(s)
    if key["last_used_at"] is not None or key["expires_at"] != _NEVER or not key["key"].startswith(key["prefix"]):
        raise Fault(f"a new key is {({**key, 'key': '…'})}")
    for headers in _both(key["key"]):
        shown = await me(s, headers, 200, "a key")
        if shown.body["id"] != ann.id:
            raise Fault("a key stands for someone else", shown)
    listed = expect(await s.client.send("GET", _PATH, headers=ann.headers), 200)
    [mine] = [k for k in listed.body["items"] if k["id"] == key["id"]]
    if mine["last_used_at"] is None:
        raise Fault("the list does not tell that a key was used", listed)


async def _once(s: Session) -> None:
    ann, key = await _ann(s)
    listed = expect(await s.client.send("GET", _PATH, headers=ann.headers), 200)
    if key["key"] in listed.text:
        raise Fault("the list shows a key again", listed)
    [row] = await s.query('SELECT * FROM "user__key" WHERE "id" = ?', key["id"])
    if any(key["key"].removeprefix(key["prefix"])[1:] in str(value) for value in row.values()):
        raise Fault("a key can be read in the database")
    if row["hash"] != hashed(key["key"]):
        raise Fault("the database does not hold the SHA-256 of a key")


async def _body(s: Session) -> None:
    ann = await s.account("ann")
    for body, path in (
        ({}, "name"), ({"name": ""}, "name"), ({"name": "x" * 101}, "name"), ({"name": 5}, "name"),
        ({"name": "x", "expires_at": "2020-01-01T00:00:00Z"}, "expires_at"), ({"name": "x", "expires_at": "soon"}, "expires_at"),
        ({"name": "x", "user_id": "x"}, "user_id"), ({"name": "x", "hash": "x"}, "hash"),
    ):  # fmt: skip
        answer = expect(await s.client.send("POST", _PATH, body, headers=ann.headers), 422, str(body))
        expect_path(answer, path)
    expect(await s.client.send("POST", _PATH, {"name": "x"}), 401, "no credential")


async def _own(s: Session) -> None:
    _, key = await _ann(s)
    ben = await s.account("ben")
    listed = expect(await s.client.send("GET", _PATH, headers=ben.headers), 200)
    if any(k["id"] == key["id"] for k in listed.body["items"]):
        raise Fault("the list holds someone else's key", listed)
    expect(await s.client.send("DELETE", f"{_PATH}/{key['id']}", headers=ben.headers), 404, "someone else's key")
    await me(s, {"x-api-key": key["key"]}, 200, "a key that a stranger tried to revoke")


async def _revoked(s: Session) -> None:
    ann, key = await _ann(s)
    target = f"{_PATH}/{key['id']}"
    expect(await s.client.send("DELETE", target, headers=ann.headers), 204)
    expect(await s.client.send("DELETE", target, headers=ann.headers), 404, "a key that is gone")
    for headers in _both(key["key"]):
        await me(s, headers, 401, "a revoked key")
    _, key = await _ann(s)
    await s.query('UPDATE "user__key" SET "expires_at" = ? WHERE "id" = ?', "2020-01-01T00:00:00.000Z", key["id"])
    for headers in _both(key["key"]):
        await me(s, headers, 401, "an expired key")


async def _guess(s: Session) -> None:
    ann, key = await _ann(s)
    other = await make_key(s, (await register(s, "key")).headers)
    secret = key["key"].removeprefix(key["prefix"])
    changed = secret[:-2] + ("AA" if secret[-2:] != "AA" else "BB")
    # The front of one key with the secret of another, and what a thief of the database would have.
    bad = (key["prefix"], key["prefix"] + changed, other["prefix"] + secret, key["key"] + "x", key["prefix"] + "_" + hashed(key["key"])[:43], ann.id, *GUESSES[1:])
    for guess in bad:
        for headers in _both(guess):
            await me(s, headers, 401, "a guess")


async def _account(s: Session) -> None:
    _, key = await _ann(s)
    headers = {"x-api-key": key["key"]}
    expect(await s.client.send("POST", _PATH, {"name": "another"}, headers=headers), 403, "a key that makes a key")
    expect(await s.client.send("GET", _PATH, headers=headers), 403, "a key that lists keys")
    expect(await s.client.send("DELETE", f"{_PATH}/{key['id']}", headers=headers), 403, "a key that revokes a key")
    if sessions_of(s.plan) is not None:
        expect(await s.client.send("POST", "/api/auth/logout-all", headers=headers), 403, "a key that ends sessions")
