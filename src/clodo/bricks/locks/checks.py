"""Checks of locks: rows that meet the condition are changed and deleted, others stay as they are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from functools import partial

from clodo.blueprint.formulas import names_in
from clodo.blueprint.plan import LinkTable, Plan
from clodo.blueprint.samples import sample
from clodo.blueprint.values import Blueprint, Entity, Who
from clodo.bricks.actions.scenes import Scene
from clodo.bricks.actions.values import Action, Guard
from clodo.bricks.locks.language import (
    ChangeWhen,
    Lock,
    free_fields,
    locks_of,
    rule_of,
    said,
    verb_of,
)
from clodo.proof.check import Check
from clodo.proof.client import Answer
from clodo.proof.session import Fault, Headers, Row, Session, TooFewValues, expect


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan."""
    for e in plan.blueprint.entities:
        for lock in locks_of(e):
            yield Check(f"locks.{verb_of(lock)}", f"{e.name}: {said(lock)}", partial(_lock, e, lock))
            if lock.free:
                yield Check("locks.free", f"{e.name}: {said(lock)} It does not hold up {' or '.join(lock.free)}.", partial(_passing, e, lock))
            for link in plan.links:
                if link.source == e and isinstance(lock, ChangeWhen):
                    yield Check("locks.links", f"{e.name}/{link.source_path}: {said(lock)}", partial(_linked, link, lock))


async def _lock(e: Entity, lock: Lock, s: Session) -> None:
    # A request passes where every lock of its kind lets it.
    alike = [k for k in locks_of(e) if type(k) is type(lock)]
    guards = tuple(Guard(k.condition, k.message) for k in alike)
    scene, number = Scene(s, e, Action("lock", guards=guards)), alike.index(lock)
    row, user = await scene.ready(), held_up(s.blueprint, e, lock)
    if not await scene.broken(row, guards[number], number, {}):
        raise TooFewValues("no row was found that does not meet the condition")
    await _given(s, e, row, user)
    before = await s.query(f'SELECT * FROM "{e.name}" WHERE "id" = ?', row["id"])
    read = expect(await s.get(e, row["id"]), 200)
    answer = expect(await _send(s, e, lock, read.body, user), 409, "the row does not meet the condition")
    if isinstance(lock, ChangeWhen):
        expect(await _replace(s, e, row, user), 409, "the whole row is put in place of one that does not meet the condition")
    held = await scene.held(row["id"], {})
    first = next((k for k, fine in zip(alike, held, strict=True) if not fine and (user == "admin" or k.free == lock.free)), lock)
    if answer.body.get("detail") != said(first):
        raise Fault(f"the refusal does not say {said(first)!r}", answer)
    if await s.query(f'SELECT * FROM "{e.name}" WHERE "id" = ?', row["id"]) != before:
        raise Fault("a refused request changed something", answer)
    row = await scene.ready()
    await _given(s, e, row, user)
    answer = await _send(s, e, lock, row, user)
    if answer.status not in (200, 204):
        raise Fault(f"expected a row that meets the condition to be let go, got {answer.status}", answer)


async def _passing(e: Entity, lock: Lock, s: Session) -> None:
    """A role that is not held up passes where the row does not meet the condition."""
    for role in lock.free:
        scene = Scene(s, e, Action("lock", guards=(Guard(lock.condition, lock.message),)))
        row = await scene.ready()
        if not await scene.broken(row, scene.action.guards[0], 0, {}):
            raise TooFewValues("no row was found that does not meet the condition")
        others = [k for k in locks_of(e) if type(k) is type(lock) and role not in k.free]
        if others:
            raise TooFewValues(f"another lock holds up {role}")
        read = expect(await s.get(e, row["id"]), 200)
        answer = await _send(s, e, lock, read.body, "admin" if role == "admin" else f"role:{role}")
        if answer.status not in (200, 204):
            raise Fault(f"{role} is held up", answer)


async def _linked(link: LinkTable, lock: Lock, s: Session) -> None:
    """Links of a row that is locked stay as they are, from whichever side they are changed."""
    e, user = link.source, held_up(s.blueprint, link.source, lock)
    alike = [k for k in locks_of(e) if type(k) is type(lock)]
    scene, number = Scene(s, e, Action("lock", guards=tuple(Guard(k.condition, k.message) for k in alike))), alike.index(lock)
    row, tied, free = await scene.ready(), await s.create(link.target), await s.create(link.target)
    await _given(s, e, row, user)
    headers = await _headers(s, e, user, s.writer)

    def paths(other: Row) -> list[str]:
        here = f"{s.path(e, row['id'])}/{link.source_path}/{other['id']}"
        return [here] if link.is_self else [here, f"{s.path(link.target, other['id'])}/{link.target_path}/{row['id']}"]

    for path in paths(tied):
        expect(await s.client.send("DELETE", path, headers=headers), 204, "a row that meets the condition")
        expect(await s.client.send("PUT", path, headers=headers), 204, "a row that meets the condition")
    if not await scene.broken(row, scene.action.guards[number], number, {}):
        raise TooFewValues("no row was found that does not meet the condition")
    before = await s.query(f'SELECT * FROM "{link.table}" WHERE "{link.source_column}" = ?', row["id"])
    for method, other in (("PUT", free), ("DELETE", tied)):
        for path in paths(other):
            answer = expect(await s.client.send(method, path, headers=headers), 409, "the row does not meet the condition")
    if await s.query(f'SELECT * FROM "{link.table}" WHERE "{link.source_column}" = ?', row["id"]) != before:
        raise Fault("a refused request changed a link", answer)


def held_up(b: Blueprint, e: Entity, lock: Lock) -> str:
    """A user who may do what a lock is about, and whom it holds up: the administrator is of every role."""
    if not lock.free:
        return "admin"
    rule = rule_of(b, e, lock)
    if rule.who is not Who.ROLE:
        return "ann"
    return f"role:{next(role for role in rule.roles if role not in (*lock.free, 'admin'))}"


async def _given(s: Session, e: Entity, row: Row, user: str) -> None:
    """Rows that belong to somebody belong to that user."""
    if user != "admin" and s.blueprint.is_owned(e):
        await s.query(f'UPDATE "{e.name}" SET "owner_id" = ? WHERE "id" = ?', (await s.account(user)).id, row["id"])


async def _headers(s: Session, e: Entity, user: str, usual: Callable[[Entity], Awaitable[Headers]]) -> Headers:
    """What a user shows: the ``usual`` credentials for the administrator, those of the account alone for others."""
    return await usual(e) if user == "admin" else (await s.account(user)).headers


async def _replace(s: Session, e: Entity, row: Row, user: str) -> Answer:
    """A request that puts another row in the place of a whole one."""
    return await s.client.send("PUT", s.path(e, row["id"]), await s.body(e), headers=await _headers(s, e, user, s.writer))


async def _send(s: Session, e: Entity, lock: Lock, row: Row, user: str) -> Answer:
    """A request that asks for what the lock is about."""
    if not isinstance(lock, ChangeWhen):
        return await s.client.send("DELETE", s.path(e, row["id"]), headers=await _headers(s, e, user, s.deleter))
    spoken_of = {*free_fields(e), *names_in(lock.condition)}
    for f in e.fields:
        fixed = f.read_only or f.made or f.computed is not None or f.unique or f.name in spoken_of
        if not fixed and (value := sample(f, s.number())) != row.get(f.name):
            return await s.client.send("PATCH", s.path(e, row["id"]), {f.name: value}, headers=await _headers(s, e, user, s.writer))
    raise TooFewValues("no field was found that the condition does not speak of")
