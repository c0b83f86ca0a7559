"""Checks of actions that are called many times at once, and while their row is deleted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from typing import Any

from clodo.blueprint.formulas import names_in, parts
from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Entity, Path
from clodo.bricks.actions.scenes import Scene
from clodo.bricks.actions.sums import steps
from clodo.bricks.actions.values import (
    Action,
    Assignment,
    SetValues,
    UpdateRows,
    changed_by_name,
    scope_of,
)
from clodo.bricks.actions.view import Cell, alike
from clodo.bricks.actions.wear import may_take_along, may_wear_off
from clodo.bricks.rules.aggregates import is_aggregate
from clodo.proof.check import Check
from clodo.proof.client import Answer
from clodo.proof.session import Fault, Row, Session, StatementRefused, TooFewValues, expect

_AT_ONCE = 8
#: So often a row is deleted while an action is called on it.
_DELETIONS = 4


def races(plan: Plan, e: Entity, action: Action) -> Iterator[Check]:
    """The checks of one action."""
    b, name = plan.blueprint, f"{e.name}.{action.name}".replace("_", " ")
    if may_wear_off(b, e, action):
        yield Check("actions.at-once", f"{name}: many calls at once do no more than one after the other", partial(_at_once, e, action))
    if any(_sums(plan, e, action)):
        yield Check("actions.sums", f"{name}: of many calls at once, each one adds what it is to add", partial(_add_up, e, action))
    if e.soft_delete and not action.later and any(isinstance(x, SetValues) and any(len(a.target) == 1 for a in x.assignments) for x in action.effects):
        yield Check("actions.gone", f"{name}: does nothing with a row that is deleted meanwhile, and says so", partial(_gone, e, action))


async def _at_once(e: Entity, action: Action, s: Session) -> None:
    """As many calls at once succeed as would one after the other, on a row that barely allows the action."""
    scene = Scene(s, e, action)
    row = await scene.ready(barely=True)
    allowed = 0

    async def body() -> Row:
        # Of rows that the action changes by name, guards may ask whether it has done so already.
        return scene.readied if changed_by_name(action) else await scene.body()

    while allowed < _AT_ONCE:
        answer = await scene.call(row["id"], await body())
        if answer.status != 200:
            break
        allowed += 1
    if allowed == _AT_ONCE:
        raise TooFewValues("the guards hold however often the action is called")
    row = await scene.ready(barely=True)
    bodies = [await body() for _ in range(_AT_ONCE)]
    answers = await asyncio.gather(*(scene.call(row["id"], body) for body in bodies))
    done = _done(answers)
    if done != allowed:
        raise Fault(f"of {_AT_ONCE} calls at once {done} succeeded, and one after the other {allowed}", answers[0])
    for a in answers:
        if a.status != 200 and not (a.status == 404 and may_take_along(s.blueprint, e, action)):
            expect(a, 409, "a call that came too late")


def _done(answers: list[Answer]) -> int:
    return sum(a.status == 200 for a in answers)


def _sums(plan: Plan, e: Entity, action: Action) -> Iterator[Assignment]:
    """The assignments that add the same to a number whenever the action is called."""
    b = plan.blueprint
    mine = [a for effect in action.effects if isinstance(effect, SetValues) for a in effect.assignments]
    changed = [a.target[-1] for a in (*mine, *(a for effect in action.effects if isinstance(effect, UpdateRows) for a in effect.assignments))]
    unsteady = {*changed, "now", "today", *(f.name for x in b.entities for f in x.fields if f.computed is not None)}
    for a in mine:
        added = steps(a, scope_of(b, e, action))
        every = [p for term in added for p in parts(term)]
        named = {name for p in every for name in (p.names if isinstance(p, Path) else names_in(p))}
        if added and not any(map(is_aggregate, every)) and not named & unsteady and changed.count(a.target[-1]) == _times(mine, a):
            yield a


def _times(mine: list[Assignment], a: Assignment) -> int:
    """How many assignments set a field of that name, each in another row; 0 where two set one cell."""
    same = [other.target for other in mine if other.target[-1] == a.target[-1]]
    return len(same) if len(set(same)) == len(same) else 0


async def _before(scene: Scene, row: Row, body: Row) -> dict[Cell, tuple[Any, Any]]:
    """What the sums of an action are about to change → what is there, and what one call adds."""
    wanted = await scene.expected(row["id"], body)
    out = {}
    for a in _sums(scene.s.plan, scene.e, scene.action):
        entity, m, id = scene.changed_row(a, row, body)
        cell = (entity.name, str(id), m.name)
        if isinstance(new := wanted.get(cell), int | float):
            there = await _value(scene.s, cell) or 0
            out[cell] = there, new - there
    return out


async def _value(s: Session, cell: Cell) -> Any:
    table, id, column = cell
    return (await s.query(f'SELECT "{column}" AS "value" FROM "{table}" WHERE "id" = ?', id))[0]["value"]


async def _expect_added(s: Session, before: dict[Cell, tuple[Any, Any]], done: int, answer: Answer) -> None:
    for cell, (there, added) in before.items():
        found = await _value(s, cell)
        if not alike(found, there + done * added):
            raise Fault(f"after {done} calls that answered 200, {cell[0]}.{cell[2]} is {found!r}, not {there + done * added!r}", answer)


async def _add_up(e: Entity, action: Action, s: Session) -> None:
    """Each of many calls at once that succeeds adds its part, in the row and in those that it names."""
    scene = Scene(s, e, action)
    row, body = await scene.ready(), scene.readied
    await _with_room(scene, row, body)
    before = await _before(scene, row, body)
    answers = await asyncio.gather(*(scene.call(row["id"], body) for _ in range(_AT_ONCE)))
    done = _done(answers)
    if not (before and done) or may_take_along(s.blueprint, e, action):
        raise TooFewValues("no call went through, or nothing is known of what it adds")
    await _expect_added(s, before, done, next(a for a in answers if a.status == 200))


async def _with_room(scene: Scene, row: Row, body: Row) -> None:
    """Raises numbers that the action takes from, so that it can do so more than once, as far as the guards let it."""
    s = scene.s
    for (table, id, column), (there, added) in (await _before(scene, row, body)).items():
        if added < 0:
            text = f'UPDATE "{table}" SET "{column}" = ? WHERE "id" = ?'
            try:
                await s.query(text, there - _AT_ONCE * added, id)
                if not all(await scene.held(row["id"], body)):
                    await s.query(text, there, id)
            except StatementRefused:
                continue


async def _gone(e: Entity, action: Action, s: Session) -> None:
    """Of calls while the row is deleted, those that answer 200 have done what they say."""
    scene = Scene(s, e, action)
    for _ in range(_DELETIONS):
        row, body = await scene.ready(), scene.readied
        own = {cell: (await _value(s, cell), new) for cell, new in (await scene.expected(row["id"], body)).items() if cell[1] == row["id"]}
        new = {cell: there for cell, (there, new) in own.items() if not alike(there, new)}
        before = await _before(scene, row, body)
        if not new:
            raise TooFewValues("the row is as the action would leave it already")
        deletion, *answers = await asyncio.gather(s.delete(e, row["id"]), *(scene.call(row["id"], body) for _ in range(_AT_ONCE)))
        if deletion.status != 204:
            raise TooFewValues("something is against deleting the row")
        if may_take_along(s.blueprint, e, action):
            return
        for a in answers:
            if a.status not in (200, 409):
                expect(a, 404, "the row is deleted")
        if _done(answers):
            first = next(a for a in answers if a.status == 200)
            for cell, there in new.items():
                if alike(await _value(s, cell), there):
                    raise Fault(f"the row was deleted meanwhile, its {cell[2]} is as it was, and the answer is 200", first)
            await _expect_added(s, before, _done(answers), first)
        expect(await scene.call(row["id"], body), 404, "the row is deleted")
