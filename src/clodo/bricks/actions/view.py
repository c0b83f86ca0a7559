"""What the database itself says of a row on which an action is called: which guards hold, and what its effects must leave."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any

from clodo.blueprint.formulas import names_in, parts
from clodo.blueprint.samples import entity_body
from clodo.blueprint.values import Entity, Expression, Field, FieldType, Operand, Path, Reference
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

    async def call(self, id: str, body: Row | None) -> Answer:
        """Calls the action on a row, with the credentials that it needs and perhaps without a body. Of one that is done later, gives what comes of it."""
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

    def changed_row(self, a: Assignment, row: Row, body: Row) -> tuple[Entity, Field | Reference, str | None]:
        """Which member an assignment sets, and the id of the row that it does so in; ``None`` where the row refers to none."""
        found = target_field(self.b, self.e, a.target, self.action.references)
        assert found is not None
        if len(a.target) == 1:
            return *found, row["id"]
        key = f"{a.target[0]}_id"
        named = any(r.name == a.target[0] for r in self.action.references)
        return *found, body.get(key) if named else row[key]

    async def expected(self, id: str, body: Row) -> dict[Cell, Any]:
        """The values that the assignments to the row, to those that it refers to, and to those that parameters name must leave behind."""
        row = (await self.s.query(f'SELECT * FROM "{self.e.name}" WHERE "id" = ?', id))[0]
        place, out, changed = place_of(self.b, self.e, self.action), {}, set[str]()
        for effect in self.action.effects:
            for a in effect.assignments if isinstance(effect, SetValues) else ():
                e, m, there = self.changed_row(a, row, body)
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


def alike(got: Any, wanted: Any) -> bool:
    """Whether two values are the same, but for the rounding of numbers and a moment of time."""
    if isinstance(got, int | float) and isinstance(wanted, int | float):
        return math.isclose(got, wanted, rel_tol=1e-9, abs_tol=1e-6)
    if isinstance(got, str) and isinstance(wanted, str) and got != wanted:
        try:
            # Moments may be a little later than when they were worked out here.
            return abs((datetime.fromisoformat(got) - datetime.fromisoformat(wanted)).total_seconds()) < 60
        except (ValueError, TypeError):
            return False
    return bool(got == wanted)
