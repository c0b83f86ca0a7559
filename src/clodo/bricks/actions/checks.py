"""Checks of actions: what they do, what they refuse, who may, and many calls at once."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Entity, Field, Who
from clodo.bricks.actions.brick import actions_of
from clodo.bricks.actions.emptied import emptied
from clodo.bricks.actions.filling import defaults_of_made
from clodo.bricks.actions.kept import kept, takes
from clodo.bricks.actions.scenes import Scene
from clodo.bricks.actions.sides import each_side
from clodo.bricks.actions.telling import filed, told
from clodo.bricks.actions.touched import touches
from clodo.bricks.actions.values import (
    Action,
    CreateRow,
    DeleteRows,
    Guard,
    UpdateRows,
    refusal,
    who_may,
)
from clodo.bricks.actions.victims import settled, victims
from clodo.bricks.actions.view import View
from clodo.bricks.actions.wear import may_wear_off
from clodo.bricks.rules.triggers import puts_off
from clodo.bricks.webhooks.checks import VARIABLES as RECEIVING
from clodo.bricks.webhooks.language import Webhook
from clodo.proof.check import Check
from clodo.proof.client import Answer
from clodo.proof.session import Fault, Row, Session, TooFewValues, expect, expect_path

_AT_ONCE = 8
_UNKNOWN = "01890000-0000-7000-8000-000000000000"


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan."""
    for e, action in actions_of(plan):
        name = f"{e.name}.{action.name}".replace("_", " ")
        yield Check("actions.does", f"{name}: does what it says", partial(_does, e, action))
        for number, guard in enumerate(action.guards):
            yield Check("actions.guard", f"{name}: {refusal(guard)}", partial(_guarded, e, action, guard, number))
        if may_wear_off(plan.blueprint, e, action):
            yield Check("actions.at-once", f"{name}: many calls at once do no more than one after the other", partial(_at_once, e, action))
        yield from emptied(plan, e, action)
        yield from kept(plan, e, action)
        if touches(plan.blueprint, action.effects, e) and not action.later:
            words = f"{name}: those who are told of changes hear of each other row that it changes"
            yield Check("actions.told", words, partial(_told, e, action), alone=True, variables=RECEIVING if plan.blueprint.parts_of(Webhook) else {})
        yield Check("actions.body", f"{name}: takes its parameters and nothing else", partial(_body, e, action))
        if who_may(plan.blueprint, e, action).who is not Who.PUBLIC:
            yield Check("actions.access", f"{name}: by {who_may(plan.blueprint, e, action)} only", partial(_access, e, action))


async def _told(e: Entity, action: Action, s: Session) -> None:
    scene = Scene(s, e, action)
    row = await scene.ready()
    body = scene.readied
    made = await victims(scene, row, body)
    for number, victim in made.items():
        effect = action.effects[number]
        assert isinstance(effect, UpdateRows | DeleteRows)
        entity = s.blueprint.entity(effect.entity)
        assert entity is not None
        await filed(s, entity, victim)
    if made and not all(await scene.held(row["id"], body)):
        await scene.bring(row, body)
    async with told(s, touches(s.blueprint, action.effects, e), row["id"]):
        expect(await scene.call(row["id"], body), 200, "all guards hold")


async def call(s: Session, e: Entity, action: Action, id: str, body: Row) -> Answer:
    """Calls an action with the credentials that it needs."""
    return await View(s, e, action).call(id, body)


async def _does(e: Entity, action: Action, s: Session) -> None:
    scene = Scene(s, e, action)
    row = await scene.ready()
    body = scene.readied
    made = await victims(scene, row, body)
    if made and not all(await scene.held(row["id"], body)):
        await scene.bring(row, body)  # they may be among those that a guard counts
    wanted = await scene.expected(row["id"], body)
    before = await scene.counts(row["id"])
    if not all(takes(f, value) for (table, _, column), value in wanted.items() if (f := _field(s, table, column)) is not None):
        expect(await scene.call(row["id"], body), 422, "a field would get more than it takes")
        raise TooFewValues("a field would get more than it takes")
    answer = expect(await scene.call(row["id"], body), 200, "all guards hold")
    if puts_off(s.blueprint, e, action) and await s.query('SELECT 1 FROM "_rules_waiting"'):
        raise Fault("rules still wait for the end of the action", answer)
    read = expect(await s.get(e, row["id"]), 200)
    if read.body != answer.body:
        raise Fault("the answer is not the row as it is now", answer)
    for (table, id, column), value in wanted.items():
        found = await s.query(f'SELECT "{column}" AS "value" FROM "{table}" WHERE "id" = ?', id)
        if not found or not alike(found[0]["value"], value):
            got = found[0]["value"] if found else "no row"
            raise Fault(f"{table}.{column} is {got!r}, not {value!r}", answer)
    await _made_and_gone(scene, row["id"], before, made, answer)
    await defaults_of_made(scene, row["id"], answer)


def _field(s: Session, table: str, column: str) -> Field | None:
    e = s.blueprint.entity(table)
    return e.field(column) if e is not None else None


