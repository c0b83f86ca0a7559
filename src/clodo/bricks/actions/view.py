"""What the database itself says of a row on which an action is called: which guards hold, and what its effects must leave."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from clodo.blueprint.formulas import names_in, parts
from clodo.blueprint.samples import entity_body
from clodo.blueprint.values import Entity, Expression, Field, FieldType, Operand, Path
from clodo.bricks.actions.callers import Caller
from clodo.bricks.actions.statements import Statement, assigned, guards, place_of, statement
from clodo.bricks.actions.values import Action, Assignment, CreateRow, SetValues, target_field
from clodo.bricks.jobs.outcome import outcome
from clodo.bricks.rules.language import key_of
from clodo.emit.expressions import sql
from clodo.proof.client import Answer
from clodo.proof.session import Row, Session

#: The table, the row's id and the column of a value.
Cell = tuple[str, str, str]


class View:
    """What the checks of one action share: its caller, its body, and what the database says of rows."""

    def __init__(self, s: Session, e: Entity, action: Action) -> None:
        self.s, self.e, self.action, self.b = s, e, action, s.blueprint
        # Guards may look at parameters: a row that is ready for one body need not be so for another.
        self._given = entity_body(action.as_entity(), s.number())
        self.parameters = frozenset(p.name for p in action.parameters)
        self.caller = Caller(s, e, action)
        #: Rows that a check looks at later.
        self.needed: set[str] = set()

    async def body(self) -> Row:
        """A valid body of the action, always with the same values, and with rows of its own to refer to."""
        out = dict(self._given)
        for r in self.action.references:
            target = self.b.entity(r.target)
            made = (await self.s.create(target))["id"] if target is not None else await self.s.spare_user()
            out[f"{r.name}_id"] = made
        return out

    async def call(self, id: str, body: Row) -> Answer:
        """Calls the action on a row, with the credentials that it needs. Of one that is done later, gives what comes of it."""
        headers = await self.caller.headers()
        answer = await self.s.client.send("POST", f"{self.s.path(self.e, id)}/{self.action.segment}", body, headers=headers)
        return await outcome(self.s, self.e, id, answer, headers) if self.action.later else answer

    def _values(self, id: str, body: Row) -> list[Any]:
        now = datetime.now(UTC)
        moment = now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}Z"
        given = [self._stored(f, body.get(f.name)) for f in self.action.fields]
        given += [body.get(f"{r.name}_id") for r in self.action.references]
        return [id, self._caller, moment, moment[:10], *given]

    @staticmethod
    def _stored(f: Field, value: Any) -> Any:
        default = f.constant_default
        if value is None and default is not None:
            value = float(default) if not isinstance(default, str | bool) else default
        if f.type in (FieldType.JSON, FieldType.LIST) and value is not None:
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return round(value * 100) if f.type is FieldType.MONEY and value is not None else value

    _caller: str | None = None

    async def asked(self, statement: Statement, id: str, body: Row) -> list[Row]:
        """The rows that a statement gives when the action is called on a row."""
        self._caller = await self.caller.id()
        return await self.s.query(statement.sql, *self._values(id, body)[: statement.uses])

    async def ask(self, statement: Statement, id: str, body: Row) -> Row:
        """The first of these rows."""
        found = await self.asked(statement, id, body)
        return dict(found[0]) if found else {}

    async def value(self, id: str, part: Expression, body: Row) -> Any:
        """What an expression gives for a row."""
        made = sql(part, place_of(self.b, self.e, self.action))
        found = await self.ask(statement(f'SELECT {made} AS "value" FROM "{self.e.name}" AS "t" WHERE "t"."id" = ?1'), id, body)
        return found.get("value")

    async def is_true(self, id: str, part: Expression, body: Row) -> bool:
        """Whether a condition holds of a row."""
        return bool(await self.value(id, part, body))

    async def held(self, id: str, body: Row) -> list[bool]:
        """Of each guard, whether it holds."""
        conditions = guards(self.b, self.e, self.action)
        if not conditions:
            return []
        columns = ", ".join(f'{c} AS "g{n}"' for n, c in enumerate(conditions))
        found = await self.ask(statement(f'SELECT {columns} FROM "{self.e.name}" AS "t" WHERE "t"."id" = ?1'), id, body)
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
                    made = assigned(a, place, m)
                    got = await self.ask(statement(f'SELECT {made} AS "value" FROM "{self.e.name}" AS "t" WHERE "t"."id" = ?1'), id, body)
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


def _read(a: Assignment) -> set[str]:
    return {*names_in(a.value)} | {p.names[-1] for p in parts(a.value) if isinstance(p, Path)}
