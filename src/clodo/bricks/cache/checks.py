"""Checks of the cache: that answers come from it, and that none is older than the last write."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from clodo.blueprint.plan import Child, LinkTable, Plan
from clodo.blueprint.values import Entity, OnDelete
from clodo.bricks.cache.brick import cached_entities, cached_paths
from clodo.proof.check import Check
from clodo.proof.client import Answer
from clodo.proof.session import Fault, Row, Session, expect

_PUBLIC = "public, no-cache"
_CREDENTIALS = ("authorization", "cookie", "x-api-key")
#: Other checks write to the same tables, and each write makes the next answer a fresh one.
_TRIES = 300
_IN_A_ROW = 10

_turns: WeakKeyDictionary[Session, asyncio.Lock] = WeakKeyDictionary()
#: Services that did not answer from the cache: nobody has to try as often again.
_cold: WeakSet[Session] = WeakSet()


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan."""
    b, lines = plan.blueprint, cached_entities(plan)
    paths = {cached.path for cached in cached_paths(plan)}
    for e in b.entities:
        if e.name in lines:
            yield _check("served", f"{e.name}: rows and lists come from the cache", partial(_served, e))
            yield _check("written", f"{e.name}: a write is seen by the next read", partial(_written, e))
            yield _check("private", f"{e.name}: a request with a credential is not answered from it", partial(_private, e))
    for child in plan.children:
        if f"/api/{plan.path(child.parent)}/{{id}}/{child.path}" in paths:
            rule = f"{child.parent.name}/{child.path}: a write is seen by the next read"
            yield _check("children", rule, partial(_children, child))
    for link in plan.links:
        if f"/api/{plan.path(link.source)}/{{id}}/{link.source_path}" in paths:
            rule = f"{link.source.name}/{link.source_path}: a link is seen by the next read"
            yield _check("links", rule, partial(_links, link))


def _check(id: str, rule: str, run: Any) -> Check:
    async def alone(s: Session) -> None:
        async with _turns.setdefault(s, asyncio.Lock()):
            await run(s)

    return Check(f"cache.{id}", rule, alone)


async def _get(s: Session, path: str) -> Answer:
    return await s.client.send("GET", path)


async def _warm(s: Session, path: str) -> Answer:
    """An answer from the cache."""
    tries = _IN_A_ROW if s in _cold else _TRIES
    for i in range(tries):
        answer = expect(await _get(s, path), 200)
        if answer.headers.get("x-cache") == "HIT":
            return answer
        if i > _IN_A_ROW:
            await asyncio.sleep(0.02)
    _cold.add(s)
    raise Fault(f"none of {tries} requests for one address was answered from the cache", answer)


def _holds(answer: Answer, row: Row) -> None:
    if answer.body != row:
        raise Fault("the answer is not the row as it is", answer)


def _lists(answer: Answer, *rows: Row) -> None:
    if sorted(item["id"] for item in answer.body["items"]) != sorted(row["id"] for row in rows):
        raise Fault("the list does not hold the rows that there are now", answer)


async def _served(e: Entity, s: Session) -> None:
    row = await s.create(e)
    one, many = s.path(e, row["id"]), f"{s.path(e)}?id={row['id']}"
    first = expect(await _get(s, one), 200)
    for answer in (first, await _warm(s, one)):
        _holds(answer, row)
        _told(answer)
    page = await _warm(s, many)
    if page.body["items"] != [row]:
        raise Fault("the list from the cache is not as the rows are", page)
    for path, tag in ((one, first.headers["etag"]), (many, page.headers["etag"])):
        same = await s.client.send("GET", path, headers={"if-none-match": tag})
        if expect(same, 304, "the ETag that the answer had").text:
            raise Fault("a 304 has a body", same)
        expect(await s.client.send("GET", path, headers={"if-none-match": '"another"'}), 200, "another ETag")
    head = expect(await s.client.send("HEAD", one), 200)
    if head.text:
        raise Fault("HEAD answered with a body", head)
    # Another question has another answer.
    _lists(expect(await _get(s, f"{s.path(e)}?id=nobody"), 200))
    expect(await _get(s, f"{many}&no_such=1"), 400)
    expect(await _get(s, s.path(e, "01890000-0000-7000-8000-000000000000")), 404)


