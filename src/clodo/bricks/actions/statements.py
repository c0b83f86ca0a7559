"""Actions as SQL. Every statement has the same numbered parameters: the row's id, the caller's, the moment, the day, the
parameters of the action in their order, and an id for each row that is made."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from clodo.blueprint.defaults import in_order, looked_at, row_scope
from clodo.blueprint.formulas import Scope
from clodo.blueprint.plan import is_owned
from clodo.blueprint.values import (
    Blueprint,
    Entity,
    Expression,
    Field,
    FieldType,
    Operand,
    Reference,
)
from clodo.bricks.actions.rows import row_changes
from clodo.bricks.actions.sums import added, added_to, columns_added_to
from clodo.bricks.actions.values import (
    Action,
    Assignment,
    CreateRow,
    DeleteRows,
    SetValues,
    UpdateRows,
    changed_by_name,
    named_rows,
    refusal,
    scope_of,
    target_field,
    tenant_columns,
)
from clodo.bricks.rules.triggers import HOLD, PUT_OFF, puts_off
from clodo.emit.expressions import RANDOM_UUID, Place, sql, stored_sql

_ID, _CALLER, _NOW, _TODAY = "?1", "?2", "?3", "?4"
_FIRST = 5
_ROW = '"t".'


@dataclass(frozen=True)
class Statement:
    """``uses``: how many of the numbered parameters it binds."""

    sql: str
    uses: int


def statement(text: str) -> Statement:
    return Statement(text, max((int(n) for n in re.findall(r"\?(\d+)", _without_texts(text))), default=0))


def _without_texts(text: str) -> str:
    return re.sub(r"'(?:[^']|'')*'", "", text)


def place_of(b: Blueprint, e: Entity, action: Action) -> Place:
    """Where the expressions of an action stand: over the row, under the name ``t``."""
    words = {"now": _NOW, "today": _TODAY, "caller": _CALLER}
    for p in action.parameters:
        money = isinstance(p, Field) and p.type is FieldType.MONEY
        words[p.name] = f"({_parameter(action, p)} / 100.0)" if money else _parameter(action, p)
    return Place(scope_of(b, e, action), _ROW, _ROW, words, zeros=added_to(b, e, action))


def _parameter(action: Action, p: Field | Reference) -> str:
    """The number of a parameter."""
    return f"?{_FIRST + (*action.fields, *action.references).index(p)}"


def guards(b: Blueprint, e: Entity, action: Action) -> tuple[str, ...]:
    """The condition of each guard, for the row under the name ``t``."""
    place = place_of(b, e, action)
    return tuple(sql(g.condition, place) for g in action.guards)


def _asked(b: Blueprint, e: Entity, action: Action) -> tuple[str, ...]:
    """The condition of each refusal: those of the guards, and that rows which are changed by the name of a parameter are still there."""
    return (*guards(b, e, action), *(_is_there(b, action, r) for r in changed_by_name(action)))


def refusals(action: Action) -> list[str]:
    """What is said where one of these conditions does not hold."""
    gone = [f"The {r.name.replace('_', ' ')} that this names is gone." for r in changed_by_name(action)]
    return [*map(refusal, action.guards), *gone]


def _is_there(b: Blueprint, action: Action, r: Reference) -> str:
    target, given = b.entity(r.target), _parameter(action, r)
    shown = ' AND "deleted_at" IS NULL' if target is not None and target.soft_delete else ""
    found = f'EXISTS (SELECT 1 FROM "{r.target}" WHERE "id" = {given}{shown})'
    return found if r.required else f"({given} IS NULL OR {found})"


def assertion(b: Blueprint, e: Entity, action: Action) -> Statement:
    """A statement that fails, and with it the whole transaction, unless the row is there and every guard holds."""
    conditions = "".join(f" AND {c}" for c in _asked(b, e, action))
    return statement(f"SELECT CASE WHEN EXISTS (SELECT 1 {_from(e)}{conditions}) THEN 1 ELSE json('refused') END")


def explanation(b: Blueprint, e: Entity, action: Action) -> Statement:
    """A query that tells of each refusal whether there is none; of a row that is not there, it tells nothing."""
    columns = "".join(f', {c} AS "g{n}"' for n, c in enumerate(_asked(b, e, action)))
    return statement(f"SELECT 1{columns} {_from(e)}")


def _from(e: Entity) -> str:
    shown = ' AND "t"."deleted_at" IS NULL' if e.soft_delete else ""
    return f'FROM "{e.name}" AS "t" WHERE "t"."id" = {_ID}{shown}'


def effects(b: Blueprint, e: Entity, action: Action) -> Iterator[Statement]:
    """The statements of the effects, in their order, and around them what makes rules wait that can only hold when all is done."""
    waits = puts_off(b, e, action)
    if waits:
        yield statement(PUT_OFF)
    place = place_of(b, e, action)
    fresh = _FIRST + len(action.parameters)
    touched = False
    for effect in action.effects:
        if isinstance(effect, SetValues):
            touched = touched or any(len(a.target) == 1 for a in effect.assignments)
            yield from _set(b, e, action, effect, place)
        elif isinstance(effect, CreateRow):
            yield _create(b, e, effect, place, f"?{fresh}")
            fresh += 1
        else:
            yield _others(b, e, effect, place)
    if e.timestamps and not touched:
        yield statement(f'UPDATE "{e.name}" SET "updated_at" = {_NOW} WHERE "id" = {_ID}')
    if waits:
        yield statement(HOLD)


def made_rows(action: Action) -> int:
    """How many rows an action makes, each of which needs an id."""
    return sum(isinstance(effect, CreateRow) for effect in action.effects)


def _set(b: Blueprint, e: Entity, action: Action, effect: SetValues, place: Place) -> Iterator[Statement]:
    """One statement for the row itself, and one for each row that it refers to or that a parameter names."""
    for row in row_changes(effect, place.scope):
        changes = _changes(b, e, row.entity, row.assignments, place)
        given = next((r for r in action.references if r.name == row.name), None)
        id = _parameter(action, given) if given is not None else f'"t"."{row.name}_id"' if row.name else '"t"."id"'
        which = f'"{row.entity.name}"."id" = {id}'
        yield statement(f'UPDATE "{row.entity.name}" SET {", ".join(changes)} {_from(e).replace(" WHERE ", f" WHERE {which} AND ", 1)}')


def _changes(b: Blueprint, e: Entity, changed: Entity, assignments: Iterable[Assignment], place: Place) -> list[str]:
    """What an ``UPDATE`` sets in rows of ``changed``; the targets of the assignments are seen from ``e``."""
    changes = [f'"{_column(m)}" = {value}' for m, value in _values(b, e, assignments, place)]
    return changes + ([f'"updated_at" = {place.words["now"]}'] if changed.timestamps else [])


def scheduled(b: Blueprint, effect: UpdateRows | DeleteRows) -> Statement:
    """An effect that nobody calls: ``?1`` is the moment and ``?2`` the day."""
    entity = b.entity(effect.entity)
    assert entity is not None
    name = f'"{entity.name}"'
    scope = Scope(b, entity)
    # Here the rows are the only ones; in an action there is the row that it is called on beside.
    changed = [SetValues(effect.assignments)] if isinstance(effect, UpdateRows) else []
    place = Place(scope, f"{name}.", f"{name}.", {"now": "?1", "today": "?2"}, zeros=columns_added_to(b, entity, changed, scope))
    where = sql(effect.where, place) + (f' AND {name}."deleted_at" IS NULL' if entity.soft_delete else "")
    if isinstance(effect, DeleteRows) and not entity.soft_delete:
        return statement(f"DELETE FROM {name} WHERE {where}")
    hidden = isinstance(effect, DeleteRows)
    changes = ['"deleted_at" = ?1'] if hidden else _changes(b, entity, entity, effect.assignments, place)  # type: ignore[union-attr]
    return statement(f"UPDATE {name} SET {', '.join(changes)} WHERE {where}")


def _values(b: Blueprint, e: Entity, assignments: Iterable[Assignment], place: Place) -> Iterator[tuple[Field | Reference, str]]:
    for a in assignments:
        found = target_field(b, e, a.target, named_rows(place.scope))
        assert found is not None
        yield found[1], assigned(a, place, found[1])


def assigned(a: Assignment, place: Place, target: Field | Reference) -> str:
    """The value of an assignment, as it is stored."""
    return stored_sql(a.value, replace(place, added=added(a, place.scope)), target)


def _column(m: Field | Reference) -> str:
    return f"{m.name}_id" if isinstance(m, Reference) else m.name


def _create(b: Blueprint, e: Entity, effect: CreateRow, place: Place, id: str) -> Statement:
    entity = b.entity(effect.entity)
    assert entity is not None
    given = {a.target[0]: a.value for a in effect.assignments}
    columns = {"id": id}
    for f in entity.fields:
        if f.computed is None and (f.name in given or f.constant_default is not None):
            value = given[f.name] if f.name in given else _default(f)
            timed = f.name not in given and f.default == "now" and f.type is FieldType.TIME
            columns[f.name] = f"substr({_NOW}, 12, 8)" if timed else stored_sql(value, place, f)
        elif f.made and f.required:
            # What the service makes of itself, such as a version.
            columns[f.name] = RANDOM_UUID
    for r in entity.references:
        if r.name in given:
            columns[f"{r.name}_id"] = stored_sql(given[r.name], place, r)
    columns |= {column: f'{_ROW}"{own}"' for column, own in tenant_columns(e, entity).items()}
    if is_owned(b, entity):
        columns["owner_id"] = _CALLER
    if entity.timestamps:
        columns |= {"created_at": _NOW, "updated_at": _NOW}
    source = f"SELECT {', '.join(columns.values())} {_from(e)}"
    worked = [[f for f in step if f.name not in given] for step in in_order(entity.fields)]
    if any(worked):
        source = _with_defaults(entity, columns, worked, _from(e), place)
    names = ", ".join(f'"{name}"' for name in columns)
    return statement(f'INSERT INTO "{entity.name}" ({names}) {source}')


def _with_defaults(
    entity: Entity, columns: dict[str, str], steps: list[list[Field]], origin: str, place: Place
) -> str:
    """A query of the values of a new row, in which those of ``steps`` are worked out of the others, step by step; ``columns``
    gets their names."""
    worked = [f for step in steps for f in step]
    looked = {name for f in worked for name in looked_at(f)} - {f.name for f in worked}
    columns |= dict.fromkeys(sorted(looked - {*columns}), "NULL")
    source = f"SELECT {_named(columns)} {origin}"
    row = Place(
        row_scope(entity.fields), words={word: place.words[word] for word in ("now", "today")}
    )
    for step in steps:
        made = {f.name: stored_sql(f.worked_out, row, f) for f in step if f.worked_out is not None}
        if made:
            columns |= made
            source = f'SELECT *, {_named(made)} FROM ({source}) AS "new"'
    return f'SELECT {", ".join(f"{chr(34)}{name}{chr(34)}" for name in columns)} FROM ({source}) AS "new"'


def _named(columns: dict[str, str]) -> str:
    return ", ".join(f'{value} AS "{name}"' for name, value in columns.items())


def _default(f: Field) -> Expression:
    assert f.constant_default is not None
    if f.default == "now" and f.type.is_temporal:
        return Operand("today" if f.type is FieldType.DATE else "now", is_field=True)
    return Operand(f.constant_default)


def _others(b: Blueprint, e: Entity, effect: UpdateRows | DeleteRows, place: Place) -> Statement:
    entity = b.entity(effect.entity)
    assert entity is not None
    inner = replace(place.within(entity), this=_ROW)
    alias = inner.row.rstrip(".")
    where = sql(effect.where, inner) + (f' AND {alias}."deleted_at" IS NULL' if entity.soft_delete else "")
    where += "".join(f' AND {alias}."{column}" = {_ROW}"{own}"' for column, own in tenant_columns(e, entity).items())
    row = f'FROM "{e.name}" AS "t" WHERE "t"."id" = {_ID} AND {where}'
    if isinstance(effect, DeleteRows) and not entity.soft_delete:
        return statement(f'DELETE FROM "{entity.name}" WHERE "id" IN (SELECT {alias}."id" FROM "{entity.name}" AS {alias}, "{e.name}" AS "t" WHERE "t"."id" = {_ID} AND {where})')
    if isinstance(effect, DeleteRows):
        changes = [f'"deleted_at" = {_NOW}']
    else:
        changes = _changes(b, entity, entity, effect.assignments, inner)
    return statement(f'UPDATE "{entity.name}" AS {alias} SET {", ".join(changes)} {row}')


