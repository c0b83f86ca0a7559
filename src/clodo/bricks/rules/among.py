"""Checks of rules in which other rows have a say: such a rule is brought to its limit, from all sides, and must hold all the time; and
it must refuse nothing that keeps it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from typing import Any

from clodo.blueprint.formulas import Scope, member
from clodo.blueprint.values import (
    Entity,
    Expression,
    Field,
    Not,
    Operand,
    Operation,
    Path,
    Reference,
)
from clodo.bricks.rules.aggregates import aggregates, expanded, outer_parts, rewritten
from clodo.bricks.rules.language import CheckRule, said
from clodo.bricks.rules.related import Related, related, related_behind
from clodo.bricks.rules.samples import OPPOSITE, conjuncts, satisfying
from clodo.emit.expressions import Place, sql
from clodo.proof.client import Answer
from clodo.proof.session import Fault, Row, Session, TooFewValues, expect

_MOST_ROWS = 12
#: How far numbers are pushed.
_FURTHEST = 2**14


async def check_among(e: Entity, rule: CheckRule, s: Session) -> None:
    """The check of one rule."""
    await _Among(s, e, rule, await s.create(e)).run()


class _Among:
    def __init__(self, s: Session, e: Entity, rule: CheckRule, row: Row) -> None:
        self.s, self.e, self.rule, self.row = s, e, rule, row
        self.condition = expanded(e, rule.condition)
        self.place = Place(Scope(s.blueprint, e), f'"{e.name}".', f'"{e.name}".')
        self.refused = False

    async def run(self) -> None:
        """Brings the rule to its limit.

        Raises:
            Fault: it does not hold any more, or more than it says is refused.
            TooFewValues: nothing was ever refused.
        """
        counts = await self._counts()
        for rows in counts:
            await rows.one_more()
            await rows.nearly()
        for sign in (1, -1):
            # Each time the row is at its own limit, those that it refers to are pushed against it.
            own = list(self._own(counts))
            for name in own:
                summed = next((rows for rows in counts if rows.entity is self.e and rows.column == name), None)
                await self._push(self.e, self.row["id"], name, sign, Operand(name, is_field=True) if summed is None else summed)
            if own or sign > 0:
                await self._from_behind()
        for rows in counts:
            await self._fill(rows)
        if not self.refused:
            raise TooFewValues("nothing was found that would break this rule")

    async def _counts(self) -> list[Related]:
        place = Place(Scope(self.s.blueprint, self.e), '"t".', '"t".')
        own = related(self.s, self.e, self.condition, self.row, {}, place, lambda text: self.s.query(text, self.row["id"]))
        return own + await related_behind(self.s, self.e, self.condition, self.row)

    def _own(self, counts: list[Related]) -> Iterator[str]:
        """The numbers of the row itself that have a say, also among those that are summed up."""
        names = [str(p.value) for p in outer_parts(self.condition) if isinstance(p, Operand) and p.is_field]
        names += [rows.column for rows in counts if rows.entity is self.e and rows.column]
        yield from (name for name in dict.fromkeys(names) if _is_settable(self.e.field(name)))

    async def _from_behind(self) -> None:
        for path in dict.fromkeys(p for p in outer_parts(self.condition) if isinstance(p, Path) and len(p.names) == 2):
            reference = member(self.e, path.names[0])
            target = self.s.blueprint.entity(reference.target) if isinstance(reference, Reference) else None
            id = self.row.get(f"{path.names[0]}_id")
            if target is None or id is None:
                continue
            if _is_settable(target.field(path.names[1])):
                for sign in (1, -1):
                    await self._push(target, id, path.names[1], sign, path)
            else:
                await self._turn(target, id, path)

    async def _turn(self, target: Entity, id: str, path: Path) -> None:
        """Gives a row that is referred to other values, of a field that is no number, until the rule would be broken; then the row itself
        is to refer to one that has such a value, and so is another row."""
        s, key = self.s, f"{path.names[0]}_id"
        there = expect(await s.get(target, id), 200).body
        for name, value in self._breaking(target, path, there):
            changed = await s.patch(target, id, {name: value})
            await self._seen(changed)
            if changed.status == 200:
                await s.patch(target, id, {name: there.get(name)})
            other = await s.post(target, {**await s.body(target), name: value})
            if other.status != 201:
                continue
            refers = {key: other.body["id"]}
            await self._seen(await s.patch(self.e, self.row["id"], refers))
            made = await s.post(self.e, await s.body(self.e, refers))
            await self._seen(made, made.body["id"] if made.status == 201 else self.row["id"])

    def _breaking(self, target: Entity, path: Path, there: Row) -> Iterator[tuple[str, Any]]:
        """Values of the field that a path leads to which may break the rule."""
        f = target.field(path.names[1])
        if f is None or f.read_only:
            return
        for part in conjuncts(self.condition):
            local = rewritten(part, lambda e: Operand(f.name, is_field=True) if e == path else None)
            found = satisfying(target, Not(local), there) if local != part else ()
            yield from ((name, value) for name, value in found if name == f.name and value is not None)

    async def _push(self, e: Entity, id: str, name: str, sign: int, part: Expression | Related) -> None:
        """Pushes a number; ``part`` is what the rule calls it, or the rows that it is summed up with."""
        async for answer, value in _pushed(self.s, e, id, name, sign, await self._gap()):
            await self._seen(answer)
            if self._is_said(answer) and await self._would_hold(id, part, value):
                raise Fault("a change that keeps the rule is refused", answer)

    async def _gap(self) -> int:
        """How far the sides of a comparison with a sum are apart: samples have much room for these."""
        for part in outer_parts(self.condition):
            if isinstance(part, Operation) and part.operator in OPPOSITE and any(aggregates(part)):
                left, right = [await self._value(side) for side in (part.left, part.right)]
                if isinstance(left, int | float) and isinstance(right, int | float):
                    return int(abs(left - right))
        return 0

    async def _value(self, part: Expression) -> Any:
        made = sql(part, self.place)
        found = await self.s.query(f'SELECT {made} AS "value" FROM "{self.e.name}" WHERE "id" = ?', self.row["id"])
        return found[0]["value"] if found else None

    async def _fill(self, rows: Related) -> None:
        """Makes rows that are counted until one is refused; then some that are not counted, and these are changed so that they
        are; then what is summed up is changed."""
        amount = Decimal(0)
        for n in range(_MOST_ROWS):
            amount = Decimal(4**n)
            made = await rows.one_more(rows.amount(amount))
            await self._seen(rows.last)
            if made is None:
                break
        for row, part in await rows.nearly():
            await self._seen(await self.s.patch(rows.entity, row["id"], rows.joining(row, part) | rows.amount(amount)))
        for answer in rows.let_out if rows.entity is not self.e or not list(self._own([])) else ():
            if self._is_said(answer):
                raise Fault("a row that the rule does not count is refused", answer)
        counted = [id for id in await rows.ids() if id != self.row["id"]]
        if counted and _is_settable(rows.entity.field(rows.column)):
            for sign in (1, -1):
                await self._push(rows.entity, counted[-1], rows.column, sign, rows)

    async def _seen(self, answer: Answer | None, id: str = "") -> None:
        """After every change, the rule holds of the row, or of another one. What was refused may be due to another rule, or to a bound of
        the field."""
        found = await self._held(self.rule.condition, id=id)
        if not found:
            raise Fault("the rule does not hold any more", answer)
        self.refused = self.refused or self._is_said(answer)

    def _is_said(self, answer: Answer | None) -> bool:
        return answer is not None and answer.status in (409, 422) and answer.body.get("detail") == said(self.rule)

    async def _would_hold(self, id: str, part: Expression | Related, value: float) -> bool:
        """Whether the rule would hold of the row, and of those beside it, with another value of a number; false where that is
        not known."""
        if isinstance(part, Related):
            if part.call.function != "sum" or part.call not in outer_parts(self.condition) or id not in await part.ids():
                return False
            there = expect(await self.s.get(part.entity, id), 200).body.get(part.column) or 0
            value += await self._value(part.call) - there
        old = part.call if isinstance(part, Related) else part
        constant = Operand(Decimal(str(round(value, 9))))
        return await self._held(rewritten(self.condition, lambda e: constant if e == old else None), old)

    async def _held(self, condition: Expression, part: Expression | None = None, id: str = "") -> bool:
        holds = sql(condition, self.place)
        column = f"{part.names[0]}_id" if isinstance(part, Path) else "id"
        shown = ' AND "deleted_at" IS NULL' if self.e.soft_delete else ""
        found = await self.s.query(f'SELECT ({holds}) AS "holds" FROM "{self.e.name}" WHERE "{column}" = ?{shown}', id or self.row[column])
        return all(row["holds"] != 0 for row in found)


def _is_settable(f: Field | None) -> bool:
    return f is not None and f.type.is_number and f.computed is None and not f.read_only


async def _pushed(s: Session, e: Entity, id: str, name: str, sign: int, gap: int) -> AsyncIterator[tuple[Answer, int]]:
    """Values further and further away, and when one is refused nearer ones, so that the last that is fine is at the limit. Where
    a gap lies before that limit, the first value leaps over it."""
    began = expect(await s.get(e, id), 200).body.get(name)
    value, step, grows = began or 0, gap or 1, True
    while step and step < max(_FURTHEST, gap + 1):
        tried = int(value + sign * step)
        answer = await s.patch(e, id, {name: tried})
        yield answer, tried
        if answer.status == 200:
            value += sign * step
        if step == gap > 1:
            step, gap = 1, 0
            continue
        grows = grows and answer.status == 200
        step = step * 4 if grows else step // 2
    if grows:
        await s.patch(e, id, {name: began})
