"""Rows that a count or a sum of a condition is worked out from: more of them, fewer, and others that only nearly belong to
them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal
from typing import Any

from clodo.blueprint.evaluation import Unknowable, value_of
from clodo.blueprint.formulas import Scope, member, target_of
from clodo.blueprint.linking import Linking
from clodo.blueprint.ranges import steps
from clodo.blueprint.values import (
    Blueprint,
    Call,
    Entity,
    Expression,
    Not,
    Operand,
    Operation,
    Path,
)
from clodo.bricks.rules.aggregates import aggregates, expanded, outer_parts
from clodo.bricks.rules.language import is_maker, key_of
from clodo.bricks.rules.linked import link_wanted, put_link
from clodo.bricks.rules.placing import bring, keep_out
from clodo.bricks.rules.samples import conjuncts, made_to_hold, satisfying
from clodo.emit.expressions import Place, sql
from clodo.proof.client import Answer
from clodo.proof.session import Row, Session, StatementRefused

#: Asks the database: SQL in which ``?1`` is the row that rows are counted for.
Ask = Callable[[str], Awaitable[list[Row]]]


class Related:
    """The rows of ``entity`` that ``call`` counts or sums up for one row of ``holder``. ``place`` is where a condition on that row
    stands, under the name ``t``; ``given`` are values of parameters."""

    def __init__(self, s: Session, call: Call, holder: Entity, row: Row, given: Row, place: Place, ask: Ask) -> None:
        name, column = target_of(call)
        entity = s.blueprint.entity(name)
        assert entity is not None and call.where is not None
        self.s, self.call, self.entity, self.holder, self.row = s, call, entity, holder, row
        f = entity.field(column) if column else None
        #: The field that is summed up, where callers or the proof can set it.
        self.column = column if f is not None and f.type.is_number and f.computed is None else ""
        self.where: Expression = call.where
        self._given, self._place, self._ask = given, place, ask
        #: The last answer to the creation of a row.
        self.last: Answer | None = None
        #: Answers to the creation of rows that are not counted for sure.
        self.let_out: list[Answer] = []

    async def ids(self) -> list[str]:
        """The rows that are counted, the eldest first."""
        inner = self._place.within(self.entity)
        where = sql(self.where, inner) + (f' AND {inner.row}"deleted_at" IS NULL' if self.entity.soft_delete else "")
        other, here = f'"{self.entity.name}" AS {inner.row.rstrip(".")}', f'"{self.holder.name}" AS "t"'
        found = await self._ask(f'SELECT {inner.row}"id" AS "id" FROM {other}, {here} WHERE "t"."id" = ?1 AND {where} ORDER BY {inner.row}"id"')
        return [str(row["id"]) for row in found]

    async def one_more(self, changes: Row | None = None) -> Row | None:
        """A new row that is counted; ``None`` where none could be made."""
        row = await self._made(None, changes or {})
        return row if row is not None and row["id"] in await self.ids() else None

    async def nearly(self) -> list[tuple[Row, Expression]]:
        """New rows that meet all of the condition but one part, for each part one, where they could be made: with that part."""
        made = []
        for part in conjuncts(self.where):
            row = await self._made(part, {})
            if row is not None and row["id"] in await self.ids():
                await self.drop(row["id"])
            elif row is not None:
                made.append((row, part))
        return made

    def joining(self, row: Row, part: Expression) -> Row:
        """Changes with which a row meets a part of the condition, as far as they are found."""
        if refers := referring(self.holder, self.entity, part, self.row, self._given):
            return refers
        body = dict(row)
        if _is_local(self.entity, part):
            made_to_hold(self.entity, part, body)
        return {k: v for k, v in body.items() if v != row.get(k)}

    def amount(self, number: Decimal) -> Row:
        """A value of what is summed up, as near to a number as the bounds of the field allow; empty where rows are counted."""
        f = self.entity.field(self.column)
        if f is None or f.read_only:
            return {}
        room = steps(f)
        value = min(max(number, room.low * room.size), room.high * room.size)
        return {self.column: float(value) if value != value.to_integral_value() else int(value)}

    async def leave_out(self, id: str) -> None:
        """Changes a row until it is not counted, as far as that can be found."""
        for part in conjuncts(self.where):
            if id not in await self.ids():
                return
            if _is_local(self.entity, part):
                await keep_out(self.s, self.entity, part, id)

    async def drop(self, id: str) -> bool:
        """Takes a row out of the database; false where others refer to it, or a rule needs it."""
        try:
            await self.s.query(f'DELETE FROM "{self.entity.name}" WHERE "id" = ?', id)
        except StatementRefused:
            return False
        return True

    async def _made(self, out: Expression | None, changes: Row) -> Row | None:
        """A new row that meets the condition, but for the part ``out``."""
        s, e = self.s, self.entity
        wanted = [part for part in conjuncts(self.where) if part is not out]
        refers = {k: v for part in wanted for k, v in referring(self.holder, e, part, self.row, self._given).items()}
        plain = {**await s.body(e, {**refers, **changes}), **changes}
        own = [part for part in wanted if _is_local(e, part)]
        local = out is not None and _is_local(e, out)
        for tried in self._bodies(plain, own, out if local else None):
            self.last = answer = await s.post(e, tried)
            if out is not None and self._is_out(out, tried):
                self.let_out.append(answer)
            if answer.status != 201:
                continue
            row = dict(answer.body)
            for part in own:
                await bring(s, e, part, row)
            for there, other in filter(None, (self._link(part) for part in wanted)):
                await put_link(s, there, row["id"], other)
            if local and out is not None:
                await keep_out(s, e, out, row["id"])
            return row
        return None

    def _link(self, part: Expression) -> tuple[Linking, str] | None:
        return link_wanted(self.s.blueprint, self.holder, self.entity, part, self.row)

    def _is_out(self, part: Expression, body: Row) -> bool:
        """Whether a row is certain not to meet a part of the condition. A new one is linked with none."""
        if self._link(part) is not None:
            return True
        if refers := referring(self.holder, self.entity, part, self.row, self._given):
            return all(body.get(k) != v for k, v in refers.items())
        try:
            return _is_local(self.entity, part) and value_of(part, body) is False
        except Unknowable:
            return False

    def _bodies(self, plain: Row, own: list[Expression], out: Expression | None) -> Iterator[Row]:
        """Bodies that may give such a row; the last is one that states which only actions change do not hinder."""
        body = dict(plain)
        for part in own:
            made_to_hold(self.entity, part, body)
        if out is not None:
            for name, value in satisfying(self.entity, Not(out), body):
                yield body | {name: value}
        elif body != plain:
            yield body
        yield plain


def related(s: Session, e: Entity, condition: Expression, row: Row, given: Row, place: Place, ask: Ask) -> list[Related]:
    """What a condition on a row counts or sums up for it, and for rows that it refers to: as far as rows are made for one row
    alone, so that no other check has a say."""
    calls = [call for call in aggregates(condition) if _is_for_one(s.blueprint, e, call, row, given)]
    return [Related(s, call, e, row, given, place, ask) for call in calls]


async def related_behind(s: Session, e: Entity, condition: Expression, row: Row) -> list[Related]:
    """The same of fields, computed from counts and sums, of rows that the row refers to."""
    found = []
    for path, target, calls in counted_paths(s.blueprint, e, condition):
        id = row.get(key_of(e, path.names[0]))
        there = await s.query(f'SELECT * FROM "{target.name}" WHERE "id" = ?', id) if id is not None else []
        for call in calls if there else ():
            if _is_for_one(s.blueprint, target, call, there[0], {}):
                found.append(Related(s, call, target, there[0], {}, Place(Scope(s.blueprint, target), '"t".', '"t".'), _asking(s, str(id))))
    return found


def _asking(s: Session, id: str) -> Ask:
    return lambda statement: s.query(statement, id)


def counted_paths(b: Blueprint, e: Entity, condition: Expression) -> Iterator[tuple[Path, Entity, list[Call]]]:
    """Paths to a field, computed from counts and sums, of a row that is referred to: with that row's entity, and these."""
    for path in outer_parts(condition):
        if not isinstance(path, Path) or len(path.names) != 2:
            continue
        reference = member(e, path.names[0])
        target = b.entity(getattr(reference, "target", ""))
        f = target.field(path.names[1]) if target is not None else None
        if target is None or f is None or f.computed is None:
            continue
        calls = list(aggregates(expanded(target, f.computed)))
        if calls:
            yield path, target, calls


