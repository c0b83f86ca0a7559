"""Checks of deletion that only hides."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Blueprint, Entity, OnDelete, Reference
from clodo.proof.check import Check
from clodo.proof.session import Fault, Session, expect, expect_path


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
