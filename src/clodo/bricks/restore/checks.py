"""Checks of deleted rows that come back."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Blueprint, Entity, OnDelete, Reference, Who
from clodo.bricks.resources.deleting import mere_writer, refusal
from clodo.bricks.restore.brick import restorable
from clodo.proof.check import Check
from clodo.proof.client import Answer
from clodo.proof.session import Fault, Headers, Row, Session, expect, expect_path

_NOBODY = "01890000-0000-7000-8000-00000000dead"


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan."""
    b = plan.blueprint
    for e in restorable(plan):
        yield Check("restore.back", f"{e.name}: a deleted row comes back as it was", partial(_back, e))
        yield Check("restore.list", f"{e.name}: deleted rows are listed, and no others", partial(_listed, e))
        yield Check("restore.access", f"{e.name}: who may not {'write' if e.delete is None else 'delete'} may not restore", partial(_access, e))
        if any(f.unique and not (f.write_only or f.read_only) and f.computed is None for f in e.fields):
            yield Check("restore.taken", f"{e.name}: no row comes back whose unique value was taken", partial(_taken, e))
        for r in e.references:
            parent = b.entity(r.target)
            if parent is not None and parent.soft_delete and parent is not e:
                yield Check("restore.parent", f"{e.name}: no row comes back before its {r.name}", partial(_parent, e, r, parent))
        for child, r in _taken_along(b, e):
            rule = f"{e.name}: every {child.name} that was deleted with it comes back too"
            yield Check("restore.cascade", rule, partial(_cascade, e, child, r))


def _taken_along(b: Blueprint, e: Entity) -> Iterator[tuple[Entity, Reference]]:
    for child in b.entities:
        for r in child.references:
            if r.target == e.name and r.on_delete is OnDelete.CASCADE and child.soft_delete and child is not e:
                yield child, r


async def _may(s: Session, e: Entity, user: str) -> Headers:
    return await s.headers(s.blueprint.delete_access(e), s.blueprint.read_access(e), user=user)


async def _restore(s: Session, e: Entity, id: str, user: str = "admin") -> Answer:
    return await s.client.send("POST", f"{s.path(e, id)}/restore", headers=await _may(s, e, user))


async def _deleted(s: Session, e: Entity, params: Row, user: str = "admin") -> Answer:
    return await s.client.send("GET", f"{s.path(e)}/deleted", headers=await _may(s, e, user), params=params)


async def _back(e: Entity, s: Session) -> None:
    made = await s.create(e)
    row = expect(await s.get(e, made["id"]), 200).body
    expect(await _restore(s, e, row["id"]), 409, "the row is not deleted")
    expect(await s.delete(e, row["id"]), 204)
    answer = expect(await _restore(s, e, row["id"]), 200)
    read = expect(await s.get(e, row["id"]), 200, "a restored row")
    if answer.body != read.body or {**read.body, "updated_at": ""} != {**row, "updated_at": ""}:
        raise Fault("the row is not as it was before it was deleted", answer)
    if row["id"] not in await s.ids(e, {"id": row["id"]}):
        raise Fault("a restored row is not listed")
    expect(await _restore(s, e, row["id"]), 409, "the row is not deleted any more")
    expect(await _restore(s, e, _NOBODY), 404, "no such row")


async def _listed(e: Entity, s: Session) -> None:
    gone, kept = await s.create(e), await s.create(e)
    expect(await s.delete(e, gone["id"]), 204)
    answer = expect(await _deleted(s, e, {"id": gone["id"]}), 200)
    if [row["id"] for row in answer.body["items"]] != [gone["id"]]:
        raise Fault("a deleted row is not listed", answer)
    answer = expect(await _deleted(s, e, {"id": kept["id"]}), 200)
    if answer.body["items"]:
        raise Fault("a row that is not deleted is listed", answer)
    expect_path(expect(await _deleted(s, e, {"no_such": 1}), 400), "no_such")
    expect(await _restore(s, e, gone["id"]), 200)
    answer = expect(await _deleted(s, e, {"id": gone["id"]}), 200)
    if answer.body["items"]:
        raise Fault("a restored row is still listed among the deleted ones", answer)


async def _access(e: Entity, s: Session) -> None:
    rule, maker = s.blueprint.delete_access(e), s.maker(e)
    user = maker if rule.who is Who.OWNER else "admin"
    row = await s.create(e, user=user)
    expect(await s.delete(e, row["id"], user=user), 204)
    writer = await mere_writer(s, e) if e.delete is not None and rule.who is not Who.OWNER else None
    doors = (("GET", f"{s.path(e)}/deleted"), ("POST", f"{s.path(e, row['id'])}/restore"))
    for method, path in doors:
        if rule.who is not Who.PUBLIC:
            expect(await s.client.send(method, path), 401, "without a credential")
        if rule.who is Who.ROLE:
            expect(await s.client.send(method, path, headers=(await s.account("ann")).headers), 403, "without the role")
        if writer is not None:
            expect(await s.client.send(method, path, headers=writer), refusal(writer), "by someone who may only write")
    if rule.who is Who.OWNER and s.blueprint.read_access(e).who is not Who.ROLE:
        expect(await _restore(s, e, row["id"], "ben"), 404, "someone else's deleted row")
        if expect(await _deleted(s, e, {"id": row["id"]}, "ben"), 200).body["items"]:
            raise Fault("someone else's deleted row is listed")
        expect(await _restore(s, e, row["id"], maker), 200, "one's own deleted row")


async def _taken(e: Entity, s: Session) -> None:
    f = next(f for f in e.fields if f.unique and not (f.write_only or f.read_only) and f.computed is None)
    row = await s.create(e)
    expect(await s.delete(e, row["id"]), 204)
    other = await s.create(e, {f.name: row[f.name]})
    expect_path(expect(await _restore(s, e, row["id"]), 409, f"its {f.name} was taken"), f.name)
    expect(await s.get(e, row["id"]), 404, "a row that could not come back")
    expect(await s.delete(e, other["id"]), 204)
    expect(await _restore(s, e, row["id"]), 200, f"its {f.name} is free again")


async def _parent(e: Entity, r: Reference, parent: Entity, s: Session) -> None:
    above = await s.create(parent)
    row = await s.create(e, {f"{r.name}_id": above["id"]})
    expect(await s.delete(e, row["id"]), 204)
    expect(await s.delete(parent, above["id"]), 204)
    expect(await _restore(s, e, row["id"]), 409, f"its {r.name} is deleted")
    expect(await s.get(e, row["id"]), 404, "a row that could not come back")


async def _cascade(e: Entity, child: Entity, r: Reference, s: Session) -> None:
    row = await s.create(e)
    first, second = [await s.create(child, {f"{r.name}_id": row["id"]}, apart=True) for _ in range(2)]
    expect(await s.delete(child, first["id"]), 204)
    expect(await s.delete(e, row["id"]), 204)
    expect(await s.get(child, second["id"]), 404, "it was deleted along")
    expect(await _restore(s, e, row["id"]), 200)
    expect(await s.get(child, second["id"]), 200, "it was deleted with the other")
    expect(await s.get(child, first["id"]), 404, "it was deleted before the other")
