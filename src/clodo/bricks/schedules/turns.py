"""Checks that rows which are refused each time take no other row's turn."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from clodo.blueprint.formulas import Scope
from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Entity
from clodo.bricks.actions.values import SetValues
from clodo.bricks.jobs.holding import triggered
from clodo.bricks.notices.language import Notice
from clodo.bricks.schedules.brick import ran
from clodo.bricks.schedules.language import RunAction, Schedule
from clodo.bricks.schedules.ringing import line_of
from clodo.bricks.schedules.worked import judge, ready, stored
from clodo.emit.expressions import Place, sql
from clodo.proof.check import Check
from clodo.proof.session import Fault, Row, Session, StatementRefused, TooFewValues

#: Rows that an action is run on at once, as the page says.
_AT_ONCE = 500
#: What the ids of rows begin with that are before all others.
_FIRST = "00000000-0000-7000-8000-"


def turn_checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan: one for each action that schedules run and that changes its row."""
    seen = set()
    for s in plan.blueprint.parts_of(Schedule):
        for run in s.work:
            if isinstance(run, RunAction) and (run.entity, run.action) not in seen and _changes(*ran(plan, run)):
                seen.add((run.entity, run.action))
                words = f"every {s.unit}: rows that refuse {run.action} take no other's turn"
                yield Check("schedules.turn", words, partial(_turn, plan, s, run), alone=True)


def _changes(e: Entity, action: object) -> bool:
    effects = getattr(action, "effects", ())
    return e.timestamps or any(isinstance(one, SetValues) and any(len(a.target) == 1 for a in one.assignments) for one in effects)


async def _turn(plan: Plan, schedule: Schedule, run: RunAction, s: Session) -> None:
    e, _ = ran(plan, run)
    meant = await ready(plan, s, run)
    before = await stored(s, e, meant["id"])
    assert before is not None
    name = f'"{e.name}".'
    met = sql(run.where, Place(Scope(s.blueprint, e), name, name))
    few = (await s.query(f'SELECT count(*) AS "n" FROM "{e.name}" WHERE {met}'))[0]["n"] < _AT_ONCE / 2
    try:
        await _copied(s, e, before)
        held = f"""BEFORE UPDATE ON "{e.name}" WHEN substr(OLD."id", 1, {len(_FIRST)}) = '{_FIRST}'"""
        async with triggered(s, held, "SELECT RAISE(ABORT, 'CHECK constraint failed: the proof holds it');"):
            # Where there are many others, it goes on at the next time.
            for _ in range(1 if few else 2):
                await s.scheduled(line_of(s, schedule))
                after = await stored(s, e, meant["id"])
                if after != before:
                    break
        if after == before:
            raise Fault(f"{_AT_ONCE} rows that are refused keep a {e.name} from its turn")
    finally:
        await s.query(f'DELETE FROM "{e.name}" WHERE substr("id", 1, {len(_FIRST)}) = ?', _FIRST)
    judge(plan, run, before, after)


async def _copied(s: Session, e: Entity, row: Row) -> None:
    """As many copies of a row as are taken at once, before all others. Triggers know only how rows begin, and these have gone on.

    Raises:
        TooFewValues: a rule is against that, a unique field, say.
    """
    columns = [name for name in row if name != "id"]
    names = ", ".join(f'"{name}"' for name in columns)
    numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {_AT_ONCE})"
    triggers = await s.query("SELECT \"name\", \"sql\" FROM sqlite_master WHERE \"type\" = 'trigger' AND \"tbl_name\" = ?", e.name)
    try:
        for one in triggers:
            await s.query(f'DROP TRIGGER "{one["name"]}"')
        await s.query(
            f"""INSERT INTO "{e.name}" ("id", {names}) {numbers} SELECT '{_FIRST}' || printf('%012d', i), {names} FROM n, "{e.name}" WHERE "id" = ?""",
            row["id"],
        )
    except StatementRefused:
        raise TooFewValues(f"a rule is against {_AT_ONCE} rows that are alike") from None
    finally:
        for one in triggers:
            await s.query(one["sql"])
    if e.parts_of(Notice):
        # Nobody is to be told of them.
        await s.query(f'DELETE FROM "notice__outbox" WHERE substr("row_id", 1, {len(_FIRST)}) = ?', _FIRST)
