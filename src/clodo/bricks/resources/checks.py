"""Checks of what a blueprint says on each entity and field."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from functools import partial
from typing import Any

from clodo.blueprint.evaluation import Unknowable, plain
from clodo.blueprint.patterns import matches
from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Entity, Field, FieldType
from clodo.bricks.resources.computed import agrees, worked_out
from clodo.bricks.resources.creating import creates
from clodo.bricks.resources.deleting import deletes
from clodo.bricks.resources.filling import expect_filled, fills, refusals
from clodo.bricks.resources.lists import list_checks, plan_checks
from clodo.bricks.resources.probes import probe_checks
from clodo.bricks.resources.schema import schema_checks
from clodo.bricks.resources.values import beyond, edges, right, wrong_type
from clodo.proof.check import Check
from clodo.proof.client import Answer
from clodo.proof.session import Fault, Row, Session, expect, expect_path

Run = Callable[[Session, Entity], Awaitable[None]]
FieldRun = Callable[[Session, Entity, Field], Awaitable[None]]


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan."""
    for e in plan.blueprint.entities:
        for id, rule, run in _ENTITY:
            yield Check(f"resources.{id}", f"{e.name}: {rule}", partial(_on, run, e))
        for f in e.fields:
            for id, rule, field_run in _field_checks(f):
                made = partial(_on_field, field_run, e, f)
                yield Check(f"resources.{id}", f"{e.name}.{f.name}: {rule}", made)
        for group in e.unique:
            words = " and ".join(group)
            run = partial(_unique_group, group=group)
            yield Check("resources.unique", f"{e.name}: {words} unique together", partial(_on, run, e))
        if e.create is not None:
            yield Check("resources.create", f"{e.name}: create '{e.create}', whoever may change one", partial(_on, creates, e))
        if e.delete is not None:
            yield Check("resources.delete", f"{e.name}: delete '{e.delete}', whoever may change one", partial(_on, deletes, e))
        yield from list_checks(e)
        yield from probe_checks(e)
    yield from plan_checks(plan)
    yield from schema_checks(plan)


async def _on(run: Run, e: Entity, s: Session) -> None:
    await run(s, e)


async def _on_field(run: FieldRun, e: Entity, f: Field, s: Session) -> None:
    await run(s, e, f)


def _field_checks(f: Field) -> Iterator[tuple[str, str, FieldRun]]:
    if f.computed is not None:
        yield "computed", "is answered and cannot be set", _refused_in_body
        yield "computed", "is worked out from the other fields", _computed
        return
    if f.worked_out is not None:
        yield "default", "is filled in where it is left out", fills
    if f.read_only:
        yield "read-only", "cannot be set", _refused_in_body
        return
    yield "type", f"takes only {f.type}", _type
    if f.required:
        yield "required", "is required and not null", _required
    elif not f.made:
        yield "optional", "may be left out and may be null", _optional
    if f.unique:
        yield "unique", "is unique", _unique
    if f.constant_default is not None:
        yield "default", "has its default", _default
    if f.minimum or f.maximum:
        yield "range", "keeps to its bounds", _range
    if f.pattern:
        yield "pattern", "matches its pattern", _pattern
    if f.write_only:
        yield "write-only", "is never answered", _write_only


async def _crud(s: Session, e: Entity) -> None:
    body = await s.body(e)
    made = expect(await s.post(e, body), 201)
    row = made.body
    if made.headers.get("location") != s.path(e, row["id"]):
        raise Fault("the Location header is missing or wrong", made)
    if not _is_fresh_id(row["id"]):
        raise Fault("the id is no UUIDv7 of this moment", made)
    for key, sent in body.items():
        f = e.field(key)
        if (f is None or not f.write_only) and not same(f, row.get(key), sent):
            raise Fault(f"{key} was stored as {row.get(key)!r}, not {sent!r}", made)
    read = expect(await s.get(e, row["id"]), 200)
    if read.body != row:
        raise Fault("reading does not give what creating answered", read)
    expect(await s.delete(e, row["id"]), 204)
    expect(await s.get(e, row["id"]), 404, "after deletion")
    expect(await s.delete(e, row["id"]), 404, "deleted twice")


