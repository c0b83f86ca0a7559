"""Streams of changes: heartbeats and bounds, many writers at once, and faults that the proof finds."""

from __future__ import annotations

import asyncio
import contextlib
import time
from pathlib import Path

import httpx2 as httpx
import pytest

from clodo.blueprint import format_blueprint, parse
from clodo.blueprint.problems import InvalidBlueprint
from clodo.bricks.live.checks import parsed
from clodo.bricks.live.language import Live
from clodo.proof.host import Host
from clodo.toolchain import Toolchain
from tests.bricks.proving import Fault, example_of, expect_caught, made, proof

RESTORED = "service board\n\nentity message {\n  text: text required\n  soft delete\n  restore\n  live\n}\n"
OPEN = "service board\n\nentity message {\n  text: text required\n  live\n}\n"


def test_the_line_is_read_and_written() -> None:
    blueprint = parse(OPEN)
    assert blueprint.entities[0].parts == (Live(),)
    assert format_blueprint(blueprint) == OPEN


def test_it_is_said_once() -> None:
    with pytest.raises(InvalidBlueprint, match="said twice"):
        parse(OPEN.replace("  live\n", "  live\n  live\n"))


@pytest.mark.workerd
def test_a_stream_has_heartbeats_and_an_end(tmp_path: Path, host: Host) -> None:
    folder = made(OPEN, tmp_path / "s", Fault("", "src/lib/live.ts", "HEARTBEAT_MS = 15_000", "HEARTBEAT_MS = 200", ""))
    served = host.serve(folder, bindings={})
    try:
        started = time.monotonic()
        answer = httpx.get(f"{served.url}/api/messages/events?wait=2", timeout=30, trust_env=False)
        assert time.monotonic() - started >= 1.9
    finally:
        host.reset()
    assert answer.headers["content-type"] == "text/event-stream"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.text.startswith("retry: ") and answer.text.count(": heartbeat\nid: 0\n\n") >= 2


@pytest.mark.workerd
def test_a_stream_ends_after_its_queries(tmp_path: Path, host: Host) -> None:
    folder = made(OPEN, tmp_path / "s", Fault("", "src/lib/live.ts", "MOST_QUERIES = 44", "MOST_QUERIES = 4", ""))
    served = host.serve(folder, bindings={})
    try:
        started = time.monotonic()
        answer = httpx.get(f"{served.url}/api/messages/events", timeout=50, trust_env=False)
    finally:
        host.reset()
    assert [e.kind for e in parsed(answer.text)] == ["ready"] and time.monotonic() - started < 20


@pytest.mark.workerd
def test_who_was_away_too_long_begins_anew(tmp_path: Path, host: Host) -> None:
    folder = made(OPEN, tmp_path / "s", Fault("", "src/lib/live.ts", "KEPT = 10_000", "KEPT = 3", ""))
    served = host.serve(folder, bindings={})
    try:
        with httpx.Client(base_url=served.url, timeout=30, trust_env=False) as client:
            for number in range(6):
                assert client.post("/api/messages", json={"text": str(number)}).status_code == 201
            kinds = {}
            for last in (1, 2, 3, 5, 6, 7):
                answer = client.get("/api/messages/events?wait=0", headers={"last-event-id": str(last)})
                kinds[last] = [e.kind for e in parsed(answer.text)]
        assert host.query('SELECT count(*) AS "count" FROM "_live"', [])[0]["count"] == 3
    finally:
        host.reset()
    created = ["created"]
    assert kinds == {1: ["reset"], 2: ["reset"], 3: ["ready", *created * 3], 5: ["ready", *created], 6: ["ready"], 7: ["reset"]}


