"""Checks that tenants see nothing of one another, and of who belongs to them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from clodo.blueprint.constructs import construct_of
from clodo.blueprint.plan import Child, LinkTable, Plan
from clodo.blueprint.values import Entity, Field, Reference, Who
from clodo.bricks.actions.callers import Caller
from clodo.bricks.actions.values import Action
from clodo.bricks.tenants.document import METHODS, needs_tenant
from clodo.bricks.tenants.language import HEADER, belongs, tenants_of
from clodo.bricks.tenants.membership import membership_checks
from clodo.bricks.tenants.strangers import ALONE, STRANGER, body_of, made, prepare, sent_by
from clodo.bricks.transfer.bodies import ways
from clodo.proof.check import Check
from clodo.proof.client import Answer
from clodo.proof.session import Account, Fault, Headers, Row, Session, expect, expect_path

#: What a read of another tenant's row may be told: no row, or that the request is no fit one whatever the row.
_NOTHING = (400, 404, 426)


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan."""
    b = plan.blueprint
    for index, check in enumerate(membership_checks(plan)):
        yield check if index else Check(check.id, check.rule, check.run, prepare=prepare)
    for e in b.entities:
        if not belongs(b, e):
            continue
        yield Check("tenants.rows", f"{e.name}: rows are there for members of their tenant only", partial(_rows, e))
        yield Check("tenants.header", f"{e.name}: the header names a tenant that the caller is a member of", partial(_header, e))
        yield Check("tenants.set", f"{e.name}: the service sets whose a row is", partial(_set, e))
        yield Check("tenants.routes", f"{e.name}: no route leads to rows of another tenant", partial(_routes, e))
        for f in e.fields:
            if f.unique and not (f.read_only or f.write_only) and f.computed is None:
                yield Check("tenants.unique", f"{e.name}: {f.name} is unique within a tenant", partial(_unique, e, f))
        for r in e.references:
            rule = f"{e.name}: {r.name} refers to nothing of another tenant"
            target = b.entity(r.target)
            if target is None:
                yield Check("tenants.users", rule, partial(_users, e, r))
            elif belongs(b, target):
                yield Check("tenants.references", rule, partial(_references, e, r, target))
        for action in e.parts_of(Action):
            for given in action.parameters:
                if isinstance(given, Reference) and b.entity(given.target) is None:
                    rule = f"{e.name}.{action.name}: {given.name} is a member of the tenant"
                    yield Check("tenants.users", rule, partial(_given_users, e, action, given))
    for child in plan.children:
        if belongs(b, child.child):
            yield Check("tenants.children", f"{child.parent.name}: its {child.path} are those of the tenant", partial(_children, child))
    for link in plan.links:
        if belongs(b, link.source) and belongs(b, link.target):
            yield Check("tenants.links", f"{link.source.name}: {link.source_path} of another tenant are never linked", partial(_links, link))


async def _mine(s: Session, e: Entity) -> tuple[Row, Account, Headers]:
    """A row, and someone who must not know of it."""
    stranger = await s.account(STRANGER)
    return await s.create(e), stranger, sent_by(s, stranger)


def _told(answer: Answer, id: str) -> None:
    if id in answer.text and id not in answer.path:
        raise Fault("the answer tells of a row of another tenant", answer)


async def _rows(e: Entity, s: Session) -> None:
    row, _, headers = await _mine(s, e)
    path = s.path(e, row["id"])
    tries: tuple[tuple[str, Row | None], ...] = (("GET", None), ("PATCH", {}), ("PUT", await s.body(e)), ("DELETE", None))
    for method, body in tries:
        expect(await s.client.send(method, path, body, headers=headers), 404, f"{method} of another tenant's row")
    for params in ({"limit": "100"}, {"limit": "100", "sort": "-id"}, *_filters(e, row)):
        listed = expect(await s.client.send("GET", s.path(e), headers=headers, params=params), 200)
        if any(item["id"] == row["id"] for item in listed.body["items"]):
            raise Fault("the list of another tenant holds the row", listed)
    if expect(await s.get(e, row["id"]), 200, "a row that a stranger tried to change").body != row:
        raise Fault("a stranger changed the row")
    if row["id"] not in await s.ids(e, {"id": row["id"]}):
        raise Fault("its maker does not see the row")
    if s.blueprint.read_access(e).who is Who.OWNER:
        expect(await s.client.send("GET", path, headers=sent_by(s, await s.account("ann"))), 404, "another member's own row")
    elif row["id"] not in await s.ids(e, {"id": row["id"]}, user="ann"):
        raise Fault("another member does not see the row")


def _filters(e: Entity, row: Row) -> Iterator[dict[str, str]]:
    yield {"id": row["id"]}
    if (key := next((k for k in e.unique_within), None)) is not None:
        yield {key: row[key]}
    for r in e.references[:1]:
        if row.get(f"{r.name}_id"):
            yield {f"{r.name}_id": row[f"{r.name}_id"]}
    for name in e.search[:1]:
        if isinstance(row.get(name), str) and row[name].split():
            yield {"q": row[name].split()[0], "limit": "100", "sort": "-id"}


