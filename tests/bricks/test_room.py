"""Rooms: how many may be there and how long, many who speak at once, and faults that the proof finds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx2 as httpx
import pytest

from clodo.blueprint import format_blueprint, parse
from clodo.blueprint.problems import InvalidBlueprint
from clodo.bricks.room.language import Room
from clodo.bricks.room.sockets import NoSocket, Socket
from clodo.proof.host import Host
from clodo.toolchain import Toolchain
from tests.bricks.proving import Fault, example_of, expect_caught, made, proof

OPEN = "service auction\n\nentity lot {\n  title: text required\n  room\n}\n"


def test_the_line_is_read_and_written() -> None:
    blueprint = parse(OPEN)
    assert blueprint.entities[0].parts == (Room(),)
    assert format_blueprint(blueprint) == OPEN


def test_it_is_said_once() -> None:
    with pytest.raises(InvalidBlueprint, match="said twice"):
        parse(OPEN.replace("  room\n", "  room\n  room\n"))


def _in_a_room(folder: Path, host: Host, run: Callable[[tuple[str, int], str], Awaitable[None]]) -> None:
    """Runs something with the address of a service and the path of a room in it."""
    served = host.serve(folder, bindings={})
    try:
        lot = httpx.post(f"{served.url}/api/lots", json={"title": "Clock"}, trust_env=False).json()
        url = httpx.URL(served.url)
        asyncio.run(run((url.host, url.port or 80), f"/api/lots/{lot['id']}/room"))  # type: ignore[arg-type]
    finally:
        host.reset()


@pytest.mark.workerd
def test_a_room_is_full_at_some_time(tmp_path: Path, host: Host) -> None:
    async def run(address: tuple[str, int], path: str) -> None:
        members = [await Socket.open(address, path, {}) for _ in range(3)]
        with pytest.raises(NoSocket) as refusal:
            await Socket.open(address, path, {})
        assert refusal.value.status == 429
        await members[0].close()
        await members[1].until("left")
        await (await Socket.open(address, path, {})).close()

    folder = made(OPEN, tmp_path / "s", Fault("", "src/lib/room-object.ts", "MOST_MEMBERS = 100", "MOST_MEMBERS = 3", ""))
    _in_a_room(folder, host, run)


@pytest.mark.workerd
def test_nobody_stays_forever(tmp_path: Path, host: Host) -> None:
    async def run(address: tuple[str, int], path: str) -> None:
        member = await Socket.open(address, path, {})
        await member.receive()
        await member.send("1")
        assert await member.receive() == 1001

    folder = made(OPEN, tmp_path / "s", Fault("", "src/lib/room-object.ts", "STAY_MS = 60 * 60 * 1000", "STAY_MS = -1", ""))
    _in_a_room(folder, host, run)


@pytest.mark.workerd
def test_many_who_speak_at_once_are_all_heard(tmp_path: Path, host: Host) -> None:
    async def run(address: tuple[str, int], path: str) -> None:
        members = await asyncio.gather(*(Socket.open(address, path, {}) for _ in range(12)))
        await asyncio.gather(*(member.until("welcome") for member in members))
        await asyncio.gather(*(member.send(str(n)) for n, member in enumerate(members)))
        for member in members:
            said = [(await member.until("message"))["data"] for _ in members]
            assert sorted(said) == list(range(12))
        for member in members:
            await member.close()

    _in_a_room(made(OPEN, tmp_path / "s"), host, run)


STREET = """service street

entity house {
  title: text required
  room
}

