"""Rows in a state in which an action may be called, or may just not. Where no request can bring a row there, it is put
there in the database, along its transitions."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from clodo.blueprint.constants import normal
from clodo.blueprint.evaluation import Unknowable, value_of
from clodo.blueprint.formulas import member, names_in, parts
from clodo.blueprint.samples import entity_body
from clodo.blueprint.values import (
    Entity,
    Expression,
    Field,
    FieldType,
    Not,
    Operand,
    Operation,
    Path,
    Reference,
)
from clodo.bricks.actions.statements import Statement, guards, place_of, statement
from clodo.bricks.actions.values import (
    Action,
    Assignment,
    CreateRow,
    DeleteRows,
    Effect,
    Guard,
    SetValues,
    UpdateRows,
    target_field,
)
from clodo.bricks.rules.language import key_of
from clodo.bricks.rules.placing import put
from clodo.bricks.rules.samples import conjuncts, made_to_hold, satisfying
from clodo.emit.expressions import stored_sql
from clodo.proof.client import Answer
from clodo.proof.session import Fault, Row, Session, TooFewValues

#: The table, the row's id and the column of a value.
Cell = tuple[str, str, str]


class Scene:
    """What the checks of one action share."""

    def __init__(self, s: Session, e: Entity, action: Action) -> None:
        self.s, self.e, self.action, self.b = s, e, action, s.blueprint
        # Guards may look at parameters: a row that is ready for one body need not be so for another.
        self._given = entity_body(action.as_entity(), s.number())

    async def body(self) -> Row:
        """A valid body of the action, always with the same values, and with rows of its own to refer to."""
        out = dict(self._given)
        for r in self.action.references:
            target = self.b.entity(r.target)
            made = (await self.s.create(target))["id"] if target is not None else await self.s.spare_user()
            out[f"{r.name}_id"] = made
        return out

    async def ready(self, *, barely: bool = False) -> Row:
        """A new row for which every guard holds; ``barely``: with numbers at their limits.

        Raises:
            TooFewValues: no such row was found.
        """
        row = await self.s.create(self.e, apart=True)
        body = await self.body()
        for guard in self.action.guards:
            for part in conjuncts(guard.condition):
                await self._brought(row, part, body, barely=barely)
        if not all(await self.held(row["id"], body)):
            raise TooFewValues("no row was found for which every guard holds")
        read = await self.s.get(self.e, row["id"])
        return dict(read.body)

    async def _brought(self, row: Row, part: Expression, body: Row, *, barely: bool) -> None:
        """Changes the row, or one that it refers to, until a part of a guard holds."""
        if not barely and await self._true(row["id"], part, body):
            return
        for table, id, name, value in await self._ways(row, part, body):
            await put(self.s, table, id, name, value)
            if await self._true(row["id"], part, body):
                return

    async def broken(self, row: Row, guard: Guard, number: int, body: Row) -> bool:
        """Changes the row until a guard does not hold any more; false where no way was found."""
        for part in conjuncts(guard.condition):
            for table, id, name, value in await self._ways(row, Not(part), body):
                await put(self.s, table, id, name, value)
                if not (await self.held(row["id"], body))[number]:
                    return True
        return not (await self.held(row["id"], body))[number]

    async def _ways(self, row: Row, part: Expression, body: Row) -> list[tuple[Entity, str, str, Any]]:
        """Changes of single cells that may make a condition true."""
        known = {**row, **{k.removesuffix("_id"): v for k, v in body.items()}}
        found = [(self.e, row["id"], name, value) for name, value in satisfying(self.e, part, known)]
        for path in (p for p in parts(part) if isinstance(p, Path) and len(p.names) == 2):
            reference = member(self.e, path.names[0])
            target = self.b.entity(reference.target) if isinstance(reference, Reference) else None
            id = row.get(f"{path.names[0]}_id")
            if target is None or id is None:
                continue
            local = _replaced(part, path, Operand(path.names[1], is_field=True))
            there = (await self.s.query(f'SELECT * FROM "{target.name}" WHERE "id" = ?', id))[0]
            found += [(target, id, name, value) for name, value in satisfying(target, local, dict(there))]
        return found

    # -- the database's own view ------------------------------------------------------------------

    def _values(self, id: str, body: Row) -> list[Any]:
        now = datetime.now(UTC)
        moment = now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}Z"
        given = [self._stored(f, body.get(f.name)) for f in self.action.fields]
        given += [body.get(f"{r.name}_id") for r in self.action.references]
        return [id, self._caller, moment, moment[:10], *given]

    @staticmethod
    def _stored(f: Field, value: Any) -> Any:
        if value is None and f.default is not None:
            value = float(f.default) if not isinstance(f.default, str | bool) else f.default
        if f.type in (FieldType.JSON, FieldType.LIST) and value is not None:
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return round(value * 100) if f.type is FieldType.MONEY and value is not None else value

    _caller: str | None = None

    async def _ask(self, statement: Statement, id: str, body: Row) -> Row:
        if self.b.users is not None:
            self._caller = (await self.s.account("admin")).id
        found = await self.s.query(statement.sql, *self._values(id, body)[: statement.uses])
        return dict(found[0]) if found else {}

    async def _true(self, id: str, part: Expression, body: Row) -> bool:
        from clodo.emit.expressions import sql

        made = sql(part, place_of(self.b, self.e, self.action))
        found = await self._ask(statement(f'SELECT {made} AS "held" FROM "{self.e.name}" AS "t" WHERE "t"."id" = ?1'), id, body)
        return bool(found.get("held"))

    async def held(self, id: str, body: Row) -> list[bool]:
        """Of each guard, whether it holds."""
        conditions = guards(self.b, self.e, self.action)
        if not conditions:
            return []
        columns = ", ".join(f'{c} AS "g{n}"' for n, c in enumerate(conditions))
        found = await self._ask(statement(f'SELECT {columns} FROM "{self.e.name}" AS "t" WHERE "t"."id" = ?1'), id, body)
        return [bool(found.get(f"g{n}")) for n in range(len(conditions))]

    async def expected(self, id: str, body: Row) -> dict[Cell, Any]:
        """The values that the assignments to the row, and to those that it refers to, must leave behind."""
        row = (await self.s.query(f'SELECT * FROM "{self.e.name}" WHERE "id" = ?', id))[0]
        place, out, changed = place_of(self.b, self.e, self.action), {}, set[str]()
        for effect in self.action.effects:
            for a in effect.assignments if isinstance(effect, SetValues) else ():
                found = target_field(self.b, self.e, a.target)
                assert found is not None
                e, m = found
                there = id if len(a.target) == 1 else row[f"{a.target[0]}_id"]
                # What an earlier effect changed is not known before the call.
                if there is not None and not (changed & _read(a)):
                    made = stored_sql(a.value, place, m)
                    got = await self._ask(statement(f'SELECT {made} AS "value" FROM "{self.e.name}" AS "t" WHERE "t"."id" = ?1'), id, body)
                    out[e.name, there, key_of(e, m.name)] = got["value"]
            if isinstance(effect, SetValues):
                changed |= {a.target[-1] for a in effect.assignments}
        return out

    async def counts(self, id: str) -> dict[str, int]:
        """How many rows there are, of the kinds that the action makes, that refer to a row. (Other checks make rows
        meanwhile, so those that refer to nothing say nothing.)"""
        out = {}
        for effect in self.action.effects:
            entity = self.b.entity(effect.entity) if isinstance(effect, CreateRow) else None
            if entity is None or not isinstance(effect, CreateRow):
                continue
            for a in effect.assignments:
                if a.value == Operand("this", is_field=True):
                    column = key_of(entity, a.target[0])
                    out[entity.name] = (await self.s.query(f'SELECT COUNT(*) AS "n" FROM "{entity.name}" WHERE "{column}" = ?', id))[0]["n"]
        return out

    async def victims(self, row: Row, given: Row) -> dict[int, Row]:
        """For each effect on other rows, by its place, a row that it must reach."""
        found: dict[int, Row] = {}
        for number, effect in enumerate(self.action.effects):
            if isinstance(effect, UpdateRows | DeleteRows):
                entity = self.b.entity(effect.entity)
                assert entity is not None
                changes = _referring(self.e, entity, effect.where, row, given)
                body = {**await self.s.body(entity, changes), **changes}
                made_to_hold(entity, effect.where, body)
                answer = await self.s.post(entity, {k: v for k, v in body.items() if v is not None})
                if answer.status == 201 and _meets(entity, effect.where, answer.body | {"this": row["id"]}):
                    found[number] = answer.body
        return found

    async def settled(self, effect: Effect, row: Row, answer: Answer) -> None:
        """A fault unless an effect on other rows reached this one."""
        assert isinstance(effect, UpdateRows | DeleteRows)
        shown = await self.s.query(f'SELECT * FROM "{effect.entity}" WHERE "id" = ?', row["id"])
        if isinstance(effect, DeleteRows):
            if shown and not shown[0].get("deleted_at"):
                raise Fault(f"a {effect.entity} was to be deleted and is still there", answer)
            return
        entity = self.b.entity(effect.entity)
        assert entity is not None
        for a in effect.assignments:
            if isinstance(a.value, Operand) and not a.value.is_field and isinstance(a.value.value, str):
                f = entity.field(a.target[0])
                wanted = normal(f.type, a.value.value) if f is not None else a.value.value
                if not shown or shown[0][key_of(entity, a.target[0])] != wanted:
                    raise Fault(f"a {effect.entity} was to have {a.target[0]} = {a.value.value!r}", answer)


def _read(a: Assignment) -> set[str]:
    return {*names_in(a.value)} | {p.names[-1] for p in parts(a.value) if isinstance(p, Path)}


def _replaced(e: Expression, path: Path, operand: Operand) -> Expression:
    if e == path:
        return operand
    if isinstance(e, Operation):
        return Operation(e.operator, _replaced(e.left, path, operand), _replaced(e.right, path, operand))
    if isinstance(e, Not):
        return Not(_replaced(e.inner, path, operand))
    return e


def _referring(e: Entity, other: Entity, where: Expression, row: Row, given: Row) -> Row:
    """What a row must refer to so that it meets ``book = this``, ``book = this.book`` or ``reader = a parameter``."""
    out: Row = {}
    for part in conjuncts(where):
        if isinstance(part, Operation) and part.operator == "=" and isinstance(part.left, Operand):
            key = key_of(other, str(part.left.value))
            if part.right == Operand("this", is_field=True):
                out[key] = row["id"]
            elif isinstance(part.right, Path) and part.right.names[0] == "this" and len(part.right.names) == 2:
                out[key] = row[key_of(e, part.right.names[1])]
            elif isinstance(part.right, Operand) and member(other, str(part.right.value)) is None:
                name = str(part.right.value)
                value = given.get(f"{name}_id", given.get(name)) if part.right.is_field else None
                out |= {key: value} if value is not None else {}
    return out


def _meets(entity: Entity, where: Expression, row: Row) -> bool:
    """Whether a row meets a condition, as far as the row itself tells."""
    for part in conjuncts(where):
        try:
            if value_of(part, row) is False:
                return False
        except Unknowable:
            continue
    return True
