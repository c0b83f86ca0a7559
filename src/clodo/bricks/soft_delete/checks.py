"""Checks of deletion that only hides."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Entity
from clodo.proof.check import Check
from clodo.proof.session import Fault, Session, expect, expect_path


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan."""
    for e in plan.blueprint.entities:
        if e.soft_delete:
            yield Check("soft_delete.hidden", f"{e.name}: deleted rows are hidden", partial(_hidden, e))


async def _hidden(e: Entity, s: Session) -> None:
    row = await s.create(e)
    expect(await s.delete(e, row["id"]), 204)
    expect(await s.get(e, row["id"]), 404, "a hidden row")
    if row["id"] in await s.ids(e, limit=100):
        raise Fault("a hidden row is listed")
    expect(await s.patch(e, row["id"], {}), 404, "a hidden row")
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
