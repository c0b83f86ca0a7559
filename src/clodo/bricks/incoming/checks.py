"""Checks of incoming events: what is let in, how often it is stored, and who reads it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Who
from clodo.bricks.incoming.language import Incoming
from clodo.bricks.incoming.signing import by_body, event_id, forgeries, has_time, id_field, signed
from clodo.proof.check import Check
from clodo.proof.client import Answer
from clodo.proof.session import Fault, Headers, Row, Session, expect

_MEBIBYTE = 1024 * 1024


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan."""
    hooks = plan.blueprint.parts_of(Incoming)
    for hook in hooks:
        old = ", too old" if has_time(hook) else ""
        yield Check("incoming.stored", f"{hook.name}: a signed event is stored, handled, listed and read", partial(_stored, hook))
        yield Check("incoming.signature", f"{hook.name}: an event with a signature that is missing, wrong{old} is 401", partial(_forged, hook))
        yield Check("incoming.once", f"{hook.name}: an event that comes again is stored once", partial(_once, hook))
        yield Check("incoming.held", f"{hook.name}: an event that is not handled yet is not told to be done, and is taken up when its claim is over", partial(_held, hook))
        if by_body(hook):
            yield Check("incoming.objects", f"{hook.name}: two events of one object are two", partial(_objects, hook))
        elif id_field(hook):
            yield Check("incoming.numbers", f"{hook.name}: large numbers make no two events one", partial(_numbers, hook))
        yield Check("incoming.forgotten", f"{hook.name}: what was handled a month ago is forgotten, what was not stays", partial(_forgotten, hook))
        yield Check("incoming.body", f"{hook.name}: a body that is too large or makes no sense is refused", partial(_bodies, hook))
        yield Check("incoming.needed", f"{hook.name}: reading what came needs '{hook.access}'", partial(_needed, hook))
    for hook, other in zip(hooks, hooks[1:], strict=False):
        yield Check("incoming.apart", f"{hook.name} and {other.name} have secrets and events of their own", partial(_apart, hook, other))


def _event(s: Session, hook: Incoming, id: object = None) -> tuple[str, bytes]:
    """An event that was never sent before: its id and its body."""
    id = id or f"evt_proof_{s.number()}"
    content = {"type": "proof", "data": {"amount": 12.5, "of": "café"}, id_field(hook) or "id": id}
    return str(id), json.dumps(content, ensure_ascii=False).encode()


async def _send(s: Session, hook: Incoming, headers: Headers, body: bytes) -> Answer:
    return await s.client.send("POST", hook.path, headers=headers, content=body)


async def _taken(s: Session, hook: Incoming, id: str, body: bytes) -> Answer:
    """Sends an event as its sender does."""
    answer = await _send(s, hook, signed(hook, s.secrets[hook.secret], body, id), body)
    return expect(answer, 200, "a signed event")


async def _listed(s: Session, hook: Incoming, id: str, body: bytes) -> list[Row]:
    headers = await s.headers(hook.access)
    answer = await s.client.send("GET", hook.path, headers=headers, params={"event_id": event_id(hook, body, id)})
    return list(expect(answer, 200).body["items"])


async def _stored(hook: Incoming, s: Session) -> None:
    id, body = _event(s, hook)
    taken = await _taken(s, hook, id, body)
    known = event_id(hook, body, id)
    if taken.body["event_id"] != known or taken.body["duplicate"]:
        raise Fault("the answer does not tell of a new event of that id", taken)
    rows = await _listed(s, hook, id, body)
    if [(r["id"], r["hook"], r["event_id"], r["type"]) for r in rows] != [(taken.body["id"], hook.name_in_path, known, "proof")]:
        raise Fault(f"the list does not hold the event: {rows}")
    if rows[0]["handled_at"] is None:
        raise Fault("the event is not handled")
    headers = await s.headers(hook.access)
    one = expect(await s.client.send("GET", f"{hook.path}/{taken.body['id']}", headers=headers), 200)
    if one.body != {**rows[0], "payload": json.loads(body)}:
        raise Fault("reading the event gives another one", one)


async def _forged(hook: Incoming, s: Session) -> None:
    id, body = _event(s, hook)
    for what, (headers, sent) in forgeries(hook, s.secrets[hook.secret], body, id).items():
        answer = expect(await _send(s, hook, headers, sent), 401, what)
        if "www-authenticate" not in answer.headers:
            raise Fault("the 401 has no WWW-Authenticate", answer)
    if await _listed(s, hook, id, body):
        raise Fault("an event with a wrong signature is stored")


async def _once(hook: Incoming, s: Session) -> None:
    id, body = _event(s, hook)
    headers = signed(hook, s.secrets[hook.secret], body, id)
    sent = await asyncio.gather(*(_send(s, hook, headers, body) for _ in range(4)))
    # While one of them is at it, the others are asked to come again.
    answers = [a for a in sent if a.status != 503]
    for answer in answers:
        expect(answer, 200, "a signed event")
    again = await _taken(s, hook, id, body)
    if not again.body["duplicate"] or {a.body["id"] for a in answers} != {again.body["id"]}:
        raise Fault("an event that came again is not told to be a duplicate", again)
    if sum(not a.body["duplicate"] for a in answers) != 1:
        raise Fault("of events that came at once, not exactly one is new")
    if len(await _listed(s, hook, id, body)) != 1:
        raise Fault("an event that came again is stored again")


