"""Reminders as SQL: one statement for each line puts into the outbox what has become due."""

from __future__ import annotations

from collections.abc import Iterator

from clodo.blueprint.formulas import Scope
from clodo.blueprint.values import Blueprint, Entity, Expression, FieldType, Operand, Path
from clodo.bricks.notices.language import (
    ADMIN,
    OWNER,
    Reminder,
    Told,
    account,
    holder_of,
    moment_type,
    subject_of,
)
from clodo.bricks.tenants.language import tenant_column
from clodo.emit.expressions import Place, constant, sql

#: For so long a moment can be past: a day, and an hour in which cron comes by.
LATE_HOURS = 25


def reminders(b: Blueprint) -> list[tuple[Entity, Reminder]]:
    """All reminders, with their entities."""
    return [(e, reminder) for e in b.entities for reminder in e.parts_of(Reminder)]


def key(e: Entity, reminder: Reminder) -> str:
    """What the ids of its notices begin with; the row's id and the value of the field follow. It outlives a change of other lines."""
    alike = [r for r in e.parts_of(Reminder) if (r.to, r.when) == (reminder.to, reminder.when)]
    number = alike.index(reminder) + 1
    return f"{e.name}/{reminder.to}/{reminder.when}" + (f" ({number})" if number > 1 else "")


def statement(b: Blueprint, e: Entity, reminder: Reminder) -> str:
    """SQL over the moment ``?1`` that puts into the outbox what is due and is not there. The id tells the row and the value of
    the field, so that the primary key lets each in once."""
    row = f'"{e.name}".'
    column, to = moment(b, e, reminder, row), recipient(b, e, reminder, row)
    holder, name = held(b, e, reminder)
    due = [f'"{name}" > {_reached(b, e, reminder, LATE_HOURS)}', f'"{name}" <= {_reached(b, e, reminder)}']
    if reminder.way:
        due += ['"deleted_at" IS NULL'] if holder.soft_delete else []
        conditions = [f'{row}"{reminder.way}_id" IN (SELECT "id" FROM "{holder.name}" WHERE {" AND ".join(due)})']
    else:
        conditions = [f"{row}{part}" for part in due]
    conditions += [f'{row}"deleted_at" IS NULL'] if e.soft_delete else []
    if reminder.condition is not None:
        conditions.append(sql(reminder.condition, Place(Scope(b, e), row, row, {"now": "?1", "today": "date(?1)"})))
    conditions += [] if reminder.is_address or reminder.to == ADMIN else [f"{to} IS NOT NULL"]
    id = f"{constant(f'{key(e, reminder)}/')} || {row}\"id\" || '/' || {column}"
    return (
        f'INSERT INTO "notice__outbox" ("id", "recipient", "subject", "entity", "row_id") '
        f'SELECT {id}, {to}, {constant(subject_of(e, reminder))}, {constant(e.name)}, {row}"id" FROM "{e.name}" '
        f'WHERE {" AND ".join(conditions)} ON CONFLICT ("id") DO NOTHING'
    )


def moment(b: Blueprint, e: Entity, reminder: Reminder, row: str) -> str:
    """SQL for the date or datetime of a row; ``row`` is the prefix of its columns."""
    holder, name = held(b, e, reminder)
    return f'(SELECT "{name}" FROM "{holder.name}" WHERE "id" = {row}"{reminder.way}_id")' if reminder.way else f'{row}"{name}"'


def held(b: Blueprint, e: Entity, reminder: Reminder) -> tuple[Entity, str]:
    """The entity that has the moment of a reminder of a blueprint without fault, and its name there."""
    found = holder_of(b, e, reminder)
    assert found is not None  # the checks saw to that
    return found


def _reached(b: Blueprint, e: Entity, reminder: Reminder, hours: int = 0) -> str:
    """The value of the field whose moment has just come, or came so many hours ago."""
    unit, amount = ("day", 7 * reminder.amount) if reminder.unit == "week" else (reminder.unit, reminder.amount)
    moved = f"?1, '{'+' if reminder.side == 'before' else '-'}{int(amount)} {unit}s'" + (f", '-{hours} hours'" if hours else "")
    return f"date({moved})" if moment_type(*held(b, e, reminder)) is FieldType.DATE else f"strftime('%Y-%m-%dT%H:%M:%fZ', {moved})"


def indexes(b: Blueprint) -> Iterator[str]:
    """Indexes by which rows are found that are due. Dates have one of their own, but for those of tenants, whose begin with the
    tenant."""
    moments = [held(b, e, reminder) for e, reminder in reminders(b)]
    for entity, name in dict.fromkeys((holder.name, name) for holder, name in moments if holder.unique_within):
        yield f'CREATE INDEX "{entity}__{name}__reminder" ON "{entity}" ("{name}");'


def _address(b: Blueprint, e: Entity, user: str, row: str) -> str:
    """SQL for the address of a user; none where the row belongs to a tenant that they are no member of any more."""
    column = tenant_column(b, e)
    member = f' AND "id" IN (SELECT "user_id" FROM "tenants__member" WHERE "tenant_id" = {row}"{column}")' if column else ""
    return f'(SELECT "email" FROM "user" WHERE "id" = {user}{member})'


def recipient(b: Blueprint, e: Entity, told: Told, row: str) -> str:
    """SQL for the address that a notice of a row goes to; ``row`` is the prefix of its columns."""
    if told.is_address or told.to == ADMIN:
        return constant(told.to)
    if told.to == OWNER:
        return _address(b, e, f'{row}"owner_id"', row)
    if (user := account(e, told.to)) is not None:
        return _address(b, e, f'{row}"{user.name}_id"', row)
    names = tuple(told.to.split("."))
    path: Expression = Path(names) if len(names) > 1 else Operand(names[0], is_field=True)
    return sql(path, Place(Scope(b, e), row, row))
