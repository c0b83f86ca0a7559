"""Checks of what is sent: subscribers on this machine, changes of rows, and what arrives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from clodo.blueprint.constructs import construct_of
from clodo.blueprint.values import Entity
from clodo.bricks.webhooks.language import Webhook
from clodo.bricks.webhooks.receiver import Arrival, Receiver
from clodo.proof.session import Fault, Headers, Row, Session, expect

PATH = "/api/webhooks"
#: So often the proof's service tries before it gives up.
ATTEMPTS = 3
RULES = {
    "retried": "an event that was refused is sent again, with the same id and a signature of its own",
    "dead": "an event that is refused each time, or sent elsewhere, is given up and listed",
    "redelivered": "what was given up is sent again when it is asked for, and not twice while it is under way",
    "swept": "an event whose message was lost is sent at the next tick of cron",
}


async def manager(s: Session) -> Headers:
    """Credentials to manage subscriptions."""
    return await s.headers(s.blueprint.parts_of(Webhook)[0].access)


async def subscribe(s: Session, url: str, events: Sequence[str]) -> Row:
    """A new subscription, with its secret."""
    answer = await s.client.send("POST", PATH, {"url": url, "events": list(events)}, headers=await manager(s))
    expect(answer, 201, "a subscription")
    if answer.headers.get("location") != f"{PATH}/{answer.body['id']}":
        raise Fault("Location does not name the subscription", answer)
    return dict(answer.body)


async def unsubscribe(s: Session, subscription: Row) -> None:
    """Ends a subscription."""
    expect(await s.client.send("DELETE", f"{PATH}/{subscription['id']}", headers=await manager(s)), 204)


@dataclass(frozen=True)
class Subscriber:
    """A receiver with its subscription."""

    receiver: Receiver
    subscription: Row

    def told(self, row: str, type_: str) -> list[Arrival]:
        """What arrived for it of one kind of change of one row."""
        found = [a for a in self.receiver.arrivals if a.path == "/hook" and a.content.get("type") == type_]
        return [a for a in found if a.content["data"].get("id") == row]

    async def wait(self, row: str, type_: str, count: int = 1) -> list[Arrival]:
        """The same, once there are that many.

        Raises:
            Fault: there never are.
        """
        if not await self.receiver.wait(lambda: len(self.told(row, type_)) >= count):
            raise Fault(f"{type_} arrived {len(self.told(row, type_))} times, not {count}")
        return self.told(row, type_)


@asynccontextmanager
async def subscriber(s: Session, *events: str) -> AsyncIterator[Subscriber]:
    """A receiver on this machine that has subscribed."""
    async with Receiver() as receiver:
        made = await subscribe(s, receiver.url("/hook"), events)
        try:
            yield Subscriber(receiver, made)
        finally:
            receiver.open.set()
            await unsubscribe(s, made)


async def delivered(e: Entity, events: Sequence[str], s: Session) -> None:
    """Each kind of change arrives once, signed, with the row. A second subscription to the last kind of them gets no other."""
    types = [f"{e.name}.{event}" for event in events]
    async with subscriber(s, *types) as to:
        other = await subscribe(s, to.receiver.url("/other"), types[-1:])
        for event, row in (await _changed(s, e)).items():
            if event in events:
                _hold(await _arrived(to, f"{e.name}.{event}", row), to)
        await _once(s, to, types)
        await unsubscribe(s, other)
        for arrival in (a for a in to.receiver.arrivals if a.path == "/other"):
            if arrival.content["type"] != types[-1]:
                raise Fault(f"{arrival.content['type']} arrived where only {types[-1]} was subscribed to")
            if fault := arrival.fault(other["signing_secret"]):
                raise Fault(fault)


async def _changed(s: Session, e: Entity) -> dict[str, Row]:
    """A row that is made, changed and deleted, as far as that can be; what it was at each step."""
    row = await s.create(e, apart=True)
    # Where a row is shown by a step of its own, it was another one when it was made.
    stepped = any(construct_of(part).shown_by for part in e.parts)
    rows, body = {"created": {"id": row["id"]} if stepped else row}, await s.body(e)
    changed = await s.patch(e, row["id"], body)
    if changed.status == 200 and body:
        rows["updated"] = dict(changed.body)
    last = expect(await s.get(e, row["id"]), 200).body
    if (await s.delete(e, row["id"])).status == 204:
        rows["deleted"] = dict(last)
    return rows


async def _arrived(to: Subscriber, type_: str, row: Row) -> Arrival:
    """The event of a kind that holds the row."""
    await to.wait(row["id"], type_)

    def found() -> Arrival | None:
        told = to.told(row["id"], type_)
        return next((a for a in told if a.content["data"] == row or [*row] == ["id"]), None)

    await to.receiver.wait(lambda: found() is not None, 2)
    arrival = found()
    if arrival is None:
        raise Fault(f"{type_} holds {to.told(row['id'], type_)[-1].content['data']}, and the row is {row}")
    return arrival


def _hold(arrival: Arrival, to: Subscriber) -> None:
    if fault := arrival.fault(to.subscription["signing_secret"]):
        raise Fault(f"{arrival.content['type']}: {fault}")
    if arrival.headers.get("content-type") != "application/json" or set(arrival.content) != {"type", "timestamp", "data"}:
        raise Fault(f"{arrival.content['type']} is not JSON with type, timestamp and data")


async def _once(s: Session, to: Subscriber, types: Sequence[str]) -> None:
    page = await _settled(s, to)
    if any(d["attempts"] != 1 or d["response_status"] != 200 for d in page):
        raise Fault(f"deliveries that arrived at once do not say so: {page}")
    arrivals = [a for a in to.receiver.arrivals if a.path == "/hook"]
    ids = [a.headers.get("webhook-id") for a in arrivals]
    if len(set(ids)) != len(ids):
        raise Fault("an event arrived twice, or two events have one id")
    more = {a.content["type"] for a in arrivals} - set(types)
    if more:
        raise Fault(f"{', '.join(more)} arrived, and nobody had subscribed to that")


def unique_field(e: Entity) -> str:
    """A field whose values no two rows share, and which callers set and see; empty where there is none."""
    plain = (f for f in e.fields if f.unique and f.required and not (f.write_only or f.read_only))
    return next((f.name for f in plain), "")


async def refused(e: Entity, s: Session) -> None:
    """What the database refuses has no event: the value that it refused is told of once."""
    name = unique_field(e)
    async with subscriber(s, f"{e.name}.created") as to:
        first = await s.create(e, apart=True)
        for _ in range(2):
            expect(await s.post(e, await s.body(e, {name: first[name]})), 409, f"the {name} is taken")
        second = await s.create(e, apart=True)
        for row in (first, second):
            await to.wait(row["id"], f"{e.name}.created")
        await _settled(s, to)
        told = [a for a in to.receiver.arrivals if a.content.get("data", {}).get(name) == first[name]]
        if len(told) != 1:
            raise Fault(f"{len(told)} events tell of a {name} that one row has")


async def retried(e: Entity, events: Sequence[str], s: Session) -> None:
    """Refused with 500 first, then taken."""
    async with subscriber(s, f"{e.name}.{events[0]}") as to:
        seen: set[str] = set()

        def answering(arrival: Arrival) -> tuple[int, dict[str, str]]:
            known = arrival.headers.get("webhook-id", "") in seen
            seen.add(arrival.headers.get("webhook-id", ""))
            return (204 if known else 500), {}

        to.receiver.answering = answering
        id = await _change(s, e, events[0])
        first, second = (await to.wait(id, f"{e.name}.{events[0]}", 2))[:2]
        if first.headers["webhook-id"] != second.headers["webhook-id"] or first.body != second.body:
            raise Fault("the second attempt is not the same event")
        for arrival in (first, second):
            if fault := arrival.fault(to.subscription["signing_secret"]):
                raise Fault(fault)
        delivery = await _delivery(s, to, first, "delivered")
        if delivery["attempts"] != 2 or delivery["response_status"] != 204 or delivery["error"] is not None:
            raise Fault(f"the delivery does not tell of two attempts: {delivery}")


async def dead(e: Entity, events: Sequence[str], s: Session) -> None:
    """Refused each time; one of the refusals points elsewhere, where nothing must arrive."""
    async with subscriber(s, f"{e.name}.{events[0]}") as to:
        seen: set[str] = set()

        def answering(arrival: Arrival) -> tuple[int, dict[str, str]]:
            known = arrival.headers.get("webhook-id", "") in seen
            seen.add(arrival.headers.get("webhook-id", ""))
            return (503, {}) if known else (302, {"location": to.receiver.url("/elsewhere")})

        to.receiver.answering = answering
        id = await _change(s, e, events[0])
        arrivals = await to.wait(id, f"{e.name}.{events[0]}", ATTEMPTS)
        delivery = await _delivery(s, to, arrivals[0], "dead")
        if delivery["attempts"] != ATTEMPTS or delivery["response_status"] != 503 or delivery["next_attempt_at"] is not None:
            raise Fault(f"the delivery does not tell of {ATTEMPTS} attempts: {delivery}")
        listed = await _deliveries(s, to, status="dead")
        if delivery["id"] not in [d["id"] for d in listed]:
            raise Fault("the list of the dead does not hold it")
        if any(a.path != "/hook" for a in to.receiver.arrivals):
            raise Fault("a redirect was followed")
        if len(to.told(id, f"{e.name}.{events[0]}")) != ATTEMPTS:
            raise Fault(f"it was tried {len(to.told(id, f'{e.name}.{events[0]}'))} times, not {ATTEMPTS}")


async def redelivered(e: Entity, events: Sequence[str], s: Session) -> None:
    """Given up, asked for again, left alone while it is under way, and taken then."""
    type_ = f"{e.name}.{events[0]}"
    async with subscriber(s, type_) as to:
        to.receiver.answering = lambda arrival: (500, {})
        id = await _change(s, e, events[0])
        arrivals = await to.wait(id, type_, ATTEMPTS)
        delivery = await _delivery(s, to, arrivals[0], "dead")
        to.receiver.answering = lambda arrival: (200, {})
        # Those of other rows, which other checks make, go on: they would keep this one from its turn.
        to.receiver.held = lambda arrival: bool(arrival.content["data"].get("id") == id)
        to.receiver.open.clear()
        path, headers = f"{PATH}/deliveries/{delivery['id']}", await manager(s)
        again = expect(await s.client.send("POST", f"{path}/retry", headers=headers), 202)
        if again.body["status"] != "pending" or again.body["attempts"] != 0:
            raise Fault("the delivery does not begin anew", again)
        await to.wait(id, type_, ATTEMPTS + 1)
        expect(await s.client.send("POST", f"{path}/retry", headers=headers), 409, "it is under way")
        await _tick(s, to, lambda: len(to.told(id, type_)) > ATTEMPTS + 1)
        to.receiver.open.set()
        await _delivery(s, to, arrivals[0], "delivered")
        if len(to.told(id, type_)) != ATTEMPTS + 1:
            raise Fault("it was sent more than once")


async def swept(e: Entity, events: Sequence[str], s: Session) -> None:
    """No request loses a message of the queue, so the database is set to where that leaves it."""
    type_ = f"{e.name}.{events[0]}"
    async with subscriber(s, type_) as to:
        id = await _change(s, e, events[0])
        arrival = (await to.wait(id, type_))[0]
        delivery = await _delivery(s, to, arrival, "delivered")
        lost = """UPDATE "webhook__delivery" SET "status" = 'pending', "attempts" = 0, "next_attempt_at" = ? WHERE "id" = ?"""
        await s.query(lost, "2020-01-01T00:00:00.000Z", delivery["id"])
        await s.scheduled("* * * * *")
        await to.wait(id, type_, 2)
        await _delivery(s, to, arrival, "delivered")
        await s.scheduled("* * * * *")
        if len(to.told(id, type_)) != 2:
            raise Fault("cron sends what has arrived")


async def _tick(s: Session, to: Subscriber, twice: Callable[[], bool]) -> None:
    """A tick of cron while an attempt waits for its answer."""
    tick = asyncio.create_task(s.scheduled("* * * * *"))
    while not tick.done():
        if twice():
            to.receiver.open.set()
            await tick
            raise Fault("cron sends what is under way")
        await asyncio.sleep(0.02)
    await tick


async def _change(s: Session, e: Entity, event: str) -> str:
    """The id of a row that has just undergone a change."""
    row = await s.create(e, apart=True)
    if event == "updated":
        expect(await s.patch(e, row["id"], await s.body(e)), 200)
    if event == "deleted":
        expect(await s.delete(e, row["id"]), 204)
    return str(row["id"])


async def _deliveries(s: Session, to: Subscriber, **filters: Any) -> list[Row]:
    params = {"webhook_id": to.subscription["id"], "limit": 100, **filters}
    answer = await s.client.send("GET", f"{PATH}/deliveries", headers=await manager(s), params=params)
    return list(expect(answer, 200, "the deliveries").body["items"])


async def _delivery(s: Session, to: Subscriber, arrival: Arrival, status: str) -> Row:
    """The delivery of what arrived, once it has that status."""
    found: list[Row] = []
    for _ in range(200):
        found = await _deliveries(s, to, event_id=arrival.headers.get("webhook-id", ""))
        if len(found) != 1:
            raise Fault(f"one event has {len(found)} deliveries to one subscription")
        if found[0]["status"] == status:
            return found[0]
        await asyncio.sleep(0.03)  # it is noted just behind the answer
    raise Fault(f"the delivery does not become {status}: {found[0]}")


async def _settled(s: Session, to: Subscriber) -> list[Row]:
    """All deliveries, once none is under way."""
    for _ in range(200):
        found = await _deliveries(s, to)
        if all(d["status"] != "pending" for d in found):
            return found
        await asyncio.sleep(0.03)
    raise Fault("deliveries never end")