async def _header(e: Entity, s: Session) -> None:
    row, stranger, _ = await _mine(s, e)
    admin = await s.account("admin")
    theirs, path = admin.more[HEADER], s.path(e, row["id"])
    nobody = await s.account(ALONE)
    await s.query("UPDATE \"user\" SET \"role\" = 'admin' WHERE \"id\" = ?", nobody.id)
    unknown = "01890000-0000-7000-8000-00000000dead"
    for account, tenant in ((stranger, theirs), (nobody, theirs), (nobody, unknown), (nobody, "' OR 1=1 --")):
        headers = sent_by(s, account, tenant)
        streams = [("GET", f"{s.path(e)}/events?wait=0")] if any(construct_of(part).name == "live_line" for part in e.parts) else []
        for method, at in (("GET", s.path(e)), ("GET", path), ("PATCH", path), ("DELETE", path), *streams):
            answer = await s.client.send(method, at, {} if method == "PATCH" else None, headers=headers)
            expect(answer, 403, f"{method} in a tenant that one is no member of")
    headers = sent_by(s, nobody)
    doors: tuple[tuple[str, str, Row | None], ...] = (
        ("GET", s.path(e), None), ("GET", path, None), ("POST", s.path(e), await s.body(e)), ("DELETE", path, None),
    )  # fmt: skip
    for method, at, body in doors:
        expect_path(expect(await s.client.send(method, at, body, headers=headers), 400, "no tenant is named"), HEADER)
    expect(await s.client.send("GET", s.path(e), headers={HEADER: theirs}), 401, "a tenant without a credential")
    expect(await s.get(e, row["id"]), 200)


async def _set(e: Entity, s: Session) -> None:
    tenants = tenants_of(s.blueprint)
    assert tenants is not None
    row, stranger, headers = await _mine(s, e)
    for account, made_row in ((await s.account("admin"), row), (stranger, await made(s, e, stranger))):
        if made_row.get(tenants.key) != account.more[HEADER]:
            raise Fault(f"{tenants.key} is {made_row.get(tenants.key)!r}, not the tenant of the request")
    body = {**await body_of(s, e, stranger), tenants.key: row[tenants.key]}
    expect_path(expect(await s.client.send("POST", s.path(e), body, headers=headers), 422, "a tenant in the body"), tenants.key)
    answer = await s.client.send("PATCH", s.path(e, made_row["id"]), {tenants.key: row[tenants.key]}, headers=headers)
    expect_path(expect(answer, 422, "a tenant in the body"), tenants.key)


async def _routes(e: Entity, s: Session) -> None:
    row, _, headers = await _mine(s, e)
    ids = [row["id"]]
    if e.soft_delete:
        ids.append((await s.create(e))["id"])
        expect(await s.delete(e, ids[1]), 204)
    document = expect(await s.client.send("GET", "/openapi.json"), 200).body
    mine = f"{s.path(e)}/"
    for path, item in document["paths"].items():
        # What others are called is theirs to check; what spans all of them is looked at for each.
        if not needs_tenant(s.plan, path) or ("{" in path and not path.startswith(mine)):
            continue
        if "{" not in path and "get" in item:
            # What goes on by itself ends at once.
            params = {"wait": "0"} if _endless(item) else None
            answer = await s.client.send("GET", path, headers=headers, params=params)
            if any(id in answer.text for id in ids):
                raise Fault("a stranger is told of the row", answer)
            if _endless(item) and path.startswith(mine):
                await _streams(s, path)
        for id in ids if "{" in path else ():
            await _shut(s, item, re.sub(r"\{\w+\}", id, path), headers)
    if expect(await s.get(e, row["id"]), 200, "a row that a stranger tried everything with").body != row:
        raise Fault("a stranger changed the row")
    for id in ids[1:]:
        expect(await s.get(e, id), 404, "a deleted row that a stranger tried everything with")


def _endless(item: dict[str, Any]) -> bool:
    """Whether an answer would never end: a stream of events."""
    return "text/event-stream" in item["get"]["responses"].get("200", {}).get("content", {})


async def _streams(s: Session, path: str) -> None:
    """Who may not know of rows is told so, and not by a stream that breaks off."""
    nobody = await s.account(ALONE)
    await s.query("UPDATE \"user\" SET \"role\" = 'admin' WHERE \"id\" = ?", nobody.id)
    theirs = (await s.account("admin")).more[HEADER]
    shut = await s.client.send("GET", path, headers=sent_by(s, nobody, theirs), params={"wait": "0"})
    expect(shut, 403, "events in a tenant that one is no member of")
    unnamed = await s.client.send("GET", path, headers=sent_by(s, nobody), params={"wait": "0"})
    expect_path(expect(unnamed, 400, "no tenant is named"), HEADER)


