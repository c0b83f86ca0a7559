"""Checks that what an action stores keeps to the rules of its field, however much it is made of."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from typing import Any

from clodo.blueprint.formulas import names_in
from clodo.blueprint.plan import Plan
from clodo.blueprint.ranges import is_within, lengths, steps
from clodo.blueprint.values import Entity, Field, FieldType
from clodo.bricks.actions.assigned import assigned_in
from clodo.bricks.actions.scenes import Scene
from clodo.bricks.actions.values import Action, Assignment, SetValues, refusal
from clodo.bricks.rules.placing import put
from clodo.proof.check import Check
from clodo.proof.session import Fault, Row, Session, expect

_TEXTS = (FieldType.TEXT, FieldType.LONG_TEXT)
#: A text that is longer than most fields take; whole requests have a limit too.
_LONG = 2000


def kept(plan: Plan, e: Entity, action: Action) -> Iterator[Check]:
    """The checks of one action: one for each field of its own row that it fills with what may be too much."""
    b, name = plan.blueprint, f"{e.name}.{action.name}".replace("_", " ")
    for a in (a for effect in action.effects if isinstance(effect, SetValues) for a in effect.assignments):
        f = e.field(a.target[0]) if len(a.target) == 1 else None
        if f is None or not any(assigned_in(b, e, (a,), action.references)) or not (f.type in _TEXTS or f.type.is_number):
            continue
        if any(_extremes(e, action, a, f)):
            yield Check("actions.kept", f"{name}: {f.name.replace('_', ' ')} keeps to its rules", partial(_does, e, action, a, f))


def _extremes(e: Entity, action: Action, a: Assignment, f: Field) -> Iterator[dict[str, Any]]:
    """Values of the fields and parameters that an assignment is made of, which may make too much or too little of it."""
    given = {p.name: p for p in (*e.fields, *action.fields)}
    names = [n for n in dict.fromkeys(names_in(a.value)) if n in given and given[n].computed is None]
    for most in (True, False):
        row = {n: _extreme(given[n], most=most) for n in names}
        if row and all(v is not None for v in row.values()) and row.keys() >= {*names_in(a.value)}:
            yield row


def _extreme(f: Field, *, most: bool) -> Any:
    if f.type in _TEXTS and f.pattern is None:
        low, high = lengths(f)
        return "x" * (min(high, _LONG) if most else low)
    if f.type.is_number:
        found = steps(f)
        value = (found.high if most else found.low) * found.size
        return int(value) if value == value.to_integral_value() else float(value)
    return None


async def _does(e: Entity, action: Action, a: Assignment, f: Field, s: Session) -> None:
    given = {p.name for p in action.fields}
    for extreme in _extremes(e, action, a, f):
        scene = Scene(s, e, action)
        row = await scene.ready()
        body = scene.readied | {k: v for k, v in extreme.items() if k in given}
        for name, value in extreme.items():
            if name not in given:
                await put(s, e, row["id"], name, value)
        before = await _row(s, e, row)
        if not all(await scene.held(row["id"], body)):
            # Guards see to it that it comes to no such value.
            expect(await scene.call(row["id"], body), 409, f"a guard is against {f.name}")
            if await _row(s, e, row) != before:
                raise Fault("a refused action changed something")
            continue
        made = await scene.value(row["id"], a.value, body)
        if made is None or _fits(f, made):
            continue
        answer = await scene.call(row["id"], body)
        if answer.status == 409 and answer.body.get("detail") not in map(refusal, action.guards):
            return  # a rule of the rows was against it first
        expect(answer, 422, f"{f.name} would be {str(made)[:40]!r}")
        if await _row(s, e, row) != before:
            raise Fault("a refused action changed something", answer)
        return


def takes(f: Field, stored: Any) -> bool:
    """Whether a value, as it would be stored, keeps to the rules of its field."""
    if f.type in _TEXTS:
        return stored is None or _fits(f, stored)
    if stored is None or not f.type.is_number:
        return True
    return _fits(f, stored / 100 if f.type is FieldType.MONEY else stored)


def _fits(f: Field, made: Any) -> bool:
    if isinstance(made, str):
        return is_within(f, made)
    found, number = steps(f), Decimal(str(made))
    if f.type is FieldType.DECIMAL:
        return is_within(f, number)
    return found.low <= (number / found.size).to_integral_value() <= found.high


async def _row(s: Session, e: Entity, row: Row) -> list[Row]:
    return await s.query(f'SELECT * FROM "{e.name}" WHERE "id" = ?', row["id"])
