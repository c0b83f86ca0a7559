"""Idempotency keys: the language, faults that the checks must find, and many requests at once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from clodo.blueprint import check, format_blueprint, parse
from clodo.blueprint.plan import make_plan
from clodo.blueprint.problems import InvalidBlueprint
from clodo.bricks.idempotency.brick import BRICK, keyed
from clodo.bricks.idempotency.checks import checks
from clodo.bricks.idempotency.language import IdempotencyKeys
from clodo.bricks.registry import service_tree
from clodo.proof.client import Client
from clodo.proof.host import Host
from clodo.proof.verify import PROOF_SECRETS
from clodo.toolchain import Toolchain
from tests.bricks.proving import Fault, checks_of, example_of, expect_caught, made, proof

EXAMPLE = example_of("idempotency")
OPEN = "service notes\n\nentity note {\n  text: text required\n}\n\nidempotency keys\n"
LIB = "src/lib/idempotency.ts"


def test_the_line() -> None:
    blueprint = parse(OPEN)
    assert blueprint.parts == (IdempotencyKeys(),)
    assert format_blueprint(blueprint) == OPEN
    assert BRICK.applies(make_plan(blueprint))
    assert check(parse(EXAMPLE)) == ()


def test_a_service_without_rows_has_no_use_for_it() -> None:
    with pytest.raises(InvalidBlueprint) as caught:
        parse("service s\ntype generic\n\nidempotency keys\n")
    [problem] = caught.value.problems
    assert "no entity" in problem.message and problem.suggestion and problem.line == 4


def test_said_twice() -> None:
    with pytest.raises(InvalidBlueprint, match="said twice"):
        parse(OPEN + "\nidempotency keys\n")


def test_the_words_are_free_elsewhere() -> None:
    text = "service keys\n\nentity idempotency {\n  keys: text required\n  search keys\n}\n"
    assert format_blueprint(parse(text)) == text


def test_the_document_tells_of_the_header_where_it_is_heard() -> None:
    document = json.loads(service_tree(parse(EXAMPLE), EXAMPLE)["openapi.json"])
    assert len(list(keyed(document))) == 5  # two entities, and the payments of an account
    told = [(path, method) for path, item in document["paths"].items() for method, o in item.items() if method != "parameters"
            if any(p["name"] == "Idempotency-Key" for p in o.get("parameters", []))]  # fmt: skip
    assert ("/api/payments", "post") in told and ("/api/auth/login", "post") not in told and len(told) == 5


FAULTS = (
    Fault("another body gets the answer", LIB, "if (entry.fingerprint !== fingerprint)", "if (entry.fingerprint === '')", "idempotency.another"),
    Fault("the body is no part of the request", LIB, 'crypto.subtle.digest("SHA-256", all)', 'crypto.subtle.digest("SHA-256", start)', "idempotency.another"),
    Fault("a key can be taken twice", LIB, 'WHERE "at" < ? OR (', 'WHERE "at" > 0 OR "at" < ? OR (', "idempotency.at-once|idempotency.again"),
    Fault("a key in use can be taken", LIB, 'WHERE "at" < ? OR ("status" IS NULL AND "done" = 0 AND "at" < ?)', 'WHERE "at" < ? OR ("status" IS NULL AND ? > 0)', "idempotency.at-once|idempotency.kept"),
    Fault("refusals burn their key", LIB, "if (answer.status >= 400)", "if (answer.status >= 600)", "idempotency.refused"),
    Fault("one set of keys for all", LIB, "return `user ${user.id}${", "return `user ${", "idempotency.caller"),
    Fault("keys are kept for two days", LIB, "const KEPT_MS = 24 *", "const KEPT_MS = 48 *", "idempotency.kept"),
    Fault("keys are kept for an hour", LIB, "const KEPT_MS = 24 *", "const KEPT_MS = 1 *", "idempotency.kept"),
    Fault("a lost answer is carried out again", LIB, "claim === undefined || claim.noted", "claim === undefined || claim.id !== ''", "idempotency.kept"),
    Fault("a dead request holds its key", LIB, "const ABANDONED_MS = 60 *", "const ABANDONED_MS = 60000 *", "idempotency.kept"),
    Fault("any text is a key", LIB, "if (/^[!-~]{1,255}$/.test(key)) return key;", "return key;", "idempotency.key"),
    Fault("the answer does not say what it is", LIB, 'headers.set("idempotent-replayed", "true");', "", "idempotency.again"),
    Fault("only creations are heard", LIB, ' && c.req.method !== "PATCH"', "", "idempotency.change"),
    Fault("the Location is lost", LIB, '["content-type", "location", "etag"]', '["content-type"]', "idempotency.again"),
)  # fmt: skip


@pytest.mark.workerd
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name.replace(" ", "-"))
def test_a_fault_is_caught(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(EXAMPLE, tmp_path / "s", toolchain, host, fault, checks=checks)


#: Whose answers hold secrets.
SECRETS = """service tills
read user
write user

users {
}

entity shop {
  name: text required
}

entity sale {
  total: integer required
}

