"""Checks of idempotency keys."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from functools import partial
from typing import Any

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Entity, Who
from clodo.bricks.tenants.language import HEADER, tenant_entity
from clodo.bricks.webhooks.brick import topics
from clodo.bricks.webhooks.language import Webhook
from clodo.bricks.webhooks.sending import PATH, manager, unsubscribe
from clodo.proof.check import Check
from clodo.proof.client import Answer
from clodo.proof.session import Fault, Headers, Row, Session, expect

#: How many requests with one key run at once.
AT_ONCE = 12


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan. What keys do is the same for all entities: one shows it."""
    b = plan.blueprint
    entities = sorted(b.entities, key=lambda e: (len(e.references), len(e.unique), len(e.fields)))
    for e in entities[:1]:
        yield Check("idempotency.again", f"{e.name}: the same request gets the first answer again", partial(_again, e))
        yield Check("idempotency.another", f"{e.name}: a key stands for one request only", partial(_another, e))
        yield Check("idempotency.at-once", f"{e.name}: requests at once with one key make one row", partial(_at_once, e))
        yield Check("idempotency.refused", f"{e.name}: what was refused can be mended under its key", partial(_refused, e))
        yield Check("idempotency.key", f"{e.name}: what is no key is 400", partial(_bad_key, e))
        yield Check("idempotency.kept", f"{e.name}: a key is kept for 24 hours", partial(_kept, e))
        yield Check("idempotency.change", f"{e.name}: a change is not made a second time", partial(_change, e))
        if {b.write_access(e).who, b.create_access(e).who} <= {Who.USER, Who.OWNER}:
            yield Check("idempotency.caller", f"{e.name}: each caller has keys of their own", partial(_callers, e))
    if b.parts_of(Webhook):
        yield Check("idempotency.secret", "the secret of a subscription is not kept with its key", _subscription)
    if tenant_entity(b) is not None:
        yield Check("idempotency.secret", "the token of an invitation is not kept with its key", _invitation)


def _key() -> str:
    return str(uuid.uuid4())


async def _post(s: Session, e: Entity, body: Row, key: str, *, user: str = "admin") -> Answer:
    headers = {**await s.writer(e, user), "idempotency-key": key}
    return await s.client.send("POST", s.path(e), body, headers=headers)


async def _first(s: Session, e: Entity, key: str) -> tuple[Answer, Row]:
    """The first answer to a request with the key, and the body that was sent."""
    for _ in range(40):
        body = await s.body(e)
        answer = await _post(s, e, body, key)
        if answer.status != 409:
            break
    return expect(answer, 201, "the first request with a key"), body


def _same(answer: Answer, first: Answer) -> None:
    expect(answer, first.status, "the same request once more")
    kept = ("location", "etag", "content-type")
    if answer.text != first.text or any(answer.headers.get(h) != first.headers.get(h) for h in kept):
        raise Fault("the same request once more gets another answer", answer)
    if answer.headers.get("idempotent-replayed") != "true":
        raise Fault("the answer does not say that it is the first once more", answer)


async def _again(e: Entity, s: Session) -> None:
    key = _key()
    first, body = await _first(s, e, key)
    if "idempotent-replayed" in first.headers:
        raise Fault("the first answer says that it is none", first)
    _same(await _post(s, e, body, key), first)
    _same(await _post(s, e, body, f'"{key}"'), first)
    expect(await s.get(e, first.body["id"]), 200, "the row is there")
    # The answer stays what it was, whatever becomes of the row.
    expect(await s.delete(e, first.body["id"]), 204)
    _same(await _post(s, e, body, key), first)
    expect(await s.get(e, first.body["id"]), 404, "it was not made again")


async def _another(e: Entity, s: Session) -> None:
    key = _key()
    await _first(s, e, key)
    expect(await _post(s, e, await s.body(e), key), 422, "the same key with another body")
    expect(await _post(s, e, {}, key), 422, "the same key with another body")
    row = await s.create(e)
    headers = {**await s.writer(e), "idempotency-key": key}
    answer = await s.client.send("PATCH", s.path(e, row["id"]), {}, headers=headers)
    expect(answer, 422, "the same key for another request")


async def _at_once(e: Entity, s: Session) -> None:
    body, key = await s.body(e), _key()
    answers = await asyncio.gather(*(_post(s, e, body, key) for _ in range(AT_ONCE)))
    made = [a for a in answers if a.status == 201]
    for answer in answers:
        if answer.status != 201:
            expect(answer, 409, "while the first still runs")
            if made and not answer.headers.get("retry-after", "").isdigit():
                raise Fault("the 409 has no Retry-After", answer)
    if not made:
        return  # the body was refused: a unique value happens to be taken
    if len({a.body["id"] for a in made}) != 1 or sum("idempotent-replayed" not in a.headers for a in made) != 1:
        raise Fault("one key made several rows", made[-1])


async def _refused(e: Entity, s: Session) -> None:
    key = _key()
    for _ in range(2):
        bad = await _post(s, e, {**await s.body(e), "no_such_field": 1}, key)
        if expect(bad, 422, "a bad body").headers.get("idempotent-replayed") or not bad.body.get("errors"):
            raise Fault("a refusal is kept under its key", bad)
    await _first(s, e, key)