def _is_fresh_id(id: str) -> bool:
    if not re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", id):
        return False
    made = int(id.replace("-", "")[:12], 16) / 1000
    # The service runs on this machine; its clock stands still while it computes.
    return abs(time.time() - made) < 60


def same(f: Field | None, got: Any, sent: Any) -> bool:
    """Whether an answered value is the one that was sent, in the form that the service answers."""
    if f is not None and isinstance(sent, str):
        if f.type is FieldType.TIME:
            return bool(got == (sent if len(sent) > len("09:30") else f"{sent}:00"))
        if f.type in (FieldType.EMAIL, FieldType.UUID):
            return bool(got == sent.lower())
        if f.type is FieldType.DATETIME:
            in_utc = isinstance(got, str) and got.endswith("Z")
            return in_utc and datetime.fromisoformat(got) == datetime.fromisoformat(sent)
    if isinstance(sent, bool) or isinstance(got, bool):
        return got is sent
    return bool(got == sent)


async def _patch(s: Session, e: Entity) -> None:
    row = await s.create(e)
    empty = expect(await s.patch(e, row["id"], {}), 200)
    if empty.body != row:
        raise Fault("an empty change changed something", empty)
    for f in e.fields:
        if f.read_only or f.write_only or f.computed is not None:
            continue
        value = s.sample(e, f.name)
        answer = await s.patch(e, row["id"], {f.name: value})
        if answer.status == 409 and f.unique:
            continue
        if answer.status == 409 and any(f.name in g for g in e.unique):
            continue
        if not s.settled(e, answer, 200, [f.name]):
            continue
        if not same(f, answer.body[f.name], value):
            raise Fault(f"{f.name} did not change", answer)
        skip = {f.name, "updated_at", *(c.name for c in e.fields if c.computed is not None or c.made)}
        before = {k: v for k, v in row.items() if k not in skip}
        if {k: v for k, v in answer.body.items() if k not in skip} != before:
            raise Fault(f"changing {f.name} changed other fields", answer)
        row = answer.body


async def _put(s: Session, e: Entity) -> None:
    row = await s.create(e)
    full = await s.body(e)
    required = {f.name for f in e.fields if f.required and f.default is None}
    required |= {f"{r.name}_id" for r in e.references if r.required}
    least = {k: v for k, v in full.items() if k in required}
    headers = await s.writer(e)
    answer = await s.client.send("PUT", s.path(e, row["id"]), least, headers=headers)
    if refusals(e, least, answer) or not s.settled(e, answer, 200, full):
        return
    expect_filled(e, least, answer)
    for f in e.fields:
        if f.name in least or f.read_only or f.write_only or f.computed is not None or f.made:
            continue
        if f.default is None and answer.body[f.name] is not None:
            raise Fault(f"{f.name} was left out and kept its value", answer)
        if f.constant_default not in (None, "now") and not same(
            f, answer.body[f.name], plain(f.constant_default)
        ):
            raise Fault(f"{f.name} was left out and is not its default", answer)
    if least:
        missing = await s.client.send("PUT", s.path(e, row["id"]), {}, headers=headers)
        expect(missing, 422, "required fields left out")


async def _timestamps(s: Session, e: Entity) -> None:
    row = await s.create(e)
    if not e.timestamps:
        if "created_at" in row:
            raise Fault("the row has time stamps, which the blueprint does not want")
        return
    for key in ("created_at", "updated_at"):
        if not str(row.get(key, "")).endswith("Z") or datetime.fromisoformat(row[key]).year < 2020:
            raise Fault(f"{key} is not a moment in UTC: {row.get(key)!r}")
    changeable = [f for f in e.fields if not f.read_only and f.computed is None]
    if not changeable:
        return
    await asyncio.sleep(0.01)  # moments are told in milliseconds
    answer = await s.patch(e, row["id"], {changeable[0].name: s.sample(e, changeable[0].name)})
    if answer.status == 409 or not s.settled(e, answer, 200, [changeable[0].name]):  # taken, or tied to others
        return
    changed = answer.body
    if changed["created_at"] != row["created_at"] or changed["updated_at"] <= row["updated_at"]:
        raise Fault("a change did not move updated_at, or moved created_at", answer)