tenants shop
webhook ledger on sale created
idempotency keys
"""
SECRET_FAULTS = (
    Fault("secrets are kept", LIB, "const isSecret = isToldOnce(c);", "const isSecret = false;", "idempotency.secret"),
    Fault("a secret is kept that is not answered again", LIB, "isSecret ? null : JSON.stringify(headers), body", "isSecret ? null : JSON.stringify(headers), await c.res.clone().text()", "idempotency.secret"),
    Fault("an invitation is no secret", "src/lib/members.ts", "return tellOnce(c, { ...row, token });", "return c.json({ ...row, token }, 201);", "idempotency.secret"),
    Fault("a subscription is no secret", "src/lib/webhooks.ts", "return tellOnce(c, stored, {", "return c.json(stored, 201, {", "idempotency.secret"),
)  # fmt: skip


@pytest.mark.workerd
@pytest.mark.parametrize("fault", SECRET_FAULTS, ids=lambda f: f.name.replace(" ", "-"))
def test_a_secret_that_is_kept_is_found(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(SECRETS, tmp_path / "s", toolchain, host, fault, checks=checks_of("idempotency"))


@pytest.mark.workerd
def test_secrets_that_are_told_once_are_proven(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    report = proof(SECRETS, tmp_path / "s", toolchain, host, types=True)
    assert report.proven, report.summary()


def _served(source: str, folder: Path, host: Host, run: Callable[[Client], Awaitable[Any]]) -> None:
    url = host.serve(made(source, folder), bindings=PROOF_SECRETS).url

    async def inside() -> None:
        client = Client(url)
        await run(client)
        await client.close()

    try:
        asyncio.run(inside())
    finally:
        host.reset()


@pytest.mark.workerd
def test_fifty_requests_at_once_make_one_row(tmp_path: Path, host: Host) -> None:
    async def fifty(client: Client) -> None:
        headers = {"idempotency-key": "one"}
        answers = await asyncio.gather(*(client.send("POST", "/api/notes", {"text": "a"}, headers=headers) for _ in range(50)))
        assert {a.status for a in answers} <= {201, 409}
        assert len({a.body["id"] for a in answers if a.status == 201}) == 1
        assert sum("idempotent-replayed" not in a.headers for a in answers if a.status == 201) == 1
        page = await client.send("GET", "/api/notes")
        assert len(page.body["items"]) == 1

    _served(OPEN, tmp_path / "s", host, fifty)


@pytest.mark.workerd
def test_a_caller_that_goes_away_finds_the_answer_later(tmp_path: Path, host: Host) -> None:
    async def leaving(client: Client) -> None:
        body = b'{"text": "a"}'
        for i in range(8):
            reader, writer = await asyncio.open_connection(*client.address)
            head = f"POST /api/notes HTTP/1.1\r\nhost: {':'.join(map(str, client.address))}\r\nidempotency-key: k{i}\r\ncontent-type: application/json\r\n"
            writer.write(head.encode() + b"content-length: %d\r\n\r\n" % len(body) + body)
            await writer.drain()
            await asyncio.sleep(0.002 * i)
            writer.close()
        for i in range(8):
            headers = {"idempotency-key": f"k{i}", "content-type": "application/json"}
            for _ in range(100):
                answer = await client.send("POST", "/api/notes", content=body, headers=headers)
                if answer.status == 201:
                    break
                await asyncio.sleep(0.05)
            assert answer.status == 201, answer.text
        assert len((await client.send("GET", "/api/notes")).body["items"]) == 8

    _served(OPEN, tmp_path / "s", host, leaving)


@pytest.mark.workerd
def test_a_request_whose_key_was_taken_over_stores_nothing(tmp_path: Path, host: Host) -> None:
    """The first request is held up until its key is free for another; both are to store one row together."""
    folder = made(OPEN, tmp_path / "s", Fault("", LIB, "const ABANDONED_MS = 60 * 1000;", "const ABANDONED_MS = 100;", ""))
    rows = folder / "src" / "lib" / "rows.ts"
    head = "const stored = (await carryOut(c, change, statement)"
    text = rows.read_text("utf-8")
    assert head in text
    rows.write_text(text.replace(head, f'await scheduler.wait(Number(c.req.header("x-slow") ?? "0"));\n  {head}'), "utf-8")
    url = host.serve(folder, bindings=PROOF_SECRETS).url

    async def run() -> None:
        client = Client(url)

        async def sent(slow: str, after: float) -> Any:
            await asyncio.sleep(after)
            return await client.send("POST", "/api/notes", {"text": "a"}, headers={"idempotency-key": "one", "x-slow": slow})

        first, second = await asyncio.gather(sent("6000", 0), sent("0", 2))
        assert (first.status, second.status) == (409, 201)
        assert "carried out in its place" in first.body["detail"]
        page = await client.send("GET", "/api/notes")
        assert [row["id"] for row in page.body["items"]] == [second.body["id"]]
        again = await sent("0", 0)
        assert (again.status, again.body, again.headers["idempotent-replayed"]) == (201, second.body, "true")
        await client.close()

    try:
        asyncio.run(run())
    finally:
        host.reset()
