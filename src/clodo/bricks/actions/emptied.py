"""Checks of steps that add to a number or take from it: where it is empty, and where nothing is given that would be added, 0 counts."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from typing import Any

from clodo.blueprint.plan import Plan
from clodo.blueprint.ranges import is_within
from clodo.blueprint.values import Entity, Field, IsEmpty, Operand
from clodo.bricks.actions.scenes import Scene
from clodo.bricks.actions.sums import added, added_to
from clodo.bricks.actions.values import (
    Action,
    Assignment,
    SetValues,
    refusal,
    scope_of,
    target_field,
)
from clodo.bricks.actions.view import Cell
from clodo.bricks.actions.wear import may_take_along
from clodo.bricks.rules.aggregates import outer_parts
from clodo.bricks.rules.placing import put
from clodo.proof.check import Check
from clodo.proof.session import Fault, Row, Session, TooFewValues, expect


def emptied(plan: Plan, e: Entity, action: Action) -> Iterator[Check]:
    """The checks of one action."""
    b, name = plan.blueprint, f"{e.name}.{action.name}".replace("_", " ")
    columns = added_to(b, e, action)
    for a in (a for effect in action.effects if isinstance(effect, SetValues) for a in effect.assignments):
        found = target_field(b, e, a.target, action.references)
        if found is None or not isinstance(f := found[1], Field):
            continue
        words = ".".join(a.target).replace("_", " ")
        if (found[0].name, f.name) in columns and is_within(f, Decimal(0)) and _is_there(e, action, a):
            yield Check("actions.empty", f"{name}: an empty {words} counts as 0", partial(_does, e, action, a, ""))
        for given in _left_out(plan, e, action, a):
            yield Check("actions.empty", f"{name}: without {given.replace('_', ' ')}, 0 is added to {words}", partial(_does, e, action, a, given))


def _is_there(e: Entity, action: Action, a: Assignment) -> bool:
    """Whether there always is the row in which an assignment changes something."""
    return len(a.target) == 1 or next((r.required for r in (*action.references, *e.references) if r.name == a.target[0]), False)


def _left_out(plan: Plan, e: Entity, action: Action, a: Assignment) -> list[str]:
    """The parameters that are added and need not be given."""
    terms = added(a, scope_of(plan.blueprint, e, action))
    return [f.name for f in action.fields if Operand(f.name, is_field=True) in terms and f.default is None and is_within(f, Decimal(0)) and _is_there(e, action, a)]


async def _does(e: Entity, action: Action, a: Assignment, without: str, s: Session) -> None:
    """What is empty, the number itself or ``without``, which is added to it, does what 0 does."""
    scene = Scene(s, e, action)
    row = await scene.ready()
    entity, cell = _cell(scene, a, row)
    if not without:
        await _brought(s, entity, cell, 0)
    given = {k: v for k, v in scene.readied.items() if k != without}
    zero = given | ({without: 0} if without else {})
    holds = all(await scene.held(row["id"], zero))
    wanted = await scene.expected(row["id"], zero)
    if not without:
        await _brought(s, entity, cell, None)
    answer = await scene.call(row["id"], given)
    refused = answer.status == 409 and answer.body.get("detail") in map(refusal, action.guards)
    # Guards may ask whether something is empty, and for what need not be given.
    free = without or any(isinstance(part, IsEmpty) for g in action.guards for part in outer_parts(g.condition))
    if refused is holds and not free:
        raise Fault(f"a guard {'refuses' if refused else 'lets through'} what is empty, and not so 0", answer)
    if refused:
        return
    if answer.status in (409, 422):
        raise TooFewValues("another rule or a bound is against it")
    expect(answer, 200)
    if (got := await _value(s, cell)) is None and may_take_along(s.blueprint, entity, action):
        raise TooFewValues("the row may be gone")
    if cell in wanted and got != wanted[cell]:
        raise Fault(f"{cell[0]}.{cell[2]} is {got!r}, not {wanted[cell]!r}", answer)


def _cell(scene: Scene, a: Assignment, row: Row) -> tuple[Entity, Cell]:
    entity, m, id = scene.changed_row(a, row, scene.readied)
    return entity, (entity.name, str(id), m.name)


async def _value(s: Session, cell: Cell) -> Any:
    table, id, column = cell
    found = await s.query(f'SELECT "{column}" AS "value" FROM "{table}" WHERE "id" = ?', id)
    return found[0]["value"] if found else None


async def _brought(s: Session, e: Entity, cell: Cell, value: int | None) -> None:
    """Stores a number.

    Raises:
        TooFewValues: a rule is against it.
    """
    await put(s, e, cell[1], cell[2], value)
    if await _value(s, cell) != value:
        raise TooFewValues(f"a rule is against an empty {cell[2]}, or one of 0")
