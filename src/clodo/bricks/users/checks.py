"""Checks of accounts, tokens, owners and roles."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import math
import re
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

from clodo.blueprint.plan import Plan, is_owned
from clodo.blueprint.samples import sample
from clodo.blueprint.values import Entity, Field, Who
from clodo.bricks.users.doors import Door, doors
from clodo.bricks.users.profile import profile_checks
from clodo.bricks.users.timing import login_times
from clodo.proof.check import Check
from clodo.proof.client import Answer
from clodo.proof.session import PASSWORD, Fault, Row, Session, expect, expect_path


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan."""
    users = plan.blueprint.users
    if users is None:
        return
    yield Check("users.register", "registration answers the user and a token", _register)
    yield Check("users.password", "the right password logs in, and is never answered", _password)
    yield Check("users.stored", "a password is stored only as a salted hash", _stored)
    yield Check("users.login", "a wrong login is 401, whichever half was wrong", _login)
    yield Check("users.login-time", "a login takes as long for an account that is not there", login_times, alone=True)
    yield Check("users.token", "forged, expired and altered tokens are 401", _tokens)
    yield Check("users.role", "a role never comes from the body", _role)
    yield from profile_checks(users)
    for f in users.fields:
        if f.unique:
            yield Check("users.unique", f"users' {f.name} is unique", partial(_unique, f))
    for group in users.unique:
        yield Check("users.unique-together", f"users' {' and '.join(group)} are unique together", partial(_unique_together, group))
    for role in _named_roles(plan):
        yield Check("users.role", f"'{role}' may do what needs that role", partial(_has_role, role))
    for e in plan.blueprint.entities:
        for door in doors(plan.blueprint, e):
            if door.access.who in (Who.USER, Who.OWNER, Who.ROLE):
                rule = f"{e.name}: {door.verb} needs '{door.access}'"
                yield Check("users.needed", rule, partial(_needed, e, door))
        if is_owned(plan.blueprint, e):
            yield Check("users.owner", f"{e.name}: only the owner gets at a row", partial(_owner, e))
            for verb, access in (("read", plan.blueprint.read_access(e)), ("write", plan.blueprint.write_access(e)), ("delete", e.delete)):
                for role in access.roles if access is not None and access.who is Who.OWNER else ():
                    yield Check("users.owner-or-role", f"{e.name}: {verb} '{access}': the role '{role}' too", partial(_beside_owner, e, verb, role))


async def _register(s: Session) -> None:
    account = await s.account("ann")
    me = expect(await s.client.send("GET", "/api/auth/me", headers=account.headers), 200)
    if me.body["email"] != account.email or me.body["role"] != "user":
        raise Fault("the account is not the one that registered", me)
    again = s.registration(account.email.upper())
    expect_path(expect(await s.client.send("POST", "/api/auth/register", again), 409), "email")
    for changes, path in (
        ({"password": "short12"}, "password"), ({"password": None}, "password"), ({"email": "nobody"}, "email"),
        ({"email": 5}, "email"), ({"no_such_field": 1}, "no_such_field"), ({"id": "x"}, "id"), ({"password": 12345678}, "password"),
    ):  # fmt: skip
        body = {**s.registration(f"new{s.number()}@example.com"), **changes}
        answer = expect(await s.client.send("POST", "/api/auth/register", body), 422, str(changes))
        expect_path(answer, path)


async def _password(s: Session) -> None:
    account = await s.account("ann")
    body = {"email": account.email, "password": PASSWORD}
    for answer in (
        expect(await s.client.send("POST", "/api/auth/login", body), 200),
        expect(await s.client.send("GET", "/api/auth/me", headers=account.headers), 200),
    ):
        if PASSWORD in answer.text or "hash" in answer.text:
            raise Fault("an answer carries the password or its hash", answer)


