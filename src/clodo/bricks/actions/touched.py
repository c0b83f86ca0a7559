"""Rows that actions and schedules change beside the row that they are about. What takes part in changes learns of them from a table that
triggers fill: whatever a statement changes, and whatever goes with that, stands in it at the end of the transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files

from clodo.blueprint.plan import Plan, is_owned
from clodo.blueprint.values import Blueprint, Entity, OnDelete
from clodo.bricks.actions.values import (
    Action,
    CreateRow,
    DeleteRows,
    Effect,
    SetValues,
    UpdateRows,
    target_field,
)
from clodo.bricks.audit.language import Audit
from clodo.bricks.content.language import Markdown, Slug
from clodo.bricks.files.language import FileField
from clodo.bricks.live.language import Live
from clodo.bricks.room.language import Room
from clodo.bricks.schedules.language import Schedule
from clodo.bricks.webhooks.language import Webhook
from clodo.emit.expressions import computed_sql

#: D1 gives a function 32 arguments at most, and each column takes two.
_COLUMNS_AT_ONCE = 15

_TABLE = """CREATE TABLE "_touched" (
  "number" INTEGER PRIMARY KEY NOT NULL,
  "entity" TEXT NOT NULL,
  "id" TEXT NOT NULL,
  "was" TEXT,
  UNIQUE ("entity", "id")
);"""
_OPEN = """EXISTS (SELECT 1 FROM "_touched" WHERE "entity" = '' AND "id" = '')"""


def listening(b: Blueprint) -> set[str]:
    """The entities of whose changes others are told, whose rows hold on to files, or have what is made of their fields outside the database."""
    told = {watched.entity for webhook in b.parts_of(Webhook) for watched in webhook.watched}
    return told | {e.name for e in b.entities if any(e.parts_of(kind) for kind in (Audit, FileField, Live, Markdown, Room, Slug))}


def touched_by(b: Blueprint, e: Entity, action: Action) -> list[str]:
    """The listening entities of whose rows an action on rows of ``e`` changes some beside the row itself."""
    targets = [a.target for effect in action.effects if isinstance(effect, SetValues) for a in effect.assignments if len(a.target) > 1]
    rows = (target_field(b, e, target, action.references) for target in targets)
    return _touched(b, action.effects, {row[0].name for row in rows if row is not None})


def touches(b: Blueprint, effects: Iterable[UpdateRows | DeleteRows]) -> list[str]:
    """The same of what a schedule changes."""
    return _touched(b, effects, set())


def _touched(b: Blueprint, effects: Iterable[Effect], found: set[str]) -> list[str]:
    """``found`` are those that single rows are changed of."""
    deleted: set[str] = set()
    for effect in effects:
        if isinstance(effect, CreateRow | UpdateRows | DeleteRows):
            found.add(effect.entity)
            deleted |= {effect.entity} if isinstance(effect, DeleteRows) else set()
    # What is only hidden takes nothing along.
    deleted = {e.name for e in b.entities if e.name in deleted and not e.soft_delete}
    while deleted:
        following = {child.name: r.on_delete for child in b.entities for r in child.references if r.target in deleted and (r.on_delete is not OnDelete.RESTRICT or child.soft_delete)}
        deleted = {name for name, what in following.items() if what is not OnDelete.SET_NULL} - found
        found |= {*following}
    return [e.name for e in b.entities if e.name in found & listening(b)]


def touched_files() -> dict[str, str]:
    """What watches over such rows in the service."""
    return {"src/lib/touched.ts": _source()}


@cache
def _source() -> str:
    return files("clodo.bricks.actions").joinpath("ts", "touched", "touched.ts").read_text("utf-8")


def touched_sql(plan: Plan) -> tuple[str, ...]:
    """The table and the triggers of the entities whose rows are touched in a service."""
    names = _all_touched(plan.blueprint)
    entities = [e for e in plan.blueprint.entities if e.name in names]
    return (_TABLE, *(trigger for e in entities for trigger in _triggers(plan.blueprint, e))) if entities else ()


def statements_of(schedule: Schedule) -> list[UpdateRows | DeleteRows]:
    """What a schedule itself changes."""
    return [one for one in schedule.work if isinstance(one, UpdateRows | DeleteRows)]


def _all_touched(b: Blueprint) -> set[str]:
    """What all actions and schedules of a service touch."""
    by_actions = {name for e in b.entities for action in e.parts_of(Action) for name in touched_by(b, e, action)}
    return by_actions | {name for s in b.parts_of(Schedule) for name in touches(b, statements_of(s))}


def _triggers(b: Blueprint, e: Entity) -> Iterator[str]:
    """A row is noted once, as it was at first. (What is to be ignored is said by a condition: the statement that sets off a trigger has the
    last word on conflicts within it.)"""
    name = f"_touched__{e.name}"

    def unknown(row: str) -> str:
        return f"""NOT EXISTS (SELECT 1 FROM "_touched" WHERE "entity" = '{e.name}' AND "id" = {row}."id")"""

    yield f"""CREATE TRIGGER "{name}__insert" AFTER INSERT ON "{e.name}" WHEN {_OPEN}
BEGIN
  INSERT INTO "_touched" ("entity", "id") SELECT '{e.name}', NEW."id" WHERE {unknown("NEW")};
END;"""
    shown = ' AND OLD."deleted_at" IS NULL' if e.soft_delete else ""
    for event in ("UPDATE", "DELETE"):
        yield f"""CREATE TRIGGER "{name}__{event.lower()}" BEFORE {event} ON "{e.name}" WHEN {_OPEN}{shown}
BEGIN
  INSERT INTO "_touched" ("entity", "id", "was") SELECT '{e.name}', OLD."id", {_as_json(b, e)} FROM "{e.name}" WHERE "{e.name}"."id" = OLD."id" AND {unknown("OLD")};
END;"""


def _as_json(b: Blueprint, e: Entity) -> str:
    """A row with all that is stored and worked out, as one JSON object."""
    stored = ["id", *(f.name for f in e.fields if f.computed is None), *(f"{r.name}_id" for r in e.references)]
    stored += ["owner_id"] if is_owned(b, e) else []
    stored += ["created_at", "updated_at"] if e.timestamps else []
    pairs = [f"""'{name}', "{e.name}"."{name}\"""" for name in stored]
    pairs += [f"'{f.name}', {computed_sql(f.computed, e, b)}" for f in e.fields if f.computed is not None]
    groups = [pairs[i : i + _COLUMNS_AT_ONCE] for i in range(0, len(pairs), _COLUMNS_AT_ONCE)]
    # Every value is a number, a text or null, so that only the outer braces go.
    inner = " || ',' || ".join(f"trim(json_object({', '.join(group)}), '{{}}')" for group in groups)
    return f"'{{' || {inner} || '}}'"
