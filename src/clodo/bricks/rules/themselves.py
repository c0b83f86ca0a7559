"""Checks of rules that keep the rows that a row refers to from being one and the same, or the row itself: ``check sender != receiver``,
``check manager != this``."""

from __future__ import annotations

from collections.abc import Iterator

from clodo.blueprint.formulas import member
from clodo.blueprint.values import Entity, Expression, Operand, Operation, Reference
from clodo.bricks.rules.aggregates import outer_parts
from clodo.bricks.rules.language import CheckRule, said
from clodo.proof.client import Answer
from clodo.proof.session import Fault, Row, Session, expect

_THIS = Operand("this", is_field=True)


def kept_apart(e: Entity, condition: Expression) -> Iterator[tuple[Reference, Reference | None]]:
    """The references of ``e`` that a condition holds against another one; against ``None`` where it is the row itself."""
    for part in outer_parts(condition):
        if not isinstance(part, Operation) or part.operator != "!=":
            continue
        sides = [_reference(e, side) for side in (part.left, part.right)]
        named = [r for r in sides if r is not None]
        if len(named) == 2:
            yield named[0], named[1]
        elif len(named) == 1 and _THIS in (part.left, part.right):
            yield named[0], None


def _reference(e: Entity, said: Expression) -> Reference | None:
    m = member(e, str(said.value)) if isinstance(said, Operand) and said.is_field else None
    return m if isinstance(m, Reference) else None


async def check_apart(e: Entity, rule: CheckRule, s: Session) -> bool:
    """Whether there is something to check, which then holds: one row twice is refused, by creation and by change, and two are not."""
    pairs = list(kept_apart(e, rule.condition))
    for one, other in pairs:
        if other is None:
            await _not_itself(e, rule, one, s)
        else:
            await _not_alike(e, rule, one, other, s)
    return bool(pairs)


async def _target(s: Session, r: Reference) -> str:
    target = s.blueprint.entity(r.target)
    return str((await s.create(target))["id"]) if target is not None else await s.spare_user()


async def _not_alike(e: Entity, rule: CheckRule, one: Reference, other: Reference, s: Session) -> None:
    first, second = await _target(s, one), await _target(s, other)
    body = {**await s.body(e), f"{one.name}_id": first, f"{other.name}_id": second}
    twice = {f"{other.name}_id": first}
    _refused(rule, await s.post(e, {**body, **twice}), "the same row twice")
    made = await s.post(e, body)
    if made.status == 422 and made.body.get("detail") == said(rule):
        raise Fault("two rows are taken for one", made)
    if made.status == 201:
        await _changed(e, rule, made.body, twice, s)


async def _not_itself(e: Entity, rule: CheckRule, r: Reference, s: Session) -> None:
    other = await s.create(e)
    row = await s.create(e, {f"{r.name}_id": other["id"]})
    await _changed(e, rule, row, {f"{r.name}_id": row["id"]}, s)


async def _changed(e: Entity, rule: CheckRule, row: Row, changes: Row, s: Session) -> None:
    """A change that breaks the rule is refused and changes nothing."""
    _refused(rule, await s.patch(e, row["id"], changes), "a change to the same row")
    kept = expect(await s.get(e, row["id"]), 200)
    if any(kept.body.get(k) != row.get(k) for k in changes):
        raise Fault("a refused change changed the row", kept)


def _refused(rule: CheckRule, answer: Answer, why: str) -> None:
    if expect(answer, 422, why).body.get("detail") != said(rule):
        raise Fault(f"the refusal does not say {said(rule)!r}", answer)

