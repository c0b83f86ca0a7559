"""Checks of locks: rows that meet the condition are changed and deleted, others stay as they are."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from clodo.blueprint.formulas import names_in
from clodo.blueprint.plan import Plan
from clodo.blueprint.samples import sample
from clodo.blueprint.values import Entity
from clodo.bricks.actions.scenes import Scene
from clodo.bricks.actions.values import Action, Guard
from clodo.bricks.locks.language import ChangeWhen, Lock, free_fields, locks_of, said, verb_of
from clodo.proof.check import Check
from clodo.proof.client import Answer
from clodo.proof.session import Fault, Row, Session, TooFewValues, expect


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan."""
    for e in plan.blueprint.entities:
        for lock in locks_of(e):
            yield Check(f"locks.{verb_of(lock)}", f"{e.name}: {said(lock)}", partial(_lock, e, lock))


async def _lock(e: Entity, lock: Lock, s: Session) -> None:
    # A request passes where every lock of its kind lets it.
    alike = [k for k in locks_of(e) if type(k) is type(lock)]
    guards = tuple(Guard(k.condition, k.message) for k in alike)
    scene, number = Scene(s, e, Action("lock", guards=guards)), alike.index(lock)
    row = await scene.ready()
    if not await scene.broken(row, guards[number], number, {}):
        raise TooFewValues("no row was found that does not meet the condition")
    before = await s.query(f'SELECT * FROM "{e.name}" WHERE "id" = ?', row["id"])
    read = expect(await s.get(e, row["id"]), 200)
    answer = expect(await _send(s, e, lock, read.body), 409, "the row does not meet the condition")
    held = await scene.held(row["id"], {})
    first = next((k for k, fine in zip(alike, held, strict=True) if not fine), lock)
    if answer.body.get("detail") != said(first):
        raise Fault(f"the refusal does not say {said(first)!r}", answer)
    if await s.query(f'SELECT * FROM "{e.name}" WHERE "id" = ?', row["id"]) != before:
        raise Fault("a refused request changed something", answer)
    row = await scene.ready()
    answer = await _send(s, e, lock, row)
    if answer.status not in (200, 204):
        raise Fault(f"expected a row that meets the condition to be let go, got {answer.status}", answer)


async def _send(s: Session, e: Entity, lock: Lock, row: Row) -> Answer:
    """A request that asks for what the lock is about."""
    if not isinstance(lock, ChangeWhen):
        return await s.delete(e, row["id"])
    spoken_of = {*free_fields(e), *names_in(lock.condition)}
    for f in e.fields:
        fixed = f.read_only or f.made or f.computed is not None or f.unique or f.name in spoken_of
        if not fixed and (value := sample(f, s.number())) != row.get(f.name):
            return await s.patch(e, row["id"], {f.name: value})
    raise TooFewValues("no field was found that the condition does not speak of")