def _told(answer: Answer) -> None:
    """What the headers of an answer say to those that keep answers."""
    varies = answer.headers.get("vary", "").lower()
    if answer.headers.get("cache-control") != _PUBLIC or not all(name in varies for name in _CREDENTIALS):
        raise Fault("Cache-Control or Vary would have others keep the answer for too long, or for too many", answer)
    if not answer.headers.get("etag", "").startswith('"') or answer.headers.get("x-cache") not in ("HIT", "MISS"):
        raise Fault("the answer has no ETag, or does not tell where it is from", answer)
    if answer.headers["x-cache"] == "HIT" and not answer.headers.get("age", "").isdigit():
        raise Fault("an answer from the cache does not tell its age", answer)


async def _written(e: Entity, s: Session) -> None:
    row = await s.create(e)
    one, many = s.path(e, row["id"]), f"{s.path(e)}?id={row['id']}"
    for f in e.fields:
        if f.read_only or f.write_only or f.made or f.computed is not None:
            continue
        await _warm(s, one)
        await _warm(s, many)
        changed = await s.patch(e, row["id"], {f.name: s.sample(e, f.name)})
        if changed.status == 409 or not s.settled(e, changed, 200, [f.name]):
            continue
        _holds(expect(await _get(s, one), 200), changed.body)
        if expect(await _get(s, many), 200).body["items"] != [changed.body]:
            raise Fault("a list shows a row as it was before a change")
        row = changed.body
        break
    await _warm(s, one)
    await _warm(s, many)
    expect(await s.delete(e, row["id"]), 204)
    expect(await _get(s, one), 404, "a deleted row")
    _lists(expect(await _get(s, many), 200))
    last = f"{s.path(e)}?sort=-id&limit=1"
    await _warm(s, last)
    made = await s.create(e)
    page = expect(await _get(s, last), 200)
    if page.body["items"][0]["id"] < made["id"]:
        raise Fault("a list does not hold the row that was just made", page)


async def _private(e: Entity, s: Session) -> None:
    row = await s.create(e)
    path = s.path(e, row["id"])
    await _warm(s, path)
    for name, value in (("authorization", "Bearer x"), ("x-api-key", "x"), ("cookie", "a=b")):
        answer = expect(await s.client.send("GET", path, headers={name: value}), 200)
        varies = answer.headers.get("vary", "").lower()
        if "x-cache" in answer.headers or answer.headers.get("cache-control") != "no-store" or name not in varies:
            raise Fault(f"a request with {name} is answered from the cache, or its answer may be kept", answer)
        _holds(answer, row)


async def _children(c: Child, s: Session) -> None:
    key = f"{c.reference.name}_id"
    up, alone = await s.create(c.parent), await s.create(c.parent)
    path, empty = (f"{s.path(c.parent, id)}/{c.path}" for id in (up["id"], alone["id"]))
    _lists(await _warm(s, path))
    await _warm(s, empty)
    expect(await s.delete(c.parent, alone["id"]), 204)
    expect(await _get(s, empty), 404, "the children of a row that is gone")
    row = await s.create(c.child, {key: up["id"]})
    _lists(expect(await _get(s, path), 200), row)
    _told(await _warm(s, path))
    expect(await s.delete(c.child, row["id"]), 204)
    _lists(expect(await _get(s, path), 200))
    row = await s.create(c.child, {key: up["id"]})
    one = s.path(c.child, row["id"])
    _holds(await _warm(s, one), row)
    await _warm(s, path)
    gone = await s.delete(c.parent, up["id"])
    if c.reference.on_delete is OnDelete.RESTRICT:
        expect(gone, 409, "a row in use")
        return
    expect(gone, 204)
    expect(await _get(s, path), 404, "the children of a row that is gone")
    if c.reference.on_delete is OnDelete.CASCADE:
        expect(await _get(s, one), 404, f"it went with its {c.parent.name}")
    elif expect(await _get(s, one), 200).body[key] is not None:
        raise Fault(f"{key} is told as it was before its {c.parent.name} went")


async def _links(link: LinkTable, s: Session) -> None:
    one, two = await s.create(link.source), await s.create(link.target)
    path = f"{s.path(link.source, one['id'])}/{link.source_path}"
    headers = {**await s.writer(link.source), **await s.writer(link.target)}
    _lists(await _warm(s, path))
    expect(await s.client.send("PUT", f"{path}/{two['id']}", headers=headers), 204)
    _lists(expect(await _get(s, path), 200), two)
    await _warm(s, path)
    expect(await s.client.send("DELETE", f"{path}/{two['id']}", headers=headers), 204)
    _lists(expect(await _get(s, path), 200))
    expect(await s.client.send("PUT", f"{path}/{two['id']}", headers=headers), 204)
    _lists(await _warm(s, path), two)
    expect(await s.delete(link.target, two["id"]), 204)
    _lists(expect(await _get(s, path), 200))