async def _stored(s: Session) -> None:
    """No request shows what is stored, so this looks into the database. The hash tells its function
    and its rounds: ``pbkdf2-sha256$100000$…``."""
    wanted = [(await s.account(name)).id for name in ("ann", "admin")]
    rows = [(await s.query('SELECT * FROM "user" WHERE "id" = ?', id))[0] for id in wanted]
    for row in rows:
        if any(PASSWORD in str(value) for value in row.values()):
            raise Fault("the password can be read in the database")
        rounds = re.match(r"pbkdf2-sha256\$(\d+)\$", str(row["password_hash"]))
        if rounds is None or int(rounds[1]) < 100_000:
            raise Fault("the hash of a password does not tell that it took 100,000 rounds or more")
    # Both have the same password: a salt makes their hashes differ.
    if rows[0]["password_hash"] == rows[1]["password_hash"]:
        raise Fault("the same password gives the same hash: there is no salt")


async def _unique(f: Field, s: Session) -> None:
    async def register(changes: Row) -> Answer:
        body = {**s.registration(f"unique-{s.number()}@example.com"), **changes}
        return await s.client.send("POST", "/api/auth/register", body)

    for _ in range(10):
        taken = sample(f, s.number())
        if (first := await register({f.name: taken})).status != 409:
            break
    expect(first, 201, f"{f.name} = {taken!r}")
    for _ in range(10):
        again = expect(await register({f.name: taken}), 409, f"{f.name} taken")
        if again.body["errors"][0]["path"] == f.name:
            break  # else another unique value happened to be taken too
    expect_path(again, f.name)
    if not f.required and f.default is None:
        for _ in range(2):
            expect(await register({f.name: None}), 201, f"several users without {f.name}")


async def _unique_together(group: tuple[str, ...], s: Session) -> None:
    users = s.blueprint.users
    assert users is not None
    members = [f for f in users.fields if f.name in group]

    async def register(changes: Row) -> Answer:
        body = {**s.registration(f"together-{s.number()}@example.com"), **changes}
        return await s.client.send("POST", "/api/auth/register", body)

    for _ in range(10):
        taken = {f.name: sample(f, s.number()) for f in members}
        if (first := await register(taken)).status != 409:
            break
    expect(first, 201, f"{' and '.join(group)} of nobody else")
    for _ in range(10):
        again = expect(await register(taken), 409, f"{' and '.join(group)} taken")
        if again.body["errors"][0]["path"] in group:
            break  # else another unique value happened to be taken too
    for name in group:
        expect_path(again, name)
    for f in members:
        others = [value for value in (sample(f, s.number()) for _ in range(10)) if value != taken[f.name]]
        for other in others:
            if (fresh := await register({**taken, f.name: other})).status != 409:
                break  # else these happened to be taken too
        if others:
            expect(fresh, 201, f"another {f.name}")
        if not f.required and f.default is None:
            for _ in range(2):
                expect(await register({**taken, f.name: None}), 201, f"several users without {f.name}")


async def _login(s: Session) -> None:
    account = await s.account("ann")
    right = {"email": account.email, "password": PASSWORD}
    wrong = await s.client.send("POST", "/api/auth/login", {**right, "password": "wrong password"})
    nobody = {**right, "email": "nobody@example.com"}
    unknown = await s.client.send("POST", "/api/auth/login", nobody)
    for answer in (wrong, unknown):
        expect(answer, 401, "a wrong login")
        if "www-authenticate" not in answer.headers:
            raise Fault("the 401 has no WWW-Authenticate", answer)
    if wrong.text != unknown.text:
        raise Fault("a wrong login tells which half was wrong", wrong)
    expect(await s.client.send("POST", "/api/auth/login", {"email": account.email}), 422)


