"""Rows that the work of a schedule is about, and whether it was done on them."""

from __future__ import annotations

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Entity, Operand
from clodo.bricks.actions.scenes import Scene
from clodo.bricks.actions.values import DeleteRows, UpdateRows
from clodo.bricks.rules.language import key_of
from clodo.bricks.rules.placing import bring, meets
from clodo.bricks.schedules.brick import ran
from clodo.bricks.schedules.language import RunAction
from clodo.proof.session import Fault, Row, Session, TooFewValues

_LONG_AGO = "2001-01-01T00:00:00.000Z"
#: Work that changes rows of one entity.
OnRows = UpdateRows | DeleteRows | RunAction


def judge(plan: Plan, work: OnRows, before: Row | None, after: Row | None) -> None:
    """A fault unless the work was done on a row."""
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


async def ready(plan: Plan, s: Session, work: OnRows) -> Row:
    """A new row on which the work must be done.

    Raises:
        TooFewValues: none is found.
    """
    e = plan.blueprint.entity(work.entity)
    assert e is not None
    row = await made(plan, s, work)
    if not await meets(s, e, work.where, row["id"]):
        raise TooFewValues("no row was found that this is about")
    if isinstance(work, RunAction) and not all(await Scene(s, *ran(plan, work)).held(row["id"], {})):
        raise TooFewValues("no row was found for which every guard of the action holds")
    return row


async def made(plan: Plan, s: Session, work: OnRows) -> Row:
    """A new row that the work is about, as far as values for that are found; put into the database where no body may say it."""
    e = plan.blueprint.entity(work.entity)
    assert e is not None
    row = await s.create(e, apart=True)
    await bring(s, e, work.where, row)
    for column in ("created_at", "updated_at") if e.timestamps else ():
        # No field is that old, and no body says so.
        if not await meets(s, e, work.where, row["id"]):
            await s.query(f'UPDATE "{e.name}" SET "{column}" = ? WHERE "id" = ?', _LONG_AGO, row["id"])
    if isinstance(work, RunAction):
        await Scene(s, *ran(plan, work)).bring(row, {})
    return row


async def stored(s: Session, e: Entity, id: str) -> Row | None:
    """A row as the database has it."""
    found = await s.query(f'SELECT * FROM "{e.name}" WHERE "id" = ?', id)
    return dict(found[0]) if found else None
