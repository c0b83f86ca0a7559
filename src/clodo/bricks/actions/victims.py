"""Other rows that an action changes or deletes: some that its effects must reach, and whether they did."""

from __future__ import annotations

from clodo.blueprint.constants import normal
from clodo.blueprint.evaluation import Unknowable, value_of
from clodo.blueprint.values import Entity, Expression, Operand
from clodo.bricks.actions.values import DeleteRows, Effect, UpdateRows
from clodo.bricks.actions.view import View
from clodo.bricks.rules.language import key_of
from clodo.bricks.rules.placing import put
from clodo.bricks.rules.related import referring
from clodo.bricks.rules.samples import clocked, conjuncts, made_to_hold
from clodo.proof.client import Answer
from clodo.proof.session import Fault, Row


async def victims(scene: View, row: Row, given: Row) -> dict[int, Row]:
    """For each effect on other rows, by its place, a row that it must reach."""
    found: dict[int, Row] = {}
    for number, effect in enumerate(scene.action.effects):
        if isinstance(effect, UpdateRows | DeleteRows):
            entity = scene.b.entity(effect.entity)
            assert entity is not None
            changes = {k: v for part in conjuncts(effect.where) for k, v in referring(scene.e, entity, part, row, given).items()}
            body = {**await scene.s.body(entity, changes), **changes}
            made_to_hold(entity, effect.where, body)
            # What nobody may give, a state that actions set, say, is put there.
            kept = {f.name: body.pop(f.name) for f in entity.fields if f.read_only and f.name in body}
            answer = await scene.s.post(entity, {k: v for k, v in body.items() if v is not None})
            if answer.status != 201:
                continue
            for name, value in kept.items():
                await put(scene.s, entity, answer.body["id"], name, value)
            made = {**answer.body, **kept}
            if _meets(entity, effect.where, made | {"this": row["id"]}):
                found[number] = made
                scene.needed.add(made["id"])
    return found


async def settled(scene: View, effect: Effect, row: Row, answer: Answer) -> None:
    """A fault unless an effect on other rows reached this one."""
    assert isinstance(effect, UpdateRows | DeleteRows)
    shown = await scene.s.query(f'SELECT * FROM "{effect.entity}" WHERE "id" = ?', row["id"])
    if isinstance(effect, DeleteRows):
        if shown and not shown[0].get("deleted_at"):
            raise Fault(f"a {effect.entity} was to be deleted and is still there", answer)
        return
    entity = scene.b.entity(effect.entity)
    assert entity is not None
    for a in effect.assignments:
        if isinstance(a.value, Operand) and not a.value.is_field and isinstance(a.value.value, str):
            f = entity.field(a.target[0])
            wanted = normal(f.type, a.value.value) if f is not None else a.value.value
            if not shown or shown[0][key_of(entity, a.target[0])] != wanted:
                raise Fault(f"a {effect.entity} was to have {a.target[0]} = {a.value.value!r}", answer)


def _meets(entity: Entity, where: Expression, row: Row) -> bool:
    """Whether a row meets a condition, as far as the row itself tells."""
    for part in conjuncts(where):
        try:
            if value_of(part, clocked(entity, row)) is False:
                return False
        except Unknowable:
            continue
    return True
