"""Checks of rooms."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import Any

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Entity, Who
from clodo.bricks.room.brick import room_entities
from clodo.bricks.room.sockets import NoSocket, Socket
from clodo.proof.check import Check
from clodo.proof.session import Fault, Headers, Session, expect, expect_path

_NO_ROW = "01890000-0000-7000-8000-000000000000"
_UPGRADE = {
    "upgrade": "websocket", "connection": "Upgrade", "sec-websocket-version": "13", "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
}  # fmt: skip


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan."""
    for e in room_entities(plan):
        for id, rule, run in (
            ("presence", "who comes and goes is told to who is there", _presence),
            ("messages", "what is said comes to all in the room, and to nobody else", _messages),
            ("bounds", "what is too big, too much or no JSON is refused", _bounds),
            ("changes", "changes of the row are told, and nobody stays when it is gone", _changes),
            ("access", "only who may read the row comes in, and no credential stands in the address", _access),
        ):
            yield Check(f"room.{id}", f"{e.name}: {rule}", partial(run, e))


@contextlib.asynccontextmanager
async def _inside(s: Session, e: Entity, id: str, headers: Headers, count: int = 1) -> AsyncIterator[list[tuple[Socket, Any]]]:
    """Members of a room, each with its welcome."""
    members: list[tuple[Socket, Any]] = []
    try:
        for _ in range(count):
            socket = await Socket.open(s.client.address, f"{s.path(e, id)}/room", headers)
            members.append((socket, await socket.receive()))
        yield members
    except NoSocket as error:
        raise Fault(str(error)) from None
    finally:
        for socket, _ in members:
            await socket.close()


async def _presence(e: Entity, s: Session) -> None:
    row, headers = await s.create(e), await s.reader(e)
    async with _inside(s, e, row["id"], headers, 2) as [(one, first), (two, second)]:
        user = (await s.account("admin")).id if "authorization" in headers else None
        if first.get("type") != "welcome" or first.get("present") != [{"id": first.get("id"), "user": user}]:
            raise Fault(f"the first is welcomed with {first}")
        if sorted(p["id"] for p in second["present"]) != sorted([first["id"], second["id"]]):
            raise Fault(f"the second is welcomed with {second}")
        joined = await one.receive()
        if joined != {"type": "joined", "id": second["id"], "user": user}:
            raise Fault(f"the second comes, and the first is told {joined}")
        await two.close()
        left = await one.receive()
        if left != {"type": "left", "id": second["id"], "user": user}:
            raise Fault(f"the second goes, and the first is told {left}")
        await one.send({"type": "ping"})
        await one.send('{"type":"ping"}')
        if (await one.until("pong")) != {"type": "pong"}:
            raise Fault("a ping is not answered")


async def _messages(e: Entity, s: Session) -> None:
    headers = await s.reader(e)
    row, other = await s.create(e), await s.create(e)
    async with _inside(s, e, row["id"], headers, 2) as [(one, first), (two, _)], _inside(s, e, other["id"], headers) as [(far, _)]:
        said = {"type": "deleted", "from": "someone", "text": "<b>é</b>"}
        await one.send(said)
        for socket in (one, two):
            got = await socket.until("message")
            if not isinstance(got, dict) or got.get("from") != first["id"] or got.get("data") != said:
                raise Fault(f"a message comes as {got}")
        await far.send("1")
        heard = await far.receive()
        if heard.get("data") != 1:
            raise Fault("a message is heard in another room")


async def _bounds(e: Entity, s: Session) -> None:
    row, headers = await s.create(e), await s.reader(e)
    async with _inside(s, e, row["id"], headers, 4) as members:
        (big, _), (wide, _), (binary, _), (fast, _) = members
        await big.send("x" * 4097)
        await wide.send('"' + "é" * 2100 + '"')
        await binary.send(b"{}")
        for socket, code, why in ((big, 1009, "4,097 bytes"), (wide, 1009, "4,202 bytes"), (binary, 1003, "no text")):
            if (await socket.until("never")) != code:
                raise Fault(f"a message of {why} does not end the connection with {code}")
        await fast.send("{")
        broken = await fast.until("error")
        if not isinstance(broken, dict):
            raise Fault("a message that is no JSON is not refused")
        for _ in range(45):
            await fast.send("1")
        got = [await fast.receive()]
        while isinstance(got[-1], dict):
            got.append(await fast.receive())
        kinds = [one["type"] for one in got if isinstance(one, dict)]
        if kinds.count("message") > 20 or "error" not in kinds or got[-1] != 1008:
            raise Fault(f"45 messages at once: {kinds.count('message')} went through, and the end was {got[-1]}")


async def _changes(e: Entity, s: Session) -> None:
    row, headers = await s.create(e), await s.reader(e)
    async with _inside(s, e, row["id"], headers) as [(socket, _)]:
        for f in e.fields:
            if f.read_only or f.computed or f.unique or f.made:
                continue
            answer = await s.patch(e, row["id"], {f.name: s.sample(e, f.name)})
            if answer.status == 200:
                told = await socket.until("updated")
                if told != {"type": "updated", "row": answer.body}:
                    raise Fault(f"the row was changed, and the room is told {told}", answer)
                break
        expect(await s.delete(e, row["id"]), 204)
        told = await socket.until("deleted")
        if told != {"type": "deleted", "id": row["id"]}:
            raise Fault(f"the row was deleted, and the room is told {told}")
        if (await socket.receive()) != 4404:
            raise Fault("somebody stays in the room of a row that is gone")


async def _refused(s: Session, path: str, headers: Headers, status: int, why: str) -> None:
    expect(await s.client.send("GET", path, headers={**headers, **_UPGRADE}), status, why)


async def _access(e: Entity, s: Session) -> None:
    row, headers = await s.create(e, user="ann" if s.blueprint.users is not None else "admin"), await s.reader(e, "ann")
    path = f"{s.path(e, row['id'])}/room"
    expect(await s.client.send("POST", path, {}, headers=headers), 405)
    await _refused(s, f"{s.path(e, _NO_ROW)}/room", headers, 404, "no such row")
    expect(await s.client.send("GET", path, headers=headers), 426, "no WebSocket is asked for")
    odd = await s.client.send("GET", path, headers={**headers, **_UPGRADE, "sec-websocket-protocol": "chat"})
    expect_path(expect(odd, 400, "another protocol"), "Sec-WebSocket-Protocol")
    read = s.blueprint.read_access(e)
    if read.who is Who.PUBLIC:
        return
    await _refused(s, path, {}, 401, "no credential")
    await _refused(s, path, {"sec-websocket-protocol": "room, bearer.x.y.z, key.guess"}, 401, "a bad credential")
    if read.who is Who.OWNER:
        await _refused(s, path, (await s.account("ben")).headers, 404, "someone else's row")
    if read.who is Who.ROLE:
        await _refused(s, path, (await s.account("ben")).headers, 403, "no such role")
    name, secret = ("key", headers["x-api-key"]) if read.who is Who.KEY else ("bearer", headers["authorization"].removeprefix("Bearer "))
    for parameter in ("token", "access_token", "ticket", "key", "api_key"):
        await _refused(s, f"{path}?{parameter}={secret}", {}, 401, "a credential in the address")
    try:
        socket = await Socket.open(s.client.address, path, {"sec-websocket-protocol": f"room, {name}.{secret}"})
    except NoSocket as error:
        raise Fault(f"a credential that is offered as a protocol: {error}") from None
    await socket.close()
    if socket.protocol != "room" or secret in socket.head:
        raise Fault("the service does not choose the protocol 'room', or tells the credential back")
