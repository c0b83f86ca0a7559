"""Rows of other checks that a schedule is not to come to grief on: of what its statements change, a rule of the blueprint may refuse
some, and then none of the statements of that schedule is done."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from clodo.blueprint.formulas import Scope
from clodo.blueprint.values import Entity
from clodo.bricks.actions.statements import Statement, scheduled
from clodo.bricks.actions.values import DeleteRows, UpdateRows
from clodo.bricks.rules.placing import keep_out
from clodo.bricks.schedules.language import Schedule
from clodo.bricks.schedules.ringing import line_of
from clodo.emit.expressions import Place, sql
from clodo.proof.session import Session, StatementRefused


async def freed(s: Session, line: str, kept: set[str]) -> None:
    """Takes such rows out of the conditions of what is done at a line of cron, or deletes them; those of ``kept`` stay."""
    for work in _statements(s, line):
        e = s.blueprint.entity(work.entity)
        assert e is not None
        name = f'"{e.name}".'
        met = sql(work.where, Place(Scope(s.blueprint, e), name, name))
        for row in await s.query(f'SELECT "id" FROM "{e.name}" WHERE {met}'):
            id = str(row["id"])
            if id not in kept and not await goes(s, e, work, id) and not await keep_out(s, e, work.where, id):
                await _deleted(s, e, id)


def _statements(s: Session, line: str) -> Iterator[UpdateRows | DeleteRows]:
    for schedule in s.blueprint.parts_of(Schedule):
        if line_of(s, schedule) == line:
            yield from (one for one in schedule.work if isinstance(one, UpdateRows | DeleteRows))


async def goes(s: Session, e: Entity, work: UpdateRows | DeleteRows, id: str) -> bool:
    """Does to one row what a schedule does to all; whether the database lets it."""
    one: Statement = scheduled(s.blueprint, work)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    try:
        await s.query(f'{one.sql} AND "{e.name}"."id" = ?{one.uses + 1}', *(now, now[:10])[: one.uses], id)
    except StatementRefused:
        return False
    return True


async def _deleted(s: Session, e: Entity, id: str) -> None:
    try:
        await s.query(f'DELETE FROM "{e.name}" WHERE "id" = ?', id)
    except StatementRefused:
        return