def _part(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def forge(payload: dict[str, Any], secret: str, *, alg: str = "HS256") -> str:
    """A token of our own making."""
    head = f"{_part({'alg': alg, 'typ': 'JWT'})}.{_part(payload)}"
    digest = hmac.new(secret.encode(), head.encode(), hashlib.sha256).digest()
    return f"{head}.{'' if alg == 'none' else _part(digest)}"


async def _tokens(s: Session) -> None:
    account = await s.account("ann")
    secret, now = s.secrets["JWT_SECRET"], int(time.time())
    head, payload, signature = account.token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    fresh = {**claims, "sub": account.id, "iat": now, "exp": now + 600}
    week = 7 * 24 * 60 * 60
    if not now < claims.get("exp", math.inf) <= now + week + 60:
        raise Fault("a token does not end within seven days")
    admin = await s.account("admin")
    bad = [
        forge(fresh, "another secret"), forge(fresh, ""), forge(fresh, secret, alg="none"),
        forge({**fresh, "exp": now - 10}, secret), forge({**fresh, "sub": "nobody"}, secret),
        f"{head}.{payload}.", f"{head}.{_part({**fresh, 'sub': admin.id})}.{signature}",
        f"{head}.{payload}", "x.y.z", "null", forge({"iat": now, "exp": now + 600}, secret),
    ]  # fmt: skip
    for token in bad:
        headers = {"authorization": f"Bearer {token}"}
        answer = expect(await s.client.send("GET", "/api/auth/me", headers=headers), 401, token[:40])
        if "www-authenticate" not in answer.headers:
            raise Fault("the 401 has no WWW-Authenticate", answer)
    expect(await s.client.send("GET", "/api/auth/me"), 401, "no token")
    good = {"authorization": f"Bearer {forge(fresh, secret)}"}
    expect(await s.client.send("GET", "/api/auth/me", headers=good), 200, "a good token")


async def _role(s: Session) -> None:
    body = {**s.registration(f"mallory{s.number()}@example.com"), "role": "admin"}
    expect_path(expect(await s.client.send("POST", "/api/auth/register", body), 422), "role")
    admin = await s.account("admin")
    me = expect(await s.client.send("GET", "/api/auth/me", headers=admin.headers), 200)
    if me.body["role"] != "admin":
        raise Fault("ADMIN_EMAIL did not register as admin", me)


def _named_roles(plan: Plan) -> list[str]:
    b = plan.blueprint
    rules = [rule for e in b.entities for rule in (b.read_access(e), b.write_access(e), b.create_access(e), b.delete_access(e))]
    return sorted({role for rule in rules for role in rule.roles} - {"admin"})


async def _has_role(role: str, s: Session) -> None:
    headers = (await s.account(f"role:{role}")).headers
    for e in s.blueprint.entities:
        for door in doors(s.blueprint, e):
            if role not in door.access.roles:
                continue
            method, path, body = await door.request(s, e)
            answer = await s.client.send(method, path, body, headers=headers)
            if answer.status in (401, 403):
                raise Fault(f"a user with the role {role} is refused", answer)


async def _needed(e: Entity, door: Door, s: Session) -> None:
    method, path, body = await door.request(s, e)
    answer = expect(await s.client.send(method, path, body), 401, "no credential")
    if "www-authenticate" not in answer.headers:
        raise Fault("the 401 has no WWW-Authenticate", answer)
    # Tokens are looked at in one place, wherever a user is asked for.
    if s.leads(e):
        forged = {"authorization": "Bearer " + forge({"sub": "x", "exp": 9999999999}, "guess")}
        expect(await s.client.send(method, path, body, headers=forged), 401, "a forged token")
    if "API_KEY" in s.secrets:
        key = {"x-api-key": s.secrets["API_KEY"]}
        expect(await s.client.send(method, path, body, headers=key), 403, "the key is no user")
    if door.access.who is Who.ROLE:
        plain = (await s.account("ann")).headers
        expect(await s.client.send(method, path, body, headers=plain), 403, "no such role")
    good = await s.headers(door.access)
    answer = await s.client.send(method, path, body, headers=good)
    if answer.status in (401, 403):
        raise Fault("the right caller is refused", answer)


async def _owner(e: Entity, s: Session) -> None:
    read, write, delete = s.blueprint.read_access(e), s.blueprint.write_access(e), s.blueprint.delete_access(e)
    private, maker = read.who is Who.OWNER, s.maker(e)
    row = await s.create(e, user=maker)
    if row.get("owner_id") != (await s.account(maker)).id:
        raise Fault(f"owner_id is {row.get('owner_id')!r}, not the creator")
    hidden = 404 if private or read.who is Who.ROLE else 403
    for method, body, rule in (("PATCH", {}, write), ("PUT", await s.body(e, user="ben"), write), ("DELETE", None, delete)):
        if rule.who is Who.OWNER:
            headers = {**await s.deleter(e, "ben"), **(await s.account("ben")).headers}
            answer = await s.client.send(method, s.path(e, row["id"]), body, headers=headers)
            expect(answer, hidden, f"{method} by someone else")
    if private and not read.roles:
        # Created by ann, and no role makes anyone else its owner.
        expect(await s.get(e, row["id"], user="admin"), 404, "reading by the admin")
        if row["id"] in await s.ids(e, {"id": row["id"]}, user="admin"):
            raise Fault("the list of the admin holds someone else's private row")
    other = await s.get(e, row["id"], user="ben")
    expect(other, 404 if private else 200, "reading by someone else")
    listed = row["id"] in await s.ids(e, {"limit": 100}, user="ben")
    if listed is private:
        raise Fault("the list of someone else holds a private row" if private else "it is not listed")
    expect(await s.get(e, row["id"], user=maker), 200, "reading by the owner")
    for child in s.blueprint.entities:
        for r in child.references:
            if private and r.target == e.name:
                await _foreign_reference(s, e, child, {f"{r.name}_id": row["id"]})
                await _own_reference(s, child, f"{r.name}_id", row["id"])
    expect(await s.patch(e, row["id"], {}, user=maker), 200, "changing by the owner")
    expect(await s.delete(e, row["id"], user=maker), 204, "deleting by the owner")


async def _beside_owner(e: Entity, verb: str, role: str, s: Session) -> None:
    """Whoever has the role gets at a row of somebody else, and at no less than the owner does."""
    maker = s.maker(e)
    row = await s.create(e, user=maker)
    headers = {**await s.writer(e, maker), **(await s.account(f"role:{role}")).headers}
    path = s.path(e, row["id"])
    if verb == "read":
        expect(await s.client.send("GET", path, headers=headers), 200, f"reading by the role {role}")
        listed = expect(await s.client.send("GET", f"{s.path(e)}?id={row['id']}", headers=headers), 200)
        if [r["id"] for r in listed.body["items"]] != [row["id"]]:
            raise Fault(f"the list of the role {role} lacks the row of somebody else", listed)
        return
    if verb == "write":
        changed = expect(await s.client.send("PATCH", path, {}, headers=headers), 200, f"changing by the role {role}")
        if changed.body["owner_id"] != (await s.account(maker)).id:
            raise Fault("a row that another has changed has another owner", changed)
    if verb == "write" and e.delete is not None:
        return
    expect(await s.client.send("DELETE", path, headers=headers), 204, f"deleting by the role {role}")


async def _foreign_reference(s: Session, e: Entity, child: Entity, key: dict[str, Any]) -> None:
    b = s.blueprint
    create, read = b.create_access(child), b.read_access(e)
    if create.who is Who.ROLE and read.roles:
        return  # ben has no role, and who has one may see the row
    headers = {**await s.writer(child, "ben"), **await s.headers(create, read, user="ben")}
    body = {**await s.body(child, user="ben"), **key}
    answer = await s.client.send("POST", s.path(child), body, headers=headers)
    expect(answer, 422, "a reference to someone else's private row")


async def _own_reference(s: Session, child: Entity, key: str, id: str) -> None:
    b = s.blueprint
    if Who.ROLE in (b.write_access(child).who, b.create_access(child).who, b.read_access(child).who):
        return  # ann has no role
    body = {**await s.body(child, user="ann"), key: id}
    made = expect(await s.post(child, body, user="ann"), 201, "a reference to a private row of one's own")
    expect(await s.delete(child, made.body["id"], user="ann"), 204)