@pytest.mark.workerd
def test_many_writers_at_once_lose_nothing(tmp_path: Path, host: Host) -> None:
    """While forty rows are made at once, a listener hears of each exactly once."""
    served = host.serve(made(OPEN, tmp_path / "s"), bindings={})

    async def run() -> tuple[set[str], list[str]]:
        async with httpx.AsyncClient(base_url=served.url, timeout=60, trust_env=False) as client:
            made_ids: set[str] = set()
            heard: list[str] = []

            async def listen() -> None:
                text = ""
                async with client.stream("GET", "/api/messages/events") as answer:
                    async for chunk in answer.aiter_text():
                        text += chunk
                        heard[:] = [e.data["id"] for e in parsed(text[: text.rfind("\n\n") + 2]) if e.kind == "created"]
                        ready.set()
                        if len(heard) >= 40:
                            return

            ready = asyncio.Event()
            listener = asyncio.create_task(listen())
            await asyncio.wait_for(ready.wait(), 20)
            answers = await asyncio.gather(*(client.post("/api/messages", json={"text": "x"}) for _ in range(40)))
            made_ids = {a.json()["id"] for a in answers}
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(listener, 40)
            return made_ids, heard

    try:
        made_ids, heard = asyncio.run(run())
    finally:
        host.reset()
    assert len(made_ids) == 40 and set(heard) == made_ids and len(heard) == 40


FAULTS = [
    Fault("changes are written down before it is known that they are stored", "src/lib/live.ts", "  along: (c, { entity, id, before, after }) => [\n    c.env.DB.prepare('INSERT INTO", "  check: async (c, { entity, id }) => void (await c.env.DB.prepare('INSERT INTO \"_live\" (\"entity\", \"id\") VALUES (?, ?)').bind(entity.name, id).run()),\n  along: (c, { entity, id, before, after }) => [\n    c.env.DB.prepare('INSERT INTO", "live.stored|live.events"),
    Fault("everybody hears of every row", "src/lib/live.ts", "const filter = where([ids, ...visible(entity, this.caller)]);", "const filter = where([ids]);", "live.private|live.events"),
    Fault("everybody hears of every deletion", "src/lib/live.ts", "const filter = where(visible(entity, this.caller));", "const filter = where([]);", "live.private"),
    Fault("anybody may listen", "src/lib/live.ts", "await admit(c, entity.read)", "await admit(c, \"public\")", "live.access"),
    Fault("a stream begins with all there is", "src/lib/live.ts", "last === undefined || isMissed ? newest : last", "last === undefined || isMissed ? 0 : last", "live.stored|live.events|live.resume"),
    Fault("a place in the stream is not gone on from", "src/lib/live.ts", "this.last = last === undefined || isMissed ? newest : last", "this.last = newest", "live.events|live.resume"),
    Fault("missed changes are not told", "src/lib/live.ts", 'isMissed ? "reset" : "ready"', '"ready"', "live.resume"),
    Fault("hidden rows are told as changed", "src/lib/live.ts", "seen.has(number) ? \"updated\" : \"created\"", '"updated"', "live.events|live.pushed"),
    Fault("nobody looks again", "src/lib/live.ts", "await scheduler.wait(Math.min(pause, left));", "await scheduler.wait(left);", "live.pushed"),
    Fault("a number of seconds is not looked at", "src/lib/live.ts", "|| Number(given) > MOST_SECONDS", "", "live.parameters"),
]  # fmt: skip


@pytest.mark.workerd
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
def test_faults_are_found(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(example_of("live"), tmp_path / "s", toolchain, host, fault)


@pytest.mark.workerd
def test_it_holds_with_drafts_and_own_rows(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    text = (
        "service journal\n\nusers {\n}\n\nentity post {\n  title: text required\n  secret: text write-only\n  facts: json\n"
        "  read public\n  write owner\n  soft delete\n  slug from title\n  publish\n  live\n}\n"
    )
    report = proof(text, tmp_path / "s", toolchain, host)
    assert report.proven, report.summary()
    assert "live.hidden" in {e.id for e in report.evidence}


@pytest.mark.workerd
def test_a_row_that_comes_back_is_proven_to_be_created(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    report = proof(RESTORED, tmp_path / "s", toolchain, host)
    assert report.proven, report.summary()


@pytest.mark.workerd
def test_a_row_that_comes_back_as_changed_is_found(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    fault = Fault("restored rows are updated", "src/lib/live.ts", 'before === null || after?.["deleted_at"] === null ?', "before === null ?", "live.restored")
    expect_caught(RESTORED, tmp_path / "s", toolchain, host, fault)
