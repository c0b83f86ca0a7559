"""Checks of streams of changes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from clodo.blueprint.constructs import construct_of
from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Entity, Who
from clodo.bricks.live.brick import live_entities
from clodo.bricks.restore.language import Restore
from clodo.proof.check import Check
from clodo.proof.client import Answer
from clodo.proof.session import Fault, Headers, Row, Session, expect, expect_path

_PUSH_SECONDS = 15


@dataclass(frozen=True)
class Event:
    """One event of a stream."""

    number: str
    kind: str
    data: Any


def parsed(text: str) -> list[Event]:
    """The events of a stream's text."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line and not line.startswith(":"))
        if "data" in fields:
            found.append(Event(fields.get("id", ""), fields.get("event", "message"), json.loads(fields["data"])))
    return found


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan."""
    for e in live_entities(plan):
        for id, rule, run in (
            ("events", "changes of rows are told in their order", _events),
            ("resume", "a stream goes on behind the last event that is known", _resume),
            ("stored", "what is refused is not told", _stored),
            ("parameters", "senseless parameters are 400", _parameters),
            ("pushed", "a change is told while the stream is open", _pushed),
        ):
            yield Check(f"live.{id}", f"{e.name}: {rule}", partial(run, e))
        if e.parts_of(Restore):
            yield Check("live.restored", f"{e.name}: a row that comes back is told as created", partial(_restored, e))
        if plan.blueprint.read_access(e).who is not Who.PUBLIC:
            yield Check("live.access", f"{e.name}: a stream needs '{plan.blueprint.read_access(e)}'", partial(_access, e))
        if plan.blueprint.read_access(e).who is Who.OWNER:
            yield Check("live.private", f"{e.name}: nobody hears of another's rows", partial(_private, e))
        if any(construct_of(part).shown_by for part in e.parts) and plan.blueprint.read_access(e).who is Who.PUBLIC:
            yield Check("live.hidden", f"{e.name}: readers do not hear of rows that are hidden from them", partial(_hidden, e))


async def _stream(s: Session, e: Entity, last: str | None, headers: Headers) -> Answer:
    more = {"last-event-id": last} if last is not None else {}
    answer = await s.client.send("GET", f"{s.path(e)}/events", headers={**headers, **more}, params={"wait": 0})
    expect(answer, 200)
    if answer.headers.get("content-type") != "text/event-stream":
        raise Fault("the stream is no text/event-stream", answer)
    return answer


async def _place(s: Session, e: Entity, headers: Headers) -> str:
    """The place in the stream that is now."""
    answer = await _stream(s, e, None, headers)
    found = parsed(answer.text)
    if not found or found[0].kind != "ready" or not found[0].number.isdigit():
        raise Fault("a stream does not begin with its place", answer)
    if len(found) > 1 and any(int(one.number) <= int(found[0].number) for one in found[1:]):
        raise Fault("a stream without Last-Event-ID tells what was before", answer)
    return found[0].number


async def _since(s: Session, e: Entity, last: str, headers: Headers, ids: set[str]) -> list[Event]:
    """The events of some rows."""
    found: list[Event] = []
    for _ in range(20):
        news = parsed((await _stream(s, e, last, headers)).text)
        if news[0].kind == "reset":
            raise Fault("a stream that goes on says that changes were missed")
        found += [one for one in news if one.data.get("id") in ids]
        if len(news) == 1:
            return found
        last = news[-1].number
    return found


def _kinds(events: list[Event], row: Row) -> list[str]:
    return [one.kind for one in events if one.data["id"] == row["id"]]


async def _events(e: Entity, s: Session) -> None:
    headers = await s.reader(e)
    place = await _place(s, e, headers)
    kept, gone = await s.create(e), await s.create(e)
    changed = await _change(s, e, kept)
    expect(await s.delete(e, gone["id"]), 204)
    events = await _since(s, e, place, headers, {kept["id"], gone["id"]})
    wanted = ["created", *(["updated"] if changed else [])]
    if [k for k in _kinds(events, kept) if k in wanted][: len(wanted)] != wanted or "deleted" in _kinds(events, kept):
        raise Fault(f"a row was created and changed, and the stream tells {_kinds(events, kept)}")
    if _kinds(events, gone)[-1:] != ["deleted"]:
        raise Fault(f"a row was deleted, and the stream tells {_kinds(events, gone)}")
    row = expect(await s.get(e, kept["id"]), 200).body
    if any(one.data != row for one in events if one.data["id"] == kept["id"]):
        raise Fault("the stream tells another row than reading does")
    if any(set(one.data) != {"id"} for one in events if one.kind == "deleted"):
        raise Fault("a deletion tells more than the id")
    numbers = [int(one.number) for one in events]
    if numbers != sorted(set(numbers)):
        raise Fault("the numbers of events do not rise")


async def _change(s: Session, e: Entity, row: Row) -> bool:
    """Changes a row, where it has a field that can be changed."""
    for f in e.fields:
        if not (f.read_only or f.computed or f.unique or f.made):
            answer = await s.patch(e, row["id"], {f.name: s.sample(e, f.name)})
            if answer.status == 200:
                return True
    return False


async def _restored(e: Entity, s: Session) -> None:
    headers = await s.reader(e)
    row = await s.create(e)
    expect(await s.delete(e, row["id"]), 204)
    place = await _place(s, e, headers)
    expect(await s.client.send("POST", f"{s.path(e, row['id'])}/restore", headers=await s.deleter(e)), 200)
    if (told := _kinds(await _since(s, e, place, headers, {row["id"]}), row)) != ["created"]:
        raise Fault(f"a row was restored, and the stream tells {told}")


async def _resume(e: Entity, s: Session) -> None:
    headers = await s.reader(e)
    place = await _place(s, e, headers)
    first, second = await s.create(e), await s.create(e)
    events = await _since(s, e, place, headers, {first["id"], second["id"]})
    last = [one for one in events if one.data["id"] == first["id"]][-1].number
    rest = await _since(s, e, last, headers, {first["id"], second["id"]})
    if _kinds(rest, first) or not _kinds(rest, second):
        raise Fault("a stream repeats or loses changes when it goes on")
    answer = await _stream(s, e, "999999999999", headers)
    if [one.kind for one in parsed(answer.text)][:1] != ["reset"]:
        raise Fault("a place that does not exist is not told as a reset", answer)


async def _stored(e: Entity, s: Session) -> None:
    headers = await s.reader(e)
    row = await s.create(e)
    place = await _place(s, e, headers)
    unique = next((f for f in e.fields if f.unique and not f.write_only and not f.read_only and row.get(f.name) is not None), None)
    if unique is not None:
        expect(await s.post(e, {**await s.body(e), unique.name: row[unique.name]}), 409)
        other = await s.create(e)
        expect(await s.patch(e, other["id"], {unique.name: row[unique.name]}), 409)
    expect(await s.patch(e, row["id"], {"no_such_field": 1}), 422)
    if await _since(s, e, place, headers, {row["id"]}):
        raise Fault("the stream tells a change that was refused")
    # What stands in the table and was never a row, nobody hears of; but it shows that the two are not stored as one.
    ghosts = await s.query(
        f'SELECT "id" FROM "_live" WHERE "entity" = ? AND "number" > ? AND "was" IS NULL AND "id" NOT IN (SELECT "id" FROM "{e.name}")'
        ' AND "id" NOT IN (SELECT "id" FROM "_live" WHERE "was" IS NOT NULL)', e.name, place,
    )  # fmt: skip
    if ghosts and not s.scarce:
        raise Fault("the creation of a row is noted that was never stored")


async def _parameters(e: Entity, s: Session) -> None:
    headers, path = await s.reader(e), f"{s.path(e)}/events"
    for name, value in (("wait", "61"), ("wait", "-1"), ("wait", "soon"), ("limit", "5")):
        answer = await s.client.send("GET", path, headers=headers, params={name: value})
        expect_path(expect(answer, 400, f"{name}={value}"), name)
    for value in ("abc", "-1", "1 OR 1=1", "9" * 30):
        answer = await s.client.send("GET", f"{path}?wait=0", headers={**headers, "last-event-id": value})
        expect_path(expect(answer, 400, f"Last-Event-ID: {value}"), "Last-Event-ID")
    expect(await s.client.send("POST", path, {}, headers=headers), 405)


async def _access(e: Entity, s: Session) -> None:
    path = f"{s.path(e)}/events?wait=0"
    expect(await s.client.send("GET", path), 401, "no credential")
    expect(await s.client.send("GET", path, headers={"authorization": "Bearer x.y.z", "x-api-key": "guess"}), 401, "a bad one")
    if s.blueprint.read_access(e).who is Who.ROLE:
        expect(await s.client.send("GET", path, headers=(await s.account("ben")).headers), 403, "no such role")


async def _private(e: Entity, s: Session) -> None:
    ben = (await s.account("ben")).headers
    place = await _place(s, e, ben)
    row = await s.create(e, user="ann")
    await s.patch(e, row["id"], {}, user="ann")
    gone = await s.create(e, user="ann")
    expect(await s.delete(e, gone["id"], user="ann"), 204)
    both = {row["id"], gone["id"]}
    if await _since(s, e, place, ben, both):
        raise Fault("somebody hears of another's rows")
    if row["id"] in (await _stream(s, e, place, ben)).text:
        raise Fault("a stream names another's row")
    if not await _since(s, e, place, (await s.account("ann")).headers, both):
        raise Fault("the owner does not hear of their own rows")


async def _hidden(e: Entity, s: Session) -> None:
    place = await _place(s, e, {})
    draft = expect(await s.post(e, await s.body(e)), 201).body
    gone = expect(await s.post(e, await s.body(e)), 201).body
    expect(await s.delete(e, gone["id"]), 204)
    if await _since(s, e, place, {}, {draft["id"], gone["id"]}):
        raise Fault("a reader hears of a row that is hidden from them")
    shown = await s.create(e)
    if _kinds(await _since(s, e, place, {}, {shown["id"]}), shown)[-1:] not in (["created"], ["updated"]):
        raise Fault("a reader does not hear of a row that is shown")


async def _pushed(e: Entity, s: Session) -> None:
    reader, writer = await asyncio.open_connection(*s.client.address)
    try:
        headers = {**await s.reader(e), "host": "service", "connection": "close"}
        lines = [f"GET {s.path(e)}/events HTTP/1.1", *(f"{k}: {v}" for k, v in headers.items()), "", ""]
        writer.write("\r\n".join(lines).encode())
        heard = await _heard(reader, "event: ready")
        row = await s.create(e)
        heard += await _heard(reader, row["id"])
    finally:
        writer.close()
    if "event: created" not in heard:
        raise Fault("a row that is created while the stream is open is not told as such")


async def _heard(reader: asyncio.StreamReader, word: str) -> str:
    """What is read until a word comes."""
    text = ""

    async def read() -> None:
        nonlocal text
        while word not in text:
            some = await reader.read(65536)
            if not some:
                raise Fault(f"the stream ended before it told {word!r}")
            text += some.decode("utf-8", "replace")

    try:
        await asyncio.wait_for(read(), _PUSH_SECONDS)
    except TimeoutError:
        raise Fault(f"the stream did not tell {word!r} within {_PUSH_SECONDS} s") from None
    return text
