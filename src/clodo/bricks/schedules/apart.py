"""Checks that what comes to grief at a time keeps nothing else of that time from being done."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from clodo.blueprint.plan import Plan
from clodo.bricks.actions.values import DeleteRows, UpdateRows
from clodo.bricks.jobs.holding import triggered
from clodo.bricks.schedules.freeing import freed
from clodo.bricks.schedules.language import RunAction, Schedule, cron
from clodo.bricks.schedules.ringing import line_of
from clodo.bricks.schedules.worked import OnRows, judge, ready, stored
from clodo.proof.check import Check
from clodo.proof.session import Fault, Session

_Statement = UpdateRows | DeleteRows


def apart_checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan: one for each schedule with statements behind which other work is done."""
    every = plan.blueprint.parts_of(Schedule)
    for number, s in enumerate(every):
        refused = next((one for one in s.work if isinstance(one, _Statement)), None)
        later = [one for other in every[number + 1 :] if cron(other) == cron(s) for one in other.work if isinstance(one, OnRows)]
        behind = next(iter([*(one for one in s.work if isinstance(one, RunAction)), *later]), None)
        if refused is not None and behind is not None:
            words = f"every {s.unit}: what is refused of {refused.entity} keeps nothing of {behind.entity} from being done"
            yield Check("schedules.apart", words, partial(_apart, plan, s, refused, behind), alone=True)


async def _apart(plan: Plan, schedule: Schedule, refused: _Statement, behind: OnRows, s: Session) -> None:
    e, other = plan.blueprint.entity(refused.entity), plan.blueprint.entity(behind.entity)
    assert e is not None and other is not None
    culprit, meant = await ready(plan, s, refused), await ready(plan, s, behind)
    line = line_of(s, schedule)
    await freed(s, line, {culprit["id"], meant["id"]})
    before = await stored(s, other, meant["id"])
    event = "DELETE" if isinstance(refused, DeleteRows) and not e.soft_delete else "UPDATE"
    held = f"""BEFORE {event} ON "{e.name}" WHEN OLD."id" = '{culprit["id"]}'"""
    async with triggered(s, held, "SELECT RAISE(ABORT, 'CHECK constraint failed: the proof holds it');"):
        failure = await s.scheduled(line)
    judge(plan, behind, before, await stored(s, other, meant["id"]))
    if not failure:
        raise Fault(f"nobody is told that a {e.name} was refused: the handler of cron ends as if all was done")
