"""Checks of own code: what it leaves alone stays as it was, and its times are kept."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Entity
from clodo.bricks.custom.language import CustomCode
from clodo.proof.check import Check
from clodo.proof.session import Fault, Session, expect


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan."""
    [code] = plan.blueprint.parts_of(CustomCode)
    for e in plan.blueprint.entities:
        yield Check("custom.rows", f"{e.name}: own code stands beside changes, and a row is read as it was answered", partial(_rows, e))
    for line in code.times:
        yield Check("custom.scheduled", f"the work of {line!r} ends well", partial(_scheduled, line), alone=True)
    yield Check("custom.paths", "unknown paths are 404 and other methods 405, beside own routes", _paths)


async def _rows(e: Entity, s: Session) -> None:
    made = await s.create(e)
    if expect(await s.get(e, made["id"]), 200).body != made:
        raise Fault("the row that is read is not the one that was answered")
    changed = expect(await s.patch(e, made["id"], {}), 200)
    if changed.body != made:
        raise Fault("a change of nothing changed something", changed)
    again = await s.create(e)
    expect(await s.delete(e, again["id"]), 204)
    expect(await s.get(e, again["id"]), 404, "a row that is gone")


async def _scheduled(line: str, s: Session) -> None:
    if failure := await s.scheduled(line):
        raise Fault(f"{failure}, at {line!r}")


async def _paths(s: Session) -> None:
    expect(await s.client.send("GET", "/api/no-such-path-of-own-code"), 404)
    expect(await s.client.send("DELETE", "/health"), 405)
