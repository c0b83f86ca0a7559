"""Checks that those who are told of changes hear of what schedules do."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Entity, OnDelete
from clodo.bricks.actions.telling import filed, told
from clodo.bricks.actions.touched import statements_of, touched_by, touches
from clodo.bricks.actions.values import DeleteRows
from clodo.bricks.schedules.brick import ran
from clodo.bricks.schedules.freeing import freed
from clodo.bricks.schedules.language import MailReport, RunAction, Schedule, cron
from clodo.bricks.schedules.ringing import line_of
from clodo.bricks.schedules.worked import OnRows, made
from clodo.bricks.webhooks.checks import VARIABLES as RECEIVING
from clodo.bricks.webhooks.language import Webhook
from clodo.proof.check import Check
from clodo.proof.session import Row, Session


def told_checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan: one for each time at which rows are changed that others are told of."""
    at: dict[str, list[Schedule]] = {}
    for s in plan.blueprint.parts_of(Schedule):
        at.setdefault(cron(s), []).append(s)
    for schedules in at.values():
        names = _touched(plan, schedules)
        if names:
            words = f"every {schedules[0].unit}: those who are told of changes hear of each {' and '.join(names)} that is changed"
            variables = RECEIVING if plan.blueprint.parts_of(Webhook) else {}
            yield Check("schedules.told", words, partial(_told, plan, schedules, names), alone=True, variables=variables)


def _touched(plan: Plan, schedules: list[Schedule]) -> list[str]:
    b, found = plan.blueprint, set()
    for s in schedules:
        found |= {*touches(b, statements_of(s))}
        for run in s.work:
            if isinstance(run, RunAction):
                e, action = ran(plan, run)
                found |= {*touched_by(b, e, action)}
    return sorted(found)


async def _told(plan: Plan, schedules: list[Schedule], names: list[str], s: Session) -> None:
    line, about = line_of(s, schedules[0]), set()
    for work in (one for schedule in schedules for one in schedule.work):
        if isinstance(work, MailReport):
            continue
        about.add(await _about(plan, s, work))
    await freed(s, line, about)
    async with told(s, names):
        await s.scheduled(line)


async def _about(plan: Plan, s: Session, work: OnRows) -> str:
    """A new row that the work is about, with files, where such a row is found."""
    e = plan.blueprint.entity(work.entity)
    assert e is not None
    row = await made(plan, s, work)
    await filed(s, e, row)
    if isinstance(work, DeleteRows) and not e.soft_delete:
        await _followers(s, e, row)
    return str(row["id"])


async def _followers(s: Session, e: Entity, row: Row) -> None:
    """Rows that go with this one, or lose their reference to it."""
    for child in s.blueprint.entities:
        for r in child.references:
            if r.target == e.name and r.on_delete is not OnDelete.RESTRICT:
                answer = await s.post(child, await s.body(child, {f"{r.name}_id": row["id"]}))
                if answer.status == 201:
                    await filed(s, child, dict(answer.body))