async def _shut(s: Session, item: dict[str, Any], path: str, headers: Headers) -> None:
    for method in METHODS:
        if method not in item:
            continue
        body: Row | None = None if method in ("get", "delete") else {}
        answer = await s.client.send(method.upper(), path, body, headers=headers)
        if answer.status < 400 or (method == "get" and answer.status not in _NOTHING):
            raise Fault("a route leads to a row of another tenant", answer)


async def _unique(e: Entity, f: Field, s: Session) -> None:
    row, stranger, _ = await _mine(s, e)
    own = await made(s, e, stranger, {f.name: row[f.name]})
    if own[f.name] != row[f.name]:
        raise Fault(f"{f.name} was stored as {own[f.name]!r}")
    again = {**await body_of(s, e, stranger), f.name: row[f.name]}
    answer = expect(await s.client.send("POST", s.path(e), again, headers=sent_by(s, stranger)), 409, "taken within the tenant")
    errors = [error["path"] for error in answer.body["errors"]]
    if errors != [f.name]:
        raise Fault(f"the 409 names {errors}, not {f.name}", answer)
    for way in ways(e):
        theirs = (await s.create(e))[f.name]
        first, second, third = [await body_of(s, e, stranger) for _ in range(3)]
        rows = [{**first, f.name: theirs}, second, {**third, f.name: second[f.name]}]
        answer = expect(await way.send(s, rows, headers=sent_by(s, stranger)), 409, "taken within the request")
        if [error["path"] for error in answer.body["errors"]] != [f"{way.first + 2}.{f.name}"]:
            raise Fault("the 409 blames another row than the one whose value is taken within the tenant", answer)


async def _users(e: Entity, r: Reference, s: Session) -> None:
    stranger = await s.account(STRANGER)
    key = f"{r.name}_id"
    answer = expect(await s.post(e, await s.body(e, {key: stranger.id})), 422, "a user who is no member")
    expect_path(answer, key)
    row = await s.create(e)
    expect_path(expect(await s.patch(e, row["id"], {key: stranger.id}), 422, "a user who is no member"), key)
    member = (await s.account("admin")).id
    changed = await s.patch(e, row["id"], {key: member})
    if s.settled(e, changed, 200, [key]) and changed.body[key] != member:
        raise Fault(f"{key} did not change", changed)


async def _given_users(e: Entity, action: Action, given: Reference, s: Session) -> None:
    row, stranger, key = await s.create(e), await s.account(STRANGER), f"{given.name}_id"
    path = f"{s.path(e, row['id'])}/{action.segment}"
    answer = await s.client.send("POST", path, {key: stranger.id}, headers=await Caller(s, e, action).headers())
    expect_path(expect(answer, 422, "a user who is no member"), key)


async def _references(e: Entity, r: Reference, target: Entity, s: Session) -> None:
    theirs, stranger, headers = await _mine(s, target)
    key = f"{r.name}_id"
    body = {**await body_of(s, e, stranger), key: theirs["id"]}
    expect_path(expect(await s.client.send("POST", s.path(e), body, headers=headers), 422, "a row of another tenant"), key)
    for way in ways(e):
        answer = expect(await way.send(s, [body], headers=headers), 422, "a row of another tenant")
        expect_path(answer, f"{way.first}.{key}")
    own = await made(s, e, stranger)
    answer = await s.client.send("PATCH", s.path(e, own["id"]), {key: theirs["id"]}, headers=headers)
    expect_path(expect(answer, 422, "a row of another tenant"), key)


async def _children(child: Child, s: Session) -> None:
    b, key = s.blueprint, f"{child.reference.name}_id"
    parent, stranger, headers = await _mine(s, child.parent)
    row = await s.create(child.child, {key: parent["id"]})
    path = f"{s.path(child.parent, parent['id'])}/{child.path}"
    mine = expect(await s.client.send("GET", path, headers=await s.reader(child.child) | await s.reader(child.parent)), 200)
    if row["id"] not in mine.text:
        raise Fault("a member does not see the row below its parent", mine)
    shut = belongs(b, child.parent)
    _told(expect(await s.client.send("GET", path, headers=headers), 404 if shut else 200), row["id"])
    if shut:
        body = await body_of(s, child.child, stranger, {key: parent["id"]})
        expect(await s.client.send("POST", path, {k: v for k, v in body.items() if k != key}, headers=headers), 404)


async def _links(link: LinkTable, s: Session) -> None:
    stranger = await s.account(STRANGER)
    headers = sent_by(s, stranger)
    own = [await made(s, e, stranger) for e in (link.source, link.target)]
    theirs = [await s.create(e) for e in (link.source, link.target)]
    for here, there in ((own[0], theirs[1]), (theirs[0], own[1]), theirs):
        path = f"{s.path(link.source, here['id'])}/{link.source_path}/{there['id']}"
        for method in ("PUT", "DELETE"):
            expect(await s.client.send(method, path, headers=headers), 404, f"{method} of a link to another tenant")
    path = f"{s.path(link.source, own[0]['id'])}/{link.source_path}/{own[1]['id']}"
    expect(await s.client.send("PUT", path, headers=headers), 204, "a link within the tenant")
