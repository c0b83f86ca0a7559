"""Rows in a state in which an action may be called, or may just not. Where no request can bring a row there, it is put
there in the database, along its transitions."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from clodo.blueprint.formulas import member, type_of
from clodo.blueprint.linking import linking
from clodo.blueprint.values import (
    Call,
    Entity,
    Expression,
    IsEmpty,
    Not,
    Operand,
    Operation,
    Path,
    Reference,
)
from clodo.bricks.actions.callers import is_of_caller
from clodo.bricks.actions.persons import beside_caller
from clodo.bricks.actions.statements import place_of, statement
from clodo.bricks.actions.values import Guard, scope_of
from clodo.bricks.actions.view import View
from clodo.bricks.rules.aggregates import expanded, is_aggregate, outer_parts, rewritten
from clodo.bricks.rules.language import key_of
from clodo.bricks.rules.linked import drop_link, is_linked, put_link
from clodo.bricks.rules.placing import put
from clodo.bricks.rules.related import (
    Related,
    counted_paths,
    counts_rows,
    related,
    related_behind,
)
from clodo.bricks.rules.samples import OPPOSITE, conjuncts, satisfying
from clodo.proof.session import Row, TooFewValues

#: How many rows are made for a count.
_MOST_COUNTED = 8

#: Whether a state has come that is sought.
Done = Callable[[], Awaitable[bool]]


class Scene(View):
    """Rows for the checks of one action."""

    #: The body for which a row was made ready.
    readied: Row

    async def ready(self, *, barely: bool = False) -> Row:
        """A new row for which every guard holds; ``barely``: with numbers at their limits.

        Raises:
            TooFewValues: no such row was found.
        """
        row = await self.s.create(self.e, apart=True)
        body = await self.body()
        await self.bring(row, body, barely=barely)
        if not all(await self.held(row["id"], body)):
            raise TooFewValues("no row was found for which every guard holds")
        self.readied = body
        read = await self.s.get(self.e, row["id"])
        return dict(read.body)

    async def bring(self, row: Row, body: Row, *, barely: bool = False) -> None:
        """Changes a row, those that it refers to, and those that are counted for it, until every guard holds, as far as that can
        be found."""
        for guard in self.action.guards:
            for part in conjuncts(guard.condition):
                await self._brought(row, part, body, barely=barely)

    async def _brought(self, row: Row, part: Expression, body: Row, *, barely: bool) -> None:
        if not barely and await self.is_true(row["id"], part, body):
            return
        await self._turned_links(row, part, body, wanted=True)
        counts = await self.counted(row, part, body)
        for rows in counts:
            # What is counted, and what must not be, is there before a limit is sought. What the action makes of the row may be
            # what is counted, so the row itself is not.
            if rows.entity is self.e:
                await rows.leave_out(row["id"])
            for _ in range(2 if rows.column else 1):
                await rows.one_more()
            await rows.nearly()
        for table, id, name, value in await self._ways(row, part, body):
            await put(self.s, table, id, name, value)
            if await self.is_true(row["id"], part, body):
                return
        if counts and not await self.is_true(row["id"], part, body):
            await self._turned(row, part, body, counts, wanted=True)

    async def broken(self, row: Row, guard: Guard, number: int, body: Row) -> bool:
        """Changes the row, those that it refers to, or those that are counted for it, until a guard does not hold any more;
        false where no way was found."""
        for part in conjuncts(guard.condition):
            if await self._turned_links(row, part, body, wanted=False):
                return True
            counts = await self.counted(row, part, body)
            if counts and await self._turned(row, part, body, counts, wanted=False):
                return True
            for table, id, name, value in await self._ways(row, Not(part), body):
                await put(self.s, table, id, name, value)
                if not (await self.held(row["id"], body))[number]:
                    return True
        return not (await self.held(row["id"], body))[number]

    async def alone(self, row: Row, side: Expression, others: Sequence[Expression]) -> bool:
        """Brings a row to where one of the ways in which a guard holds just does, and the others do not; whether it came to that, and every
        guard holds."""
        body = self.readied

        async def true() -> int:
            return sum([await self.is_true(row["id"], other, body) for other in others])

        for other in others:
            if not await self.is_true(row["id"], other, body):
                continue
            before = await true()
            for table, id, name, value in await self._ways(row, Not(other), body):
                await put(self.s, table, id, name, value)
                if await true() < before:
                    break
        await self._brought(row, side, body, barely=True)
        return await self.is_true(row["id"], side, body) and not await true() and all(await self.held(row["id"], body))

    async def _turned_links(self, row: Row, part: Expression, body: Row, *, wanted: bool) -> bool:
        """Links the row with others that a condition names, or takes the links away, until it holds, or does not; whether it came to
        that. A link with a row that it does not name has no say."""
        for call in (p for p in outer_parts(part) if isinstance(p, Call) and is_linked(p)):
            entity = self.b.entity(type_of(call.argument, scope_of(self.b, self.e, self.action), []).entity)
            there = linking(self.b, self.e.name, entity.name) if entity is not None else None
            if entity is None or there is None:
                continue
            await put_link(self.s, there, row["id"], (await self.s.create(entity, apart=True))["id"])
            other = await self.value(row["id"], call.argument, body)
            if other is None and isinstance(call.argument, Operand):
                other = (await self.s.create(entity, apart=True))["id"]
                await put(self.s, self.e, row["id"], key_of(self.e, str(call.argument.value)), other)
            for change in (put_link, drop_link) if other is not None else ():
                await change(self.s, there, row["id"], str(other))
                if await self.is_true(row["id"], part, body) is wanted:
                    return True
        return False

    async def counted(self, row: Row, part: Expression, body: Row) -> list[Related]:
        """What a condition counts or sums up for a row and for those that it refers to."""

        async def ask(text: str) -> list[Row]:
            return await self.asked(statement(text), row["id"], body)

        whole = expanded(self.e, part, self.parameters)
        place = place_of(self.b, self.e, self.action)
        own = related(self.s, self.e, whole, row, body, place, ask)
        return own + await related_behind(self.s, self.e, whole, row)

    def looks_afar(self, guard: Guard) -> bool:
        """Whether a guard depends on rows that can be made for one row alone, or on fields of the caller."""
        whole = expanded(self.e, guard.condition, self.parameters)
        return counts_rows(self.b, self.e, whole, self._given) or any(map(is_of_caller, outer_parts(whole)))

    async def _turned(self, row: Row, part: Expression, body: Row, counts: list[Related], *, wanted: bool) -> bool:
        """Makes, changes and deletes rows that are counted until a condition holds, or does not; whether it came to that."""

        async def done() -> bool:
            return await self.is_true(row["id"], part, body) is wanted

        for number, rows in itertools.product((1, _MOST_COUNTED), counts):
            for _ in range(number):
                if await rows.one_more() is None:
                    break
                if await done():
                    return True
            counted = await self._changeable(row, rows)
            if rows.column and counted and await self._summed(row, part, body, rows, counted[-1], done):
                return True
            if number == 1 and await self._dropped(row, rows, done):
                return True
        return False

    async def short(self, row: Row, guard: Guard, body: Row) -> bool:
        """Deletes rows that are counted until a guard does not hold any more; false where that does not come of it."""
        for part in conjuncts(guard.condition):

            async def broken(part: Expression = part) -> bool:
                return not await self.is_true(row["id"], part, body)

            for rows in await self.counted(row, part, body):
                if await self._dropped(row, rows, broken):
                    return True
        return False

    async def _dropped(self, row: Row, rows: Related, done: Done) -> bool:
        for id in await self._changeable(row, rows):
            if await rows.drop(id) and await done():
                return True
        return False

    async def _changeable(self, row: Row, rows: Related) -> list[str]:
        """The rows that are counted, but for those that a check looks at."""
        return [id for id in await rows.ids() if id not in (row["id"], *self.needed)]

    async def _summed(self, row: Row, part: Expression, body: Row, rows: Related, id: str, done: Done) -> bool:
        """Changes a row that is summed up until a comparison turns; whether it did."""
        there = (await self.s.get(rows.entity, id)).body.get(rows.column) or 0
        for sides in outer_parts(expanded(self.e, part, self.parameters)):
            if not isinstance(sides, Operation) or sides.operator not in OPPOSITE:
                continue
            left, right = [await self.value(row["id"], side, body) for side in (sides.left, sides.right)]
            if not (isinstance(left, int | float) and isinstance(right, int | float)):
                continue
            for apart, step in itertools.product((right - left, left - right), (0, 1, -1)):
                if there + apart + step >= 0:
                    await put(self.s, rows.entity, id, rows.column, there + apart + step)
                    if await done():
                        return True
        await put(self.s, rows.entity, id, rows.column, there)
        return False

    async def _ways(self, row: Row, part: Expression, body: Row) -> list[tuple[Entity, str, str, Any]]:
        """Changes of single cells that may make a condition true."""
        part = expanded(self.e, part, self.parameters)
        known = await self._known(row["id"], part, body)
        values = {**row, **{k.removesuffix("_id"): v for k, v in body.items()}}
        found = [(self.e, row["id"], name, value) for name, value in satisfying(self.e, known, values)]
        found += [(self.e, row["id"], f"{r.name}_id", value) for r in _whether_given(self.e, known) for value in (None, await self._target(r))]
        for path in (p for p in outer_parts(known) if isinstance(p, Path) and len(p.names) == 2):
            given = next((r for r in self.action.references if r.name == path.names[0]), None)
            reference = given or member(self.e, path.names[0])
            target = self.b.entity(reference.target) if isinstance(reference, Reference) else None
            there = row if given is None else body
            if target is not None and (id := there.get(f"{path.names[0]}_id")) is not None:
                found += await self._ways_in(target, id, path, known)
        for named in beside_caller(self.b, self.e, part):
            holder = row.get(f"{named.way}_id") if named.way else row["id"]
            users = (await self.caller.id(), await self.s.spare_user()) if holder is not None else ()
            found += [(named.holder, str(holder), named.column, user) for user in users]
        if self.caller.is_apart:
            for path in (p for p in outer_parts(part) if isinstance(p, Path) and is_of_caller(p) and len(p.names) == 2):
                known = await self._known(row["id"], part, body, but=path)
                found += await self._ways_in(self.caller.entity(), str(await self.caller.id()), path, known)
        return found

    async def _target(self, r: Reference) -> str:
        """The id of a new row that a reference may name."""
        target = self.b.entity(r.target)
        return str((await self.s.create(target))["id"]) if target is not None else await self.s.spare_user()

    async def _ways_in(self, target: Entity, id: str, path: Path, part: Expression) -> list[tuple[Entity, str, str, Any]]:
        """Changes of single cells of the row that a path leads to."""
        local = rewritten(part, lambda e: Operand(path.names[1], is_field=True) if e == path else None)
        there = (await self.s.query(f'SELECT * FROM "{target.name}" WHERE "id" = ?', id))[0]
        return [(target, id, name, value) for name, value in satisfying(target, expanded(target, local), dict(there))]

    async def _known(self, id: str, part: Expression, body: Row, *, but: Expression | None = None) -> Expression:
        """A condition with the values that counts and sums, and fields of the caller, have now in their place."""
        counting = {path for path, _, _ in counted_paths(self.b, self.e, part)}
        fixed = {p for p in outer_parts(part) if is_aggregate(p) or is_of_caller(p) or p in counting}
        values = {p: _constant(await self.value(id, p, body)) for p in fixed if p != but}
        return rewritten(part, values.get)


def _whether_given(e: Entity, part: Expression) -> Iterator[Reference]:
    """The references that a condition asks of whether they are empty."""
    for p in outer_parts(part):
        named = member(e, str(p.inner.value)) if isinstance(p, IsEmpty) and isinstance(p.inner, Operand) and p.inner.is_field else None
        if isinstance(named, Reference):
            yield named


def _constant(value: Any) -> Expression | None:
    """A value that the database told, as a constant; ``None`` where it told none."""
    if isinstance(value, int | float):
        return Operand(Decimal(str(round(value, 9))))
    return Operand(value) if isinstance(value, str) else None
