"""Checks of schedules: the bell of cron is rung, and rows must have changed that were to change, and no others."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Entity, Operand
from clodo.bricks.actions.scenes import Scene
from clodo.bricks.actions.values import DeleteRows, UpdateRows
from clodo.bricks.rules.language import key_of
from clodo.bricks.rules.placing import bring, keep_out, meets
from clodo.bricks.schedules.brick import ran
from clodo.bricks.schedules.language import MailReport, RunAction, Schedule
from clodo.bricks.schedules.ringing import line_of
from clodo.proof.check import Check
from clodo.proof.session import Fault, Row, Session, TooFewValues

#: Work that changes rows of one entity.
OnRows = UpdateRows | DeleteRows | RunAction


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan."""
    for s in plan.blueprint.parts_of(Schedule):
        for one in s.work:
            if isinstance(one, MailReport):
                continue  # notices see to it
            words = f"{one.action} on {one.entity}" if isinstance(one, RunAction) else f"changes of {one.entity}"
            # The work of a schedule is done on every row, those of other checks too.
            yield Check("schedules.does", f"every {s.unit}: {words}", partial(_does, plan, s, one), alone=True)


async def _does(plan: Plan, schedule: Schedule, work: OnRows, s: Session) -> None:
    e = plan.blueprint.entity(work.entity)
    assert e is not None
    meant, other = await _row(plan, s, work), await _row(plan, s, work)
    if not await meets(s, e, work.where, meant["id"]):
        raise TooFewValues("no row was found that this is about")
    if isinstance(work, RunAction) and not all(await Scene(s, *ran(plan, work)).held(meant["id"], {})):
        raise TooFewValues("no row was found for which every guard of the action holds")
    apart = await keep_out(s, e, work.where, other["id"])
    before = {id: await _stored(s, e, id) for id in (meant["id"], other["id"])}
    await s.scheduled(line_of(s, schedule))
    after = {id: await _stored(s, e, id) for id in before}
    if apart and after[other["id"]] != before[other["id"]]:
        raise Fault(f"a {e.name} that the condition does not meet was changed")
    _judge(plan, work, before[meant["id"]], after[meant["id"]])


def _judge(plan: Plan, work: OnRows, before: Row | None, after: Row | None) -> None:
    if isinstance(work, DeleteRows):
        if after is not None and not after.get("deleted_at"):
            raise Fault(f"a {work.entity} that was to be deleted is still there")
        return
    if after is None or after == before:
        raise Fault(f"a {work.entity} was to be changed and is as it was")
    assignments = work.assignments if isinstance(work, UpdateRows) else ()
    if isinstance(work, RunAction):
        _, action = ran(plan, work)
        assignments = tuple(a for effect in action.effects if hasattr(effect, "assignments") for a in effect.assignments if len(a.target) == 1 and not hasattr(effect, "entity"))
    e = plan.blueprint.entity(work.entity)
    assert e is not None
    for a in assignments:
        if isinstance(a.value, Operand) and not a.value.is_field and isinstance(a.value.value, str) and after[key_of(e, a.target[0])] != a.value.value:
            raise Fault(f"{a.target[0]} is {after[key_of(e, a.target[0])]!r}, not {a.value.value!r}")


async def _row(plan: Plan, s: Session, work: OnRows) -> Row:
    """A new row that the work is about, as far as values for that are found; put into the database where no body may say it."""
    e = plan.blueprint.entity(work.entity)
    assert e is not None
    row = await s.create(e, apart=True)
    await bring(s, e, work.where, row)
    if isinstance(work, RunAction):
        await Scene(s, *ran(plan, work)).bring(row, {})
    return row


async def _stored(s: Session, e: Entity, id: str) -> Row | None:
    found = await s.query(f'SELECT * FROM "{e.name}" WHERE "id" = ?', id)
    return dict(found[0]) if found else None