async def _made_and_gone(scene: Scene, id: str, before: dict[str, int], made: dict[int, Row], answer: Answer) -> None:
    """Rows that were to be made are there, and what was to be deleted or changed is."""
    effects = scene.action.effects
    deleted = {effect.entity for effect in effects if isinstance(effect, DeleteRows)}
    after = await scene.counts(id)
    for name, count in before.items():
        wanted = sum(isinstance(effect, CreateRow) and effect.entity == name for effect in effects)
        if name not in deleted and after[name] - count != wanted:
            raise Fault(f"{after[name] - count} rows of {name} were made, not {wanted}", answer)
    for number, row in made.items():
        await settled(scene, effects[number], row, answer)


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


async def _guarded(e: Entity, action: Action, guard: Guard, number: int, s: Session) -> None:
    scene = Scene(s, e, action)
    row = await _at_the_limit(scene) if scene.looks_afar(guard) else await scene.ready()
    if not await scene.broken(row, guard, number, scene.readied):
        raise TooFewValues("no state was found in which this guard does not hold")
    await _refused(scene, row, guard)
    if scene.looks_afar(guard):
        row = await scene.ready()
        if await scene.short(row, guard, scene.readied):
            await _refused(scene, row, guard)
    await each_side(s, e, action, guard)


async def _at_the_limit(scene: Scene) -> Row:
    """A row that barely allows an action, beside rows that nearly count. Another such row is not refused."""
    try:
        row = await scene.ready(barely=True)
    except TooFewValues:
        return await scene.ready()
    answer = await scene.call(row["id"], scene.readied)
    if answer.status == 409 and answer.body.get("detail") in map(refusal, scene.action.guards):
        raise Fault("every guard holds, and the action is refused", answer)
    return await scene.ready(barely=True)


async def _refused(scene: Scene, row: Row, guard: Guard) -> None:
    """The action is refused in the words of the first guard that does not hold, and changes nothing."""
    s, e, action, body = scene.s, scene.e, scene.action, scene.readied
    before = await s.query(f'SELECT * FROM "{e.name}" WHERE "id" = ?', row["id"])
    counts = await scene.counts(row["id"])
    answer = expect(await scene.call(row["id"], body), 409, "the guard does not hold")
    held = await scene.held(row["id"], body)
    first = next((g for g, fine in zip(action.guards, held, strict=True) if not fine), guard)
    if answer.body.get("detail") != refusal(first):
        raise Fault(f"the refusal does not say {refusal(first)!r}", answer)
    if await s.query(f'SELECT * FROM "{e.name}" WHERE "id" = ?', row["id"]) != before or await scene.counts(row["id"]) != counts:
        raise Fault("a refused action changed something", answer)


async def _at_once(e: Entity, action: Action, s: Session) -> None:
    """As many calls at once succeed as would one after the other, on a row that barely allows the action."""
    scene = Scene(s, e, action)
    row = await scene.ready(barely=True)
    allowed = 0
    while allowed < _AT_ONCE:
        answer = await scene.call(row["id"], await scene.body())
        if answer.status != 200:
            break
        allowed += 1
    if allowed == _AT_ONCE:
        raise TooFewValues("the guards hold however often the action is called")
    row = await scene.ready(barely=True)
    bodies = [await scene.body() for _ in range(_AT_ONCE)]
    answers = await asyncio.gather(*(scene.call(row["id"], body) for body in bodies))
    done = sum(a.status == 200 for a in answers)
    if done != allowed:
        raise Fault(f"of {_AT_ONCE} calls at once {done} succeeded, and one after the other {allowed}", answers[0])
    for a in answers:
        if a.status != 200:
            expect(a, 409, "a call that came too late")


async def _body(e: Entity, action: Action, s: Session) -> None:
    scene = Scene(s, e, action)
    row = await s.shared(e)
    body = await scene.body()
    expect_path(expect(await scene.call(row["id"], {**body, "no_such_key": 1}), 422), "no_such_key")
    for p in action.parameters:
        key = p.name if isinstance(p, Field) else f"{p.name}_id"
        if p.required and (not isinstance(p, Field) or p.default is None):
            without = {k: v for k, v in body.items() if k != key}
            expect_path(expect(await scene.call(row["id"], without), 422, f"without {key}"), key)
        wrong: Any = _UNKNOWN if not isinstance(p, Field) else {"no": "such value"}
        if not (isinstance(p, Field) and p.type.value == "json"):
            expect_path(expect(await scene.call(row["id"], {**body, key: wrong}), 422, f"a wrong {key}"), key)
    expect(await scene.call(_UNKNOWN, body), 404, "no such row")


async def _access(e: Entity, action: Action, s: Session) -> None:
    scene = Scene(s, e, action)
    who = who_may(s.blueprint, e, action)
    row = await scene.ready()
    path = f"{s.path(e, row['id'])}/{action.segment}"
    body = await scene.body()
    expect(await s.client.send("POST", path, body), 401, "without a credential")
    if who.who is Who.KEY:
        expect(await s.client.send("POST", path, body, headers={"x-api-key": "wrong"}), 401, "a wrong key")
        return
    if who.who is Who.OWNER or (who.who is Who.ROLE and "user" not in who.roles):
        other = await s.account("stranger")
        answer = await s.client.send("POST", path, body, headers=other.headers)
        if answer.status not in (403, 404):
            raise Fault(f"expected 403 or 404 for somebody else, got {answer.status}", answer)


