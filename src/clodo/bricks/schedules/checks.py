"""Checks of schedules: the bell of cron is rung, and rows must have changed that were to change, and no others."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from clodo.blueprint.plan import Plan
from clodo.bricks.rules.placing import keep_out
from clodo.bricks.schedules.apart import apart_checks
from clodo.bricks.schedules.freeing import freed, goes
from clodo.bricks.schedules.language import MailReport, RunAction, Schedule, cron
from clodo.bricks.schedules.ringing import line_of
from clodo.bricks.schedules.telling import told_checks
from clodo.bricks.schedules.turns import turn_checks
from clodo.bricks.schedules.worked import OnRows, judge, made, ready, stored
from clodo.proof.check import Check
from clodo.proof.session import Fault, Session, TooFewValues


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan."""
    for s in plan.blueprint.parts_of(Schedule):
        for one in s.work:
            if isinstance(one, MailReport):
                continue  # notices see to it
            words = f"{one.action} on {one.entity}" if isinstance(one, RunAction) else f"changes of {one.entity}"
            # The work of a schedule is done on every row, those of other checks too.
            yield Check("schedules.does", f"every {s.unit}: {words}", partial(_does, plan, s, one), alone=True)
    yield from apart_checks(plan)
    yield from turn_checks(plan)
    yield from told_checks(plan)


async def _does(plan: Plan, schedule: Schedule, work: OnRows, s: Session) -> None:
    e = plan.blueprint.entity(work.entity)
    assert e is not None
    meant, other = await ready(plan, s, work), await made(plan, s, work)
    apart = await keep_out(s, e, work.where, other["id"])
    ids = (meant["id"], other["id"])
    before = {id: await stored(s, e, id) for id in ids}
    failure = await s.scheduled(line_of(s, schedule))
    after = {id: await stored(s, e, id) for id in ids}
    if failure and after[meant["id"]] == before[meant["id"]]:
        # A rule may refuse rows of other checks, and with them the statements of this schedule.
        await freed(s, line_of(s, schedule), {*ids})
        failure = await s.scheduled(line_of(s, schedule))
        after = {id: await stored(s, e, id) for id in ids}
        if failure and after[meant["id"]] == before[meant["id"]]:
            if not isinstance(work, RunAction) and not await goes(s, e, work, meant["id"]):
                raise TooFewValues("a rule refuses what would be done to a row")
            raise Fault(f"nothing is done: {failure}")
    if apart and after[other["id"]] != before[other["id"]] and _alone(plan, schedule, work):
        raise Fault(f"a {e.name} that the condition does not meet was changed")
    judge(plan, work, before[meant["id"]], after[meant["id"]])


def _alone(plan: Plan, schedule: Schedule, work: OnRows) -> bool:
    """Whether no other work of that time is about rows of that entity, and may change those that this work is not about."""
    same = [one for s in plan.blueprint.parts_of(Schedule) if cron(s) == cron(schedule) for one in s.work if not isinstance(one, MailReport) and one.entity == work.entity]
    return len(same) == 1