async def _bad_key(e: Entity, s: Session) -> None:
    body = await s.body(e)
    for key in ("", "x" * 256, "two words", "caf\u00e9", '""'):
        expect(await _post(s, e, body, key), 400, f"the key {key[:20]!r}")
    headers = {"idempotency-key": "x" * 300}
    expect(await s.client.send("GET", "/health", headers=headers), 200, "keys are for changes")
    big = b'{"a": "' + b"x" * (1024 * 1024) + b'"}'
    sent = {**await s.writer(e), "idempotency-key": _key(), "content-type": "application/json"}
    expect(await s.client.send("POST", s.path(e), content=big, headers=sent), 413, "more than 1 MiB")


async def _age(s: Session, key: str, hours: float, changes: str = "") -> None:
    """Lets time pass for a key; no request can do that."""
    sql = f'UPDATE "_idempotency" SET "at" = "at" - CAST(? AS INTEGER){changes} WHERE "key" = ?'
    await s.query(sql, str(int(hours * 3_600_000)), key)


async def _kept(e: Entity, s: Session) -> None:
    key = _key()
    first, body = await _first(s, e, key)
    await _age(s, key, 23.9)
    _same(await _post(s, e, body, key), first)
    await _age(s, key, 0.2)
    expect(await s.delete(e, first.body["id"]), 204)
    later = await _post(s, e, body, key)
    if "idempotent-replayed" in later.headers:
        raise Fault("a key is kept for longer than a day", later)
    await _unfinished(e, s)


async def _unfinished(e: Entity, s: Session) -> None:
    """A request that was cut off: its key is busy for a minute, and then free where nothing was changed."""
    key = _key()
    first, body = await _first(s, e, key)
    stopped = ', "status" = NULL, "headers" = NULL, "body" = NULL'
    await _age(s, key, 0, stopped)
    expect(await _post(s, e, body, key), 409, "the first still runs")
    await _age(s, key, 0.1)
    lost = expect(await _post(s, e, body, key), 409, "carried out, and its answer lost")
    if "retry-after" in lost.headers:
        raise Fault("a lost answer is said to come soon", lost)
    await _age(s, key, 0, ', "done" = 0')
    expect(await s.delete(e, first.body["id"]), 204)
    fresh = await _post(s, e, body, key)
    if fresh.status not in (201, 409) or "idempotent-replayed" in fresh.headers:
        raise Fault("a request that was cut off before it changed a thing holds its key", fresh)


async def _change(e: Entity, s: Session) -> None:
    key = next((f.name for f in e.fields if not (f.read_only or f.write_only or f.made or f.computed)), None)
    if key is None:
        return
    row = await s.create(e)
    headers = {**await s.writer(e), "idempotency-key": _key()}
    path = s.path(e, row["id"])
    body: dict[str, Any] = {key: row[key]}
    first = await s.client.send("PATCH", path, body, headers=headers)
    if not s.settled(e, first, 200, body):
        return
    expect(await s.delete(e, row["id"]), 204)
    _same(await s.client.send("PATCH", path, body, headers=headers), first)


async def _callers(e: Entity, s: Session) -> None:
    key = _key()
    mine = expect(await _post(s, e, await s.body(e, user="ann"), key, user="ann"), 201)
    body = await s.body(e, user="ben")
    for _ in range(2):
        theirs = expect(await _post(s, e, body, key, user="ben"), 201, "the same key of another caller")
    if theirs.body["id"] == mine.body["id"]:
        raise Fault("a caller gets the answer to another", theirs)
    stranger = await s.client.send("POST", s.path(e), body, headers={"idempotency-key": key})
    expect(stranger, 401, "no credential, with the key of a caller")


async def _subscription(s: Session) -> None:
    body = {"url": "https://example.com/hook", "events": topics(s.plan)[:1]}
    await unsubscribe(s, await _told_once(s, PATH, body, await manager(s), "signing_secret"))


async def _invitation(s: Session) -> None:
    tenant = tenant_entity(s.blueprint)
    assert tenant is not None
    admin = await s.account("admin")
    path = f"{s.path(tenant, admin.more[HEADER])}/invitations"
    await _told_once(s, path, {"email": "told-once@example.com"}, await s.headers(s.blueprint.read_access(tenant)) | admin.headers, "token")


async def _told_once(s: Session, path: str, body: Row, credentials: Headers, name: str) -> Row:
    """What was made. The answer's secret stands nowhere in the table of keys, so the same request again cannot be answered."""
    key = _key()
    headers = {**credentials, "idempotency-key": key}
    first = expect(await s.client.send("POST", path, body, headers=headers), 201, "a secret that is told once")
    again = expect(await s.client.send("POST", path, body, headers=headers), 409, "the same request once more")
    rows = await s.query('SELECT * FROM "_idempotency" WHERE "key" = ?', key)
    if len(rows) != 1 or first.body[name] in again.text or any(first.body[name] in str(value) for value in rows[0].values()):
        raise Fault(f"the key is lost, or {name} is kept with it", again)
    if "retry-after" in again.headers:
        raise Fault("an answer that is not kept is said to come soon", again)
    return dict(first.body)
