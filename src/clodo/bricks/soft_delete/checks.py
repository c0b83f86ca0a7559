"""Checks of deletion that only hides."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Blueprint, Entity, OnDelete, Reference
from clodo.proof.check import Check
from clodo.proof.session import Fault, Session, StatementRefused, expect, expect_path

#: How often two requests race: without a guard more than half of the rounds are lost.
_ROUNDS = 12


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan."""
    for e in plan.blueprint.entities:
        if e.soft_delete:
            yield Check("soft_delete.hidden", f"{e.name}: deleted rows are hidden", partial(_hidden, e))
            for r in e.references:
                target = plan.blueprint.entity(r.target)
                if target is not None and target is not e and r.on_delete is OnDelete.RESTRICT:
                    rule = f"{e.name}.{r.name}: a hidden row does not hold back its {r.target}"
                    yield Check("soft_delete.releases", rule, partial(_lets_go, e, r, target))
            for child in plan.blueprint.entities:
                for r in child.references:
                    if r.target == e.name and child is not e:
                        rule = f"{child.name}.{r.name}: no row comes below a {e.name} while that is deleted"
                        yield Check("soft_delete.race", rule, partial(_race, e, child, r))
            for r, middle, up in _holders(plan.blueprint, e):
                rule = f"{e.name}.{r.name}: hidden rows do not hold back a {up.target}"
                yield Check("soft_delete.releases", rule, partial(_releases, e, r, middle, up))


def _holders(b: Blueprint, e: Entity) -> Iterator[tuple[Reference, Entity, Reference]]:
    """Where a row of ``e`` holds back one that is two references away."""
    for r in e.references:
        middle = b.entity(r.target)
        for up in middle.references if middle is not None and middle is not e else ():
            top = b.entity(up.target)
            plain = top is not None and top is not middle and top is not e
            if middle is not None and plain and r.on_delete is OnDelete.RESTRICT:
                yield r, middle, up


async def _lets_go(e: Entity, r: Reference, target: Entity, s: Session) -> None:
    first = await s.create(target)
    row = await s.create(e, {f"{r.name}_id": first["id"]})
    expect(await s.delete(target, first["id"]), 409, f"a {e.name} refers to it")
    expect(await s.delete(e, row["id"]), 204)
    expect(await s.delete(target, first["id"]), 204, "only a hidden row refers to it")


async def _releases(e: Entity, r: Reference, middle: Entity, up: Reference, s: Session) -> None:
    top = s.blueprint.entity(up.target)
    assert top is not None
    first = await s.create(top)
    second = await s.create(middle, {f"{up.name}_id": first["id"]})
    row = await s.create(e, {f"{r.name}_id": second["id"]})
    expect(await s.delete(e, row["id"]), 204)
    if up.on_delete is OnDelete.RESTRICT:
        expect(await s.delete(middle, second["id"]), 204, "only a hidden row refers to it")
    expect(await s.delete(top, first["id"]), 204, "only hidden rows refer to it")


async def _race(e: Entity, child: Entity, r: Reference, s: Session) -> None:
    """What comes at the same time is refused, holds the row back, lets it go or goes with it."""
    key = f"{r.name}_id"
    for _ in range(_ROUNDS):
        row = await s.create(e)
        body = await s.body(child, {key: row["id"]})
        made, gone = await asyncio.gather(s.post(child, body), s.delete(e, row["id"]))
        if made.status != 201:
            expect_path(made, key) if made.body.get("errors") else expect(made, 422, f"a {e.name} that is deleted meanwhile")
        if made.status != 201 or gone.status != 204:
            continue
        kept = await s.get(child, made.body["id"])
        if kept.status == 200 and kept.body[key] == row["id"]:
            raise Fault(f"a {child.name} stands below a {e.name} that was deleted meanwhile", kept)
    row, one = await s.create(e), await s.create(child)
    expect(await s.delete(e, row["id"]), 204)
    await _guarded(child, key, row["id"], one["id"], s)


async def _guarded(child: Entity, key: str, hidden: str, one: str, s: Session) -> None:
    """The moment between the look and the change is short: the database itself must refuse what begins to refer to a hidden row."""
    stored = (await s.query(f'SELECT * FROM "{child.name}" WHERE "id" = ?', one))[0]
    copy = {**stored, "id": f"{one[:-4]}copy", key: hidden}
    names = ", ".join(f'"{name}"' for name in copy)
    insert = f'INSERT INTO "{child.name}" ({names}) VALUES ({", ".join("?" * len(copy))})'
    update = f'UPDATE "{child.name}" SET "{key}" = ? WHERE "id" = ?'
    for sql, values in ((insert, [*copy.values()]), (update, [hidden, one])):
        try:
            await s.query(sql, *values)
        except StatementRefused as refusal:
            # Triggers come before constraints.
            if "UNIQUE" not in refusal.message:
                continue
        raise Fault(f"the database lets a {child.name} begin to refer to a hidden row")


async def _hidden(e: Entity, s: Session) -> None:
    row = await s.create(e)
    expect(await s.delete(e, row["id"]), 204)
    expect(await s.get(e, row["id"]), 404, "a hidden row")
    if row["id"] in await s.ids(e, {"limit": 100}):
        raise Fault("a hidden row is listed")
    expect(await s.patch(e, row["id"], {}), 404, "a hidden row")
    kept = await s.query(f'SELECT "deleted_at" FROM "{e.name}" WHERE "id" = ?', row["id"])
    if not kept:
        raise Fault("a deleted row is gone for good, not hidden")
    moment = str(kept[0]["deleted_at"])
    if abs(datetime.now(UTC) - datetime.fromisoformat(moment)) > timedelta(minutes=1):
        raise Fault(f"deleted_at is {moment}, not the moment of the deletion")
    for f in e.fields:
        if f.unique and not f.write_only and row.get(f.name) is not None:
            body = {**await s.body(e), f.name: row[f.name]}
            expect(await s.post(e, body), 201, f"{f.name} of a hidden row is free")
    for child in s.blueprint.entities:
        for r in child.references:
            if r.target == e.name:
                body = {**await s.body(child), f"{r.name}_id": row["id"]}
                answer = expect(await s.post(child, body), 422, "a reference to a hidden row")
                expect_path(answer, f"{r.name}_id")