async def _held(hook: Incoming, s: Session) -> None:
    """No request stops in the middle when it is asked to, so this looks at what one leaves in the database."""
    id, body = _event(s, hook)
    stored = (await _taken(s, hook, id, body)).body["id"]
    sql = 'UPDATE "incoming__event" SET "handled_at" = NULL, "claimed_until" = ? WHERE "id" = ?'
    await s.query(sql, "9999-12-31T00:00:00.000Z", stored)
    headers = signed(hook, s.secrets[hook.secret], body, id)
    answer = await _send(s, hook, headers, body)
    if answer.status != 503 or not answer.headers.get("retry-after", "").isdigit():
        raise Fault("an event that is not handled yet is to be sent again, after a time that is told", answer)
    if (await _listed(s, hook, id, body))[0]["handled_at"] is not None:
        raise Fault("an event that another request is at counts as handled")
    await s.query(sql, "2020-01-01T00:00:00.000Z", stored)
    again = await _taken(s, hook, id, body)
    if again.body["duplicate"] or again.body["id"] != stored or (await _listed(s, hook, id, body))[0]["handled_at"] is None:
        raise Fault("an event whose claim is over is not handled when it comes again", again)


async def _forgotten(hook: Incoming, s: Session) -> None:
    """Nobody waits for a month to pass."""
    handled, waiting, newer = [(await _taken(s, hook, id, body)).body["id"] for id, body in (_event(s, hook) for _ in range(3))]
    sql = 'UPDATE "incoming__event" SET "received_at" = ?1, "handled_at" = ?2 WHERE "id" = ?3'
    now = datetime.now(UTC)
    for id, days, at in ((handled, 31, True), (waiting, 31, False), (newer, 29, True)):
        moment = (now - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        await s.query(sql, moment, moment if at else None, id)
    id, body = _event(s, hook)
    await _taken(s, hook, id, body)
    headers = await s.headers(hook.access)
    for one, status, what in ((handled, 404, "handled a month ago"), (waiting, 200, "never handled"), (newer, 200, "handled 29 days ago")):
        expect(await s.client.send("GET", f"{hook.path}/{one}", headers=headers), status, f"an event that was {what}")


async def _objects(hook: Incoming, s: Session) -> None:
    id = f"object_{s.number()}"
    bodies = [json.dumps({"id": id, "type": kind}).encode() for kind in ("made", "paid")]
    first, second = [await _taken(s, hook, id, body) for body in bodies]
    if second.body["duplicate"] or first.body["id"] == second.body["id"]:
        raise Fault("the second event of an object is dropped as if it were the first", second)


async def _numbers(hook: Incoming, s: Session) -> None:
    large = 2**53 + 2 * s.number()
    taken = [await _taken(s, hook, str(n), json.dumps({id_field(hook): n, "type": "proof"}).encode()) for n in (large, large + 1)]
    if taken[1].body["duplicate"] or taken[0].body["id"] == taken[1].body["id"]:
        raise Fault(f"the events {large} and {large + 1} count as one", taken[1])
    small = 10**6 + s.number()
    known = (await _taken(s, hook, str(small), json.dumps({id_field(hook): small, "type": "proof"}).encode())).body["event_id"]
    if known != str(small):
        raise Fault(f"the event {small} is known by {known!r}")


async def _bodies(hook: Incoming, s: Session) -> None:
    secret = s.secrets[hook.secret]
    for body, status in ((b"{", 400), (b"\xff", 400), (b"[]", 422), (b"null", 422), (b" " * (_MEBIBYTE + 1), 413)):
        expect(await _send(s, hook, signed(hook, secret, body, f"evt_{s.number()}"), body), status, f"a body of {len(body)} bytes")
    id, body = _event(s, hook)
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        headers = {**signed(hook, secret, body, id), "content-type": kind}
        expect(await _send(s, hook, headers, body), 415, kind)
    if not by_body(hook):
        long, body = _event(s, hook, "x" * 300)
        expect(await _send(s, hook, signed(hook, secret, body, long), body), 422, "an id of 300 characters")
    expect(await s.client.send("PUT", hook.path, {}), 405)


async def _needed(hook: Incoming, s: Session) -> None:
    id, body = _event(s, hook)
    taken = await _taken(s, hook, id, body)
    wrong: list[tuple[Headers, int]] = [({}, 401), ({"x-api-key": "wrong"}, 401), (signed(hook, s.secrets[hook.secret], body, id), 401)]
    if s.blueprint.users is not None and hook.access.who is not Who.USER:
        wrong.append(((await s.account("ann")).headers, 403))
    for path in (hook.path, f"{hook.path}/{taken.body['id']}"):
        for headers, status in wrong:
            expect(await s.client.send("GET", path, headers=headers), status, f"it needs '{hook.access}'")
    headers = await s.headers(hook.access)
    expect(await s.client.send("GET", f"{hook.path}/no-such-event", headers=headers), 404)


async def _apart(hook: Incoming, other: Incoming, s: Session) -> None:
    id, body = _event(s, hook)
    body = json.dumps({**json.loads(body), id_field(other) or "id": id}).encode()
    if s.secrets[hook.secret] == s.secrets[other.secret]:
        raise Fault("two hooks have one secret")
    expect(await _send(s, other, signed(other, s.secrets[hook.secret], body, id), body), 401, "the secret of another hook")
    first, second = await _taken(s, hook, id, body), await _taken(s, other, id, body)
    if second.body["duplicate"] or first.body["id"] == second.body["id"]:
        raise Fault("an id that another hook has taken counts as a duplicate", second)
    if [r["id"] for r in await _listed(s, other, id, body)] != [second.body["id"]]:
        raise Fault("a hook lists the events of another")
    headers = await s.headers(other.access)
    expect(await s.client.send("GET", f"{other.path}/{first.body['id']}", headers=headers), 404, "an event of another hook")