async def _unknown_row(s: Session, e: Entity) -> None:
    for id in ("01890000-0000-7000-8000-000000000000", "0", "%27%20OR%201=1--", "a" * 300)[: 4 if s.leads(e) else 1]:
        expect(await s.get(e, id), 404)


_ENTITY: tuple[tuple[str, str, Run], ...] = (
    ("crud", "is created, read and deleted", _crud),
    ("patch", "PATCH changes the given fields only", _patch),
    ("put", "PUT replaces the whole row", _put),
    ("timestamps", "has its time stamps", _timestamps),
    ("not-found", "unknown ids are 404", _unknown_row),
)


async def _refuse(s: Session, e: Entity, f: Field, value: Any, row: dict[str, Any]) -> None:
    answer = expect(await s.patch(e, row["id"], {f.name: value}), 422, f"{f.name} = {value!r}"[:80])
    expect_path(answer, f.name)


async def _refused_in_body(s: Session, e: Entity, f: Field) -> None:
    row = await s.create(e)
    if not f.write_only and f.name not in row:
        raise Fault(f"{f.name} is not answered")
    await _refuse(s, e, f, s.sample(e, f.name), row)
    body = await s.body(e)
    answer = expect(await s.post(e, {**body, f.name: s.sample(e, f.name)}), 422)
    expect_path(answer, f.name)


async def _computed(s: Session, e: Entity, f: Field) -> None:
    assert f.computed is not None
    fields = {other.name: other for other in e.fields}
    made = [expect(await s.post(e, await s.body(e)), 201) for _ in range(3)]
    optional = {o.name: None for o in e.fields if not (o.required or o.read_only or o.computed)}
    bare = await s.patch(e, made[0].body["id"], optional)
    for answer in (*made, *([bare] if bare.status == 200 else [])):
        try:
            wanted = worked_out(f.computed, answer.body, fields)
        except Unknowable:
            return
        if not agrees(f, answer.body[f.name], wanted):
            raise Fault(f"{f.name} is {answer.body[f.name]!r}, not {wanted!r}", answer)


async def _wrong_types(s: Session, e: Entity) -> dict[str, list[Answer]]:
    """The answers to bodies in which every field is wrong, by the fields that are: all faults of a body are told at once."""
    wrong = {f.name: list(wrong_type(f)) for f in e.fields if not f.read_only and f.computed is None}
    row, body = await s.shared(e), await s.body(e)
    found: dict[str, list[Answer]] = {name: [] for name in wrong}
    for turn in range(max(map(len, wrong.values()), default=0)):
        values = {name: left[turn] for name, left in wrong.items() if turn < len(left)}
        answers = [await s.patch(e, row["id"], values)]
        if turn == 0:
            answers.append(await s.post(e, {**body, **values}))
        for name in values:
            found[name] += answers
    return found


async def _type(s: Session, e: Entity, f: Field) -> None:
    for answer in (await s.once(("wrong types", e.name), lambda: _wrong_types(s, e)))[f.name]:
        expect_path(expect(answer, 422, f"a wrong {f.name}"), f.name)
    taken = list(right(f))
    row = await s.create(e) if taken else {}
    for value in taken:
        answer = await s.patch(e, row["id"], {f.name: value})
        if answer.status == 409:  # the value is fine, and it is taken
            continue
        if not s.settled(e, answer, 200, [f.name], f"{f.name} = {value!r}"):
            continue
        got = answer.body.get(f.name)
        if not f.write_only and not same(f, got, value):
            raise Fault(f"{f.name} was stored as {got!r}, not {value!r}", answer)


async def _required(s: Session, e: Entity, f: Field) -> None:
    body = await s.body(e)
    if f.default is None:
        without = {k: v for k, v in body.items() if k != f.name}
        expect_path(expect(await s.post(e, without), 422, f"without {f.name}"), f.name)
    expect_path(expect(await s.post(e, {**body, f.name: None}), 422, f"{f.name} null"), f.name)
    row = await s.shared(e)
    await _refuse(s, e, f, None, row)
    if f.type in (FieldType.TEXT, FieldType.LONG_TEXT):
        await _refuse(s, e, f, "", row)


