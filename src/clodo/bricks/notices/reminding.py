"""Checks of reminders: a row is put before its moment, at it and beyond it, and each time the bell of cron is rung."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from clodo.blueprint.evaluation import moved
from clodo.blueprint.values import Entity, Expression, FieldType
from clodo.bricks.notices.language import Reminder, moment_type, subject_of
from clodo.bricks.notices.reminders import LATE_HOURS, held, key, moment, recipient
from clodo.bricks.rules.placing import bring, keep_out, meets, put
from clodo.proof.session import Fault, Row, Session, StatementRefused, TooFewValues

_CRON = "*/5 * * * *"
_DAY = 24.0


async def reminded(e: Entity, reminder: Reminder, s: Session) -> None:
    """Follows one row through its moments; others never meet the condition, or are deleted.

    Raises:
        Fault: a reminder is missing, or one is there that should not be.
        TooFewValues: the rules of the entity admit no row that would show it.
    """
    by_day = moment_type(*held(s.blueprint, e, reminder)) is FieldType.DATE
    due = 0 if by_day else -1 / 60
    id = await _row(s, e, reminder)
    ahead, beyond = (_DAY, -3 * _DAY) if by_day else (1 / 6, -LATE_HOURS - 1.0)
    for hours, which in ((ahead, "whose moment is still to come"), (beyond, "whose moment is long past")):
        if await _place(s, e, reminder, id, hours):
            await _expect(s, e, reminder, id, 0, which)
    if not await _due(s, e, reminder, id, due):
        raise TooFewValues("no row was found that somebody is to be reminded of")
    await _expect(s, e, reminder, id, 1, "whose moment has come")
    await _expect(s, e, reminder, id, 1, "that was told of before")
    if by_day:
        await _another_day(s, e, reminder, id)
    elif await _due(s, e, reminder, id, 1 - LATE_HOURS):
        await _expect(s, e, reminder, id, 2, "whose moment was moved")
    if e.soft_delete:
        await _deleted(s, e, reminder, due)
    if reminder.condition is not None:
        await _kept_out(s, e, reminder, reminder.condition, due)


async def _another_day(s: Session, e: Entity, reminder: Reminder, id: str) -> None:
    """Of dates only one is due at a time: what was told of it becomes that of another, from which it was moved."""
    now, ids = await _value(s, e, reminder, id), f"{key(e, reminder)}/{id}/"
    other = moved(now, -7)
    await s.query('UPDATE "notice__outbox" SET "id" = replace("id", ?, ?) WHERE instr("id", ?) = 1', now, other, ids)
    await _expect(s, e, reminder, id, 2, "whose date was moved")
    # Nobody was sent a notice of that name.
    await s.query('DELETE FROM "notice__outbox" WHERE "id" = ?', f"{ids}{other}")


async def _deleted(s: Session, e: Entity, reminder: Reminder, hours: float) -> None:
    id = await _row(s, e, reminder)
    await s.query(f'UPDATE "{e.name}" SET "deleted_at" = ? WHERE "id" = ?', "2020-01-01T00:00:00.000Z", id)
    if await _due(s, e, reminder, id, hours):
        await _expect(s, e, reminder, id, 0, "that is deleted")


async def _kept_out(s: Session, e: Entity, reminder: Reminder, condition: Expression, hours: float) -> None:
    """A row whose moment has come and that does not meet the condition, where one is found."""
    id = str((await s.create(e, await _referring(s, e, reminder), apart=True))["id"])
    placed = await keep_out(s, e, condition, id) and await _place(s, e, reminder, id, hours)
    if placed and not await meets(s, e, condition, id):
        await _expect(s, e, reminder, id, 0, "that does not meet the condition")


async def _row(s: Session, e: Entity, reminder: Reminder) -> str:
    """The id of a new row that meets the condition, as far as values for that are found."""
    row = await s.create(e, await _referring(s, e, reminder), apart=True)
    if reminder.condition is not None:
        await bring(s, e, reminder.condition, row)
    return str(row["id"])


async def _referring(s: Session, e: Entity, reminder: Reminder) -> Row:
    """The reference to a row of its own that has the date, where it is another row."""
    holder, _ = held(s.blueprint, e, reminder)
    return {f"{reminder.way}_id": (await s.create(holder, apart=True))["id"]} if reminder.way else {}


async def _due(s: Session, e: Entity, reminder: Reminder, id: str, hours: float) -> bool:
    """Puts a row to its moment; whether it is there, meets the condition and names somebody."""
    placed = await _place(s, e, reminder, id, hours)
    return placed and await _address(s, e, reminder, id) is not None and (reminder.condition is None or await meets(s, e, reminder.condition, id))


async def _expect(s: Session, e: Entity, reminder: Reminder, id: str, count: int, which: str) -> None:
    """What the outbox holds for a row when cron has come by."""
    await s.scheduled(_CRON)
    found = await s.query('SELECT * FROM "notice__outbox" WHERE instr("id", ?) = 1 ORDER BY rowid', f"{key(e, reminder)}/{id}/")
    if len(found) != count:
        raise Fault(f"a {e.name} {which}: the outbox holds {len(found)} reminders, not {count}")
    if not found:
        return
    told, address = found[-1], await _address(s, e, reminder, id)
    if told["recipient"] != address:
        raise Fault(f"a {e.name} {which}: the reminder goes to {told['recipient']!r}, not to {address!r}")
    if (told["subject"], told["entity"], told["row_id"]) != (subject_of(e, reminder), e.name, id):
        raise Fault(f"a {e.name} {which}: the outbox says {told}")


async def _address(s: Session, e: Entity, reminder: Reminder, id: str) -> object:
    to = recipient(s.blueprint, e, reminder, f'"{e.name}".')
    return (await s.query(f'SELECT {to} AS "to" FROM "{e.name}" WHERE "id" = ?', id))[0]["to"]


async def _place(s: Session, e: Entity, reminder: Reminder, id: str, hours: float) -> bool:
    """Puts a row where its moment lies so many hours from now, with its other dates if they must come along; whether it is there."""
    then = datetime.now(UTC) + timedelta(hours=hours - reminder.hours)
    if reminder.way:
        id = await _stored(s, e, id, f'"{reminder.way}_id"')
    e, name = held(s.blueprint, e, reminder)
    type_ = moment_type(e, name)
    value = then.date().isoformat() if type_ is FieldType.DATE else f"{then:%Y-%m-%dT%H:%M:%S}.{then.microsecond // 1000:03d}Z"
    await put(s, e, id, name, value)
    others = [f for f in e.fields if f.name != name and f.computed is None and moment_type(e, f.name) is not None]
    for names in ([f.name for f in others if f.type is type_], [f.name for f in others]):
        if await _stored(s, e, id, f'"{name}"') == value:
            return True
        await _shift(s, e, name, id, value, names)
    return await _stored(s, e, id, f'"{name}"') == value


async def _shift(s: Session, e: Entity, name: str, id: str, value: str, names: list[str]) -> None:
    """Moves other dates of a row by as much, so that those that come one after another still do."""
    [row] = await s.query(f'SELECT * FROM "{e.name}" WHERE "id" = ?', id)
    if row[name] is None:
        return
    days = round((_moment(value) - _moment(row[name])) / timedelta(days=1))
    changed: Row = {name: value} | {other: moved(row[other], days) for other in names if row[other] is not None}
    columns = ", ".join(f'"{column}" = ?' for column in changed)
    try:
        await s.query(f'UPDATE "{e.name}" SET {columns} WHERE "id" = ?', *changed.values(), id)
    except StatementRefused:  # a rule refuses these too
        return


def _moment(text: str) -> datetime:
    return datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC) if len(text) == len("2026-01-01") else datetime.fromisoformat(text)


async def _value(s: Session, e: Entity, reminder: Reminder, id: str) -> str:
    return await _stored(s, e, id, moment(s.blueprint, e, reminder, f'"{e.name}".'))


async def _stored(s: Session, e: Entity, id: str, column: str) -> str:
    return str((await s.query(f'SELECT {column} AS "value" FROM "{e.name}" WHERE "id" = ?', id))[0]["value"])
