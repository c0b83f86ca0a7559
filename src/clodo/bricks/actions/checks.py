"""Checks of actions: what they do, what they refuse, who may, and many calls at once."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Entity, Field, Who
from clodo.bricks.actions.brick import actions_of
from clodo.bricks.actions.emptied import emptied
from clodo.bricks.actions.filling import defaults_of_made
from clodo.bricks.actions.kept import kept, takes
from clodo.bricks.actions.races import races
from clodo.bricks.actions.scenes import Scene
from clodo.bricks.actions.sides import each_side
from clodo.bricks.actions.states import state_of, states_set
from clodo.bricks.actions.telling import filed, told
from clodo.bricks.actions.touched import touched_by
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
from clodo.bricks.actions.view import View, alike
from clodo.bricks.actions.wear import may_take_along
from clodo.bricks.rules.triggers import puts_off
from clodo.bricks.webhooks.checks import VARIABLES as RECEIVING
from clodo.bricks.webhooks.language import Webhook
from clodo.proof.check import Check
from clodo.proof.client import Answer
from clodo.proof.session import Fault, Row, Session, TooFewValues, expect, expect_path

_UNKNOWN = "01890000-0000-7000-8000-000000000000"


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan."""
    for e, action in actions_of(plan):
        name = f"{e.name}.{action.name}".replace("_", " ")
        yield Check("actions.does", f"{name}: does what it says", partial(_does, e, action))
        for number, guard in enumerate(action.guards):
            yield Check("actions.guard", f"{name}: {refusal(guard)}", partial(_guarded, e, action, guard, number))
        yield from races(plan, e, action)
        yield from emptied(plan, e, action)
        yield from kept(plan, e, action)
        if touched_by(plan.blueprint, e, action) and not action.later:
            words = f"{name}: those who are told of changes hear of each other row that it changes"
            yield Check("actions.told", words, partial(_told, e, action), alone=True, variables=RECEIVING if plan.blueprint.parts_of(Webhook) else {})
        yield Check("actions.body", f"{name}: takes its parameters and nothing else", partial(_body, e, action))
        yield Check("actions.body", f"{name}: can be called without a body, where it needs none", partial(_bare, e, action))
        if who_may(plan.blueprint, e, action).who is not Who.PUBLIC:
            yield Check("actions.access", f"{name}: by {who_may(plan.blueprint, e, action)} only", partial(_access, e, action))
    for name, field in sorted(states_set(plan.blueprint)):
        entity = plan.blueprint.entity(name)
        assert entity is not None
        yield Check("actions.states", f"{name}.{field}: is changed by actions only", partial(_locked, entity, field))


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
    async with told(s, touched_by(s.blueprint, e, action), row["id"]):
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
    before, was = await scene.counts(row["id"]), await s.get(e, row["id"])
    if not all(takes(f, value) for (table, _, column), value in wanted.items() if (f := _field(s, table, column)) is not None):
        expect(await scene.call(row["id"], body), 422, "a field would get more than it takes")
        raise TooFewValues("a field would get more than it takes")
    answer = expect(await scene.call(row["id"], body), 200, "all guards hold")
    if puts_off(s.blueprint, e, action) and await s.query('SELECT 1 FROM "_rules_waiting"'):
        raise Fault("rules still wait for the end of the action", answer)
    read = await s.get(e, row["id"])
    if read.status == 404 and may_take_along(s.blueprint, e, action):
        if not action.later and answer.body != was.body:
            raise Fault("the action took its row along, and the answer is not the row as it was", answer)
        await _gone_as_said(scene, made, answer)
        return
    expect(read, 200)
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
    await _gone_as_said(scene, made, answer)


async def _gone_as_said(scene: Scene, made: dict[int, Row], answer: Answer) -> None:
    for number, row in made.items():
        await settled(scene, scene.action.effects[number], row, answer)


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


async def _bare(e: Entity, action: Action, s: Session) -> None:
    """Many clients say of a body that they do not send that it has no bytes, and no type."""
    row = await s.create(e, apart=True)
    answer = await View(s, e, action).call(row["id"], None)
    if any(p.required and (not isinstance(p, Field) or p.default is None) for p in action.parameters):
        expect(answer, 422, "without a body")
    elif answer.status in (400, 411, 415):
        raise Fault("the action needs nothing of a body, and wants one", answer)


async def _locked(e: Entity, field: str, s: Session) -> None:
    """A state that an action sets, of whichever entity the action is, is changed by nothing else."""
    t = state_of(e, field)
    assert t is not None
    row = await s.create(e)
    for state in (c for a, c in t.pairs if a == row[field] and c != a):
        expect_path(expect(await s.patch(e, row["id"], {field: state}), 422, "an action sets this state"), field)


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