async def _optional(s: Session, e: Entity, f: Field) -> None:
    body = await s.body(e)
    without = {k: v for k, v in body.items() if k != f.name}
    if f.worked_out is not None and refusals(e, without):
        return  # there is a check of its own for what it is filled with
    answer = await s.post(e, without)
    if not s.settled(e, answer, 201, [f.name], f"without {f.name}"):
        return
    if f.default is None and not f.write_only and answer.body[f.name] is not None:
        raise Fault(f"{f.name} was left out and is not null", answer)
    s.settled(e, await s.patch(e, answer.body["id"], {f.name: None}), 200, [f.name], f"{f.name} null")


async def _unique(s: Session, e: Entity, f: Field) -> None:
    first, second = await s.create(e), await s.create(e)
    taken = first[f.name] if not f.write_only else s.sample(e, f.name)
    if f.write_only:
        await s.patch(e, first["id"], {f.name: taken})
    others: Row = {o.name: None for o in e.fields if o.unique and not o.required and o.default is None}
    for _ in range(10):
        body = {**await s.body(e, others), f.name: taken}
        answer = expect(await s.post(e, body), 409, f"{f.name} taken")
        if answer.body["errors"][0]["path"] == f.name:
            break  # else another unique field with few values was taken too
    expect_path(answer, f.name)
    expect(await s.patch(e, second["id"], {f.name: taken}), 409, f"{f.name} taken")
    headers = await s.writer(e)
    put = await s.client.send("PUT", s.path(e, second["id"]), body, headers=headers)
    expect(put, 409, f"{f.name} taken")
    expect(await s.patch(e, first["id"], {f.name: taken}), 200, "its own value")


async def _unique_group(s: Session, e: Entity, group: tuple[str, ...]) -> None:
    keys = [n if e.field(n) is not None else f"{n}_id" for n in group]
    body = await s.body(e)
    for r in e.references:
        key = f"{r.name}_id"
        parent = s.blueprint.entity(r.target)
        if key in keys and key not in body:
            body[key] = (await s.create(parent))["id"] if parent is not None else (await s.account("admin")).id
    first = expect(await s.post(e, body), 201).body
    again = {**await s.body(e), **{k: first[k] for k in keys}}
    expect(await s.post(e, again), 409, f"{' and '.join(keys)} taken")
    other = next((k for k in keys if e.field(k) is not None), None)
    if other is not None:
        fresh = {**again, other: s.sample(e, other)}
        if fresh[other] != first[other]:
            s.settled(e, await s.post(e, fresh), 201, [other], f"another {other}")


async def _default(s: Session, e: Entity, f: Field) -> None:
    body = await s.body(e)
    without = {k: v for k, v in body.items() if k != f.name}
    answer = await s.post(e, without)
    if not s.settled(e, answer, 201, [f.name], f"without {f.name}") or f.write_only:
        return
    got = answer.body[f.name]
    right = (
        got is not None
        if f.default == "now" and f.type.is_temporal
        else same(f, got, plain(f.constant_default))
    )
    if not right:
        raise Fault(f"{f.name} is {got!r}, not its default", answer)


async def _range(s: Session, e: Entity, f: Field) -> None:
    row = await s.create(e)
    for name, value in beyond(f):
        answer = await s.patch(e, row["id"], {f.name: value})
        expect_path(expect(answer, 422, f"beyond the {name}: {value!r}"[:80]), f.name)
    for name, value in edges(f):
        answer = await s.patch(e, row["id"], {f.name: value})
        if not (answer.status == 409 and (f.unique or any(f.name in g for g in e.unique))):
            s.settled(e, answer, 200, [f.name], f"at the {name}: {value!r}"[:80])
    body = await s.body(e)
    for name, value in beyond(f):
        expect(await s.post(e, {**body, f.name: value}), 422, f"beyond the {name}")


async def _pattern(s: Session, e: Entity, f: Field) -> None:
    assert f.pattern is not None
    row = await s.create(e)
    for value in ("\u2603 \u2603", "!?~", "a", "0", "   "):
        if not matches(f.pattern, value):
            await _refuse(s, e, f, value, row)


async def _write_only(s: Session, e: Entity, f: Field) -> None:
    row = await s.create(e)
    listed = await s.page(e, {"id": row["id"]})
    if f.name in row or any(f.name in item for item in listed.body["items"]):
        raise Fault(f"{f.name} is answered", listed)
    expect(await s.page(e, {f.name: "x"}), 400, "filter by a write-only field")
