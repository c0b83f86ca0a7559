"""The cache: the language, faults that the checks must find, and reads beside writes."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest

from clodo.blueprint import check, format_blueprint, parse
from clodo.blueprint.plan import make_plan
from clodo.blueprint.problems import InvalidBlueprint
from clodo.bricks.cache.brick import cached_paths
from clodo.bricks.cache.checks import checks
from clodo.bricks.cache.language import Cache
from clodo.proof.client import Client
from clodo.proof.host import Host
from clodo.proof.verify import PROOF_SECRETS
from clodo.toolchain import Toolchain
from tests.bricks.proving import Fault, example_of, expect_caught, made

EXAMPLE = example_of("cache")
PAGE = "service s\n\nentity page {\n  title: text required\n  LINES\n}\n"
LIB, SQL = "src/lib/cache.ts", "migrations/0001_init.sql"


@pytest.mark.parametrize(
    ("line", "value", "seconds"),
    [
        ("cache 60 seconds", Cache(Decimal(60)), 60),
        ("cache 1 minute", Cache(Decimal(1), "minute"), 60),
        ("cache 24 hours", Cache(Decimal(24), "hour"), 86_400),
    ],
)
def test_the_line(line: str, value: Cache, seconds: int) -> None:
    text = PAGE.replace("LINES", line)
    blueprint = parse(text)
    assert blueprint.entities[0].parts == (value,) and value.seconds == seconds
    assert format_blueprint(blueprint) == text


@pytest.mark.parametrize("line", ["cache 0 seconds", "cache 1.5 minutes", "cache -3 hours", "cache 25 hours"])
def test_a_time_that_is_none(line: str) -> None:
    with pytest.raises(InvalidBlueprint) as caught:
        parse(PAGE.replace("LINES", line))
    [problem] = caught.value.problems
    assert "cannot be kept for" in problem.message and problem.suggestion and problem.line == 5


def test_private_rows_are_not_cached() -> None:
    with pytest.raises(InvalidBlueprint, match="never kept in a cache"):
        parse("service s\nread key\nwrite key\n\nentity page {\n  title: text\n  cache 5 seconds\n}\n")


def test_the_words_are_free_elsewhere() -> None:
    text = "service cache\n\nentity cache {\n  cache: integer\n  seconds: text\n  search seconds\n}\n"
    assert format_blueprint(parse(text)) == text
    assert check(parse(EXAMPLE)) == ()


def test_paths_with_a_private_end_are_not_cached() -> None:
    text = (
        "service s\nread public\nwrite key\n\nentity room {\n  name: text\n  works: <-> work\n  read key\n}\n\n"
        "entity work {\n  title: text\n  room: -> room\n  cache 5 seconds\n}\n"
    )
    assert [cached.path for cached in cached_paths(make_plan(parse(text)))] == ["/api/works", "/api/works/{id}"]


def test_fields_of_other_rows_depend_on_their_tables() -> None:
    text = (
        "service s\n\nentity work {\n  title: text\n  loans: integer = count(loan where work = this)\n  cache 5 seconds\n}\n\n"
        "entity loan {\n  work: -> work required\n}\n"
    )
    assert {cached.tables for cached in cached_paths(make_plan(parse(text)))} == {("loan", "work")}


FAULTS = (
    Fault("changes leave the token", SQL, 'AFTER UPDATE ON "work"', 'AFTER UPDATE ON "work" WHEN 1 = 0', "cache.written"),
    Fault("deletions leave the token", SQL, 'AFTER DELETE ON "work"', 'AFTER DELETE ON "work" WHEN 1 = 0', "cache."),
    Fault("creations leave the token", SQL, 'AFTER INSERT ON "work"', 'AFTER INSERT ON "work" WHEN 1 = 0', "cache."),
    Fault("links leave the token", SQL, 'AFTER INSERT ON "work__themes"', 'AFTER INSERT ON "work__themes" WHEN 1 = 0', "cache.links"),
    Fault("answers only grow old", LIB, '"/_cache/${results.map(({ token }) => token).join("-")}"'.strip('"'), "/_cache/${results.length}", "cache.written"),
    Fault("children do not look at their parent", "src/index.ts", '/works", cached(60, ["room", "work"])', '/works", cached(60, ["work"])', "cache.children"),
    Fault("credentials are not looked at", LIB, "CREDENTIALS.some((name) => c.req.header(name) !== undefined)", "CREDENTIALS.length === 0", "cache.private"),
    Fault("cookies are no credential", LIB, '["Authorization", "Cookie", "X-API-Key"]', '["Authorization", "X-API-Key"]', "cache."),
    Fault("nothing is stored", LIB, "await store(address, seconds, text, etag);", "", "cache.served"),
    Fault("all questions have one answer", LIB, "${url.pathname}${url.search}", "${url.pathname}", "cache."),
    Fault("browsers keep it too", LIB, '"cache-control": "public, no-cache"', '"cache-control": "public, max-age=60"', "cache.served"),
    Fault("nothing varies", LIB, 'vary: CREDENTIALS.join(", ")', 'vary: "Accept"', "cache.served"),
    Fault("every ETag is the right one", LIB, "tag === etag", "tag !== ''", "cache.served"),
    Fault("no age", LIB, '"x-cache": "HIT", age: String(found.age)', '"x-cache": "HIT"', "cache.served"),
)  # fmt: skip


@pytest.mark.workerd
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name.replace(" ", "-"))
def test_a_fault_is_caught(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(EXAMPLE, tmp_path / "s", toolchain, host, fault, checks=checks)


@pytest.mark.workerd
def test_whoever_writes_reads_it_at_once(tmp_path: Path, host: Host) -> None:
    source = PAGE.replace("LINES", "size: integer\n  cache 1 hour")
    url = host.serve(made(source, tmp_path / "s"), bindings=PROOF_SECRETS).url
    try:
        asyncio.run(_beside(url))
    finally:
        host.reset()


async def _beside(url: str) -> None:
    client = Client(url)
    path = (await client.send("POST", "/api/pages", {"title": "a", "size": 0})).headers["location"]
    ended, hits = False, 0

    async def read() -> None:
        nonlocal hits
        last = 0
        while not ended:
            answer = await client.send("GET", path)
            hits += answer.headers["x-cache"] == "HIT"
            assert answer.body["size"] >= last
            last = answer.body["size"]

    readers = [asyncio.create_task(read()) for _ in range(6)]
    for i in range(1, 20):
        await client.send("PATCH", path, {"size": i})
        for answer in await asyncio.gather(*(client.send("GET", path) for _ in range(3))):
            assert answer.body["size"] == i
        page = await client.send("GET", "/api/pages?limit=1")
        assert page.body["items"][0]["size"] == i
    ended = True
    await asyncio.gather(*readers)
    assert hits > 0
    await client.close()


@pytest.mark.workerd
def test_answers_end_with_their_time(tmp_path: Path, host: Host) -> None:
    url = host.serve(made(PAGE.replace("LINES", "cache 1 second"), tmp_path / "s"), bindings=PROOF_SECRETS).url

    async def wait() -> None:
        client = Client(url)
        path = (await client.send("POST", "/api/pages", {"title": "a"})).headers["location"]
        kinds = []
        for _ in range(3):
            kinds.append((await client.send("GET", path)).headers["x-cache"])
        await asyncio.sleep(1.1)
        kinds.append((await client.send("GET", path)).headers["x-cache"])
        assert kinds[0] == kinds[-1] == "MISS" and "HIT" in kinds
        await client.close()

    try:
        asyncio.run(wait())
    finally:
        host.reset()