def counts_rows(b: Blueprint, e: Entity, condition: Expression, given: Row) -> bool:
    """Whether ``related`` or ``related_behind`` would find something."""
    own = any(_is_for_one(b, e, call, {"id": ""}, given) for call in aggregates(condition))
    return own or any(_is_for_one(b, t, call, {"id": ""}, {}) for _, t, calls in counted_paths(b, e, condition) for call in calls)


def _is_for_one(b: Blueprint, e: Entity, call: Call, row: Row, given: Row) -> bool:
    other = b.entity(target_of(call)[0])
    if other is None or call.where is None:
        return False
    return any(referring(e, other, part, row, given) or link_wanted(b, e, other, part, row) for part in conjuncts(call.where))


def referring(e: Entity, other: Entity, part: Expression, row: Row, given: Row) -> Row:
    """What a row of ``other`` must refer to so that it meets a part of a condition on rows of ``e``: ``book = this``,
    ``book = this.book`` or ``reader = a parameter``. Empty where the part is none of these."""
    if not isinstance(part, Operation) or part.operator != "=" or not isinstance(part.left, Operand):
        return {}
    name = str(part.left.value)
    key = key_of(other, name)
    if is_maker(other, name):
        return {}  # whoever calls
    if part.right == Operand("this", is_field=True):
        return {key: row["id"]}
    if isinstance(part.right, Path) and part.right.names[0] == "this" and len(part.right.names) == 2:
        return {key: row.get(key_of(e, part.right.names[1]))}
    if isinstance(part.right, Operand) and part.right.is_field and member(other, str(part.right.value)) is None:
        word = str(part.right.value)
        value: Any = given.get(f"{word}_id", given.get(word))
        return {key: value} if value is not None else {}
    return {}


def _is_local(e: Entity, part: Expression) -> bool:
    """Whether a row alone tells if it meets a part of a condition."""
    known = {"now", "today", "created_at", "updated_at"}
    return all(
        not (isinstance(p, Operand) and p.is_field and member(e, str(p.value)) is None and p.value not in known)
        and not (isinstance(p, Path) and member(e, p.names[0]) is None)
        for p in outer_parts(part)
    )