entity flat {
  title: text required
  house: -> house required on delete cascade
  bulk create 200
  room
}
"""


@pytest.mark.workerd
def test_a_deletion_of_many_tells_a_bounded_number_of_rooms_at_once(tmp_path: Path, host: Host) -> None:
    """The rooms are slow here: one behind the other they would take half a minute, and all of them more calls than a request has."""
    folder = made(STREET, tmp_path / "s")
    room = folder / "src" / "lib" / "room-object.ts"
    head = "async changed(name: string, id: string): Promise<void> {"
    text = room.read_text("utf-8")
    assert head in text
    slow = 'await scheduler.wait(200);\n    if (name === "flat") await this.env.DB.prepare("INSERT INTO told VALUES (?)").bind(id).run();'
    room.write_text(text.replace(head, f"{head}\n    {slow}"), "utf-8")
    served = host.serve(folder, bindings={})
    try:
        host.query("CREATE TABLE told (id TEXT)", [])
        house = httpx.post(f"{served.url}/api/houses", json={"title": "One"}, trust_env=False).json()
        flats = [{"title": str(n), "house_id": house["id"]} for n in range(150)]
        assert httpx.post(f"{served.url}/api/flats/bulk", json=flats, trust_env=False, timeout=60).status_code == 201
        begun = time.monotonic()
        assert httpx.delete(f"{served.url}/api/houses/{house['id']}", trust_env=False, timeout=120).status_code == 204
        assert time.monotonic() - begun < 15
        told = 0
        for _ in range(100):
            now = host.query("SELECT count(*) AS n FROM told", [])[0]["n"]
            if now and now == told:
                break
            told = now
            time.sleep(0.5)
        assert told == 100
    finally:
        host.reset()


@pytest.mark.workerd
def test_cookies_of_other_pages_do_not_count(tmp_path: Path, host: Host) -> None:
    """A page elsewhere makes a browser send the cookies of this service; the service does not look at them."""
    shows = Fault("", "src/lib/room.ts", "const caller = await admit(c, entity.read);", 'if (c.req.header("cookie")) throw new Problem(409, "cookie"); const caller = await admit(c, entity.read);', "")
    served = host.serve(made(OPEN, tmp_path / "s", shows), bindings={})
    try:
        lot = httpx.post(f"{served.url}/api/lots", json={"title": "Clock"}, trust_env=False).json()
        url, headers = f"{served.url}/api/lots/{lot['id']}/room", {"cookie": "a=b"}
        statuses = [
            httpx.get(url, headers={**headers, **origin}, trust_env=False).status_code
            for origin in ({}, {"origin": served.url}, {"origin": "https://evil.example"}, {"origin": "null"})
        ]
    finally:
        host.reset()
    assert statuses == [409, 409, 426, 426]


FAULTS = [
    Fault("anybody comes in", "src/lib/room.ts", "await admit(c, entity.read)", 'await admit(c, "public")', "room.access"),
    Fault("whoever has an account comes in", "src/lib/room.ts", "condition('\"id\" = ?', id), ...visible(entity, caller)", "condition('\"id\" = ?', id)", "room.access"),
    Fault("a credential may stand in the address", "src/lib/room.ts", "for (const name of offered(c)) {", 'for (const name of [...offered(c), `bearer.${c.req.query("token") ?? ""}`]) {', "room.access"),
    Fault("the credential is told back", "src/lib/room.ts", '"sec-websocket-protocol": PROTOCOL', '"sec-websocket-protocol": protocols.at(-1) ?? ""', "room.access"),
    Fault("all rows have one room", "src/lib/room.ts", "`${entity.name}:${id}`", "entity.name", "room.messages|room.presence"),
    Fault("who speaks is taken from the message", "src/lib/room-object.ts", "from: id, user, data });", "from: id, user, data, ...(data as object) });", "room.messages"),
    Fault("messages of any size", "src/lib/room-object.ts", "message.length > MOST_BYTES || new TextEncoder().encode(message).byteLength > MOST_BYTES", "false", "room.bounds"),
    Fault("letters are counted, not bytes", "src/lib/room-object.ts", "|| new TextEncoder().encode(message).byteLength > MOST_BYTES", "", "room.bounds"),
    Fault("any number of messages", "src/lib/room-object.ts", "pace.count += 1;", "", "room.bounds"),
    Fault("hidden rows are still shown", "src/lib/room-object.ts", "condition('\"id\" = ?', id), ...visible(entity, caller)", "condition('\"id\" = ?', id)", "room.changes"),
    Fault("nobody is shown out", "src/lib/room-object.ts", 'socket.close(GONE, "The row is gone.");', "", "room.changes"),
    Fault("who goes is not told", "src/lib/room-object.ts", 'this.tell({ type: "left"', 'if (Date.now() < 0) this.tell({ type: "left"', "room.presence"),
]  # fmt: skip


@pytest.mark.workerd
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
def test_faults_are_found(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(example_of("room"), tmp_path / "s", toolchain, host, fault)


@pytest.mark.workerd
def test_it_holds_with_keys_and_drafts(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    text = "service news\n\nentity story {\n  title: text required\n  read public\n  write key\n  publish\n  room\n  live\n}\n\nentity tip {\n  text: text required\n  read key\n  write key\n  room\n}\n"
    report = proof(text, tmp_path / "s", toolchain, host)
    assert report.proven, report.summary()
