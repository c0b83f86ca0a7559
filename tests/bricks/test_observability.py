"""The brick ``observability``."""

from __future__ import annotations

import asyncio
import json
import queue
import re
from pathlib import Path
from typing import Any

import pytest

from clodo.blueprint import InvalidBlueprint, format_blueprint, parse
from clodo.blueprint.plan import make_plan
from clodo.bricks.observability.brick import EDGES
from clodo.bricks.observability.language import Metrics, RequestLog
from clodo.bricks.registry import service_secrets, service_tree
from clodo.proof.client import Client
from clodo.proof.host import Host
from clodo.proof.verify import PROOF_SECRETS
from clodo.toolchain import Toolchain
from tests.bricks.proving import Fault, example_of, expect_caught, made, proof

EXAMPLE = example_of("observability")
SMALL = "service notes\n\nentity note {{\n  metrics: text\n  log: text\n}}\n\n{}\n"
LOG = "src/lib/request-log.ts"
METRICS = "src/lib/metrics.ts"
OBSERVED = "src/lib/observed.ts"


# -- the language -----------------------------------------------------------------------------


def test_lines_are_read_and_written() -> None:
    blueprint = parse(SMALL.format("request log\n\nmetrics"))
    assert blueprint.parts == (RequestLog(), Metrics())
    assert parse(format_blueprint(blueprint)) == blueprint


@pytest.mark.parametrize(("lines", "words"), [("metrics\nmetrics", "metrics is said twice"), ("request log\nrequest log", "request log is said twice"), ("request", "ends too early")])  # fmt: skip
def test_what_makes_no_sense_is_refused(lines: str, words: str) -> None:
    with pytest.raises(InvalidBlueprint) as caught:
        parse(SMALL.format(lines))
    assert words in str(caught.value)


# -- the service ------------------------------------------------------------------------------


def test_metrics_need_the_key_though_no_rule_does() -> None:
    blueprint = parse(SMALL.format("metrics"))
    assert make_plan(blueprint).uses_key
    assert "API_KEY" in service_secrets(blueprint)
    assert service_secrets(parse(SMALL.format("request log"))) == ()


def test_the_log_alone_stores_nothing() -> None:
    text = SMALL.format("request log")
    tree = service_tree(parse(text), text)
    assert "request-metric" not in tree["migrations/0001_init.sql"]
    assert "metrics" not in tree["src/index.ts"]


def test_the_buckets_of_the_table_are_those_of_the_code() -> None:
    text = service_tree(parse(EXAMPLE), EXAMPLE)[METRICS]
    found = re.search(r"const EDGES = \[([^\]]*)\]", text)
    assert found is not None and tuple(map(int, found[1].split(","))) == EDGES


# -- in workerd -------------------------------------------------------------------------------

FAULTS = [
    Fault("any id is taken over", LOG, "PLAIN.test(given) ?", "given ?", "observability.id-given"),
    Fault("no id is taken over", LOG, "PLAIN.test(given) ? given :", "", "observability.id-given"),
    Fault("errors have no id", LOG, "if (c.res.status !== 101)", "if (c.res.status < 400)", "observability.id"),
    Fault("anybody reads the metrics", METRICS, '  await admit(c, "key");\n', "", "observability.key"),
    Fault("any user reads the metrics", METRICS, 'admit(c, "key")', 'admit(c, "public")', "observability.key"),
    Fault("paths become routes", OBSERVED, 'isEverything(route) ? "unmatched" : route', 'isEverything(route) ? c.req.path : route', "observability.private"),
    Fault("ids become routes", OBSERVED, 'isEverything(route) ? "unmatched" : route', 'isEverything(route) ? "unmatched" : c.req.path', "observability.private"),
    Fault("only the last request is kept", METRICS, "old === undefined ? series : sum(old, series));\n}\n\nconst", "series);\n}\n\nconst", "observability.counts"),
    Fault("rows are written over", METRICS, '`"${name}" = "${name}" + excluded."${name}"`', '`"${name}" = excluded."${name}"`', "observability.counts"),
    Fault("refusals are no requests", METRICS, "  await next();\n", "  await next();\n  if (c.res.status >= 400) return;\n", "observability.counts"),
    Fault("buckets do not add up", METRICS, "ms <= edge ? 1 : 0", "ms <= edge && edge < 50 ? 1 : 0", "observability.histogram"),
    Fault("milliseconds for seconds", METRICS, "${edge / 1000}", "${edge}", "observability.histogram"),
    Fault("another content type", METRICS, "text/plain; version=0.0.4; charset=utf-8", "text/html", "observability.key|core.openapi"),
]  # fmt: skip


@pytest.mark.workerd
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
def test_faults_are_caught(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(EXAMPLE, tmp_path / "s", toolchain, host, fault)


@pytest.mark.workerd
@pytest.mark.parametrize(
    "source",
    [
        SMALL.format("metrics\n\nlimit 1 per hour per key\n\nlimit 3 per minute per address\n\ncors any"),
        "service notes\nread user\nwrite role editor\n\nusers {\n  roles editor\n}\n\nentity note {\n  text: text\n}\n\nrequest log\n\nmetrics\n",
    ],
    ids=["limits", "users"],
)
def test_other_services_are_proven(source: str, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    report = proof(source, tmp_path / "s", toolchain, host, types=True)
    assert report.proven, report.summary()


WITH_USERS = (
    "service notes\nread public\nwrite key\n\nusers {\n}\n\nentity note {\n  text: text\n}\n\nrequest log\n\nlimit 90 per hour per address\n"
)
KEYS = {"id", "method", "route", "status", "ms", "caller"}


@pytest.mark.workerd
def test_each_request_is_one_line_without_a_personal_trace(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    served = host.serve(made(WITH_USERS, tmp_path / "s"), bindings={**PROOF_SECRETS, "LIMIT_SECRET": "a secret of this test"})
    _logged(host)

    async def requests() -> None:
        client = Client(served.url)
        key = {"x-api-key": PROOF_SECRETS["API_KEY"], "x-request-id": "mine-1"}
        await client.send("POST", "/api/notes?mark-query=1", {"text": "mark-body"}, headers=key)
        account = {"email": "mark-ann@example.com", "password": "mark-password"}
        session = (await client.send("POST", "/api/auth/register", account)).body
        token = {"authorization": f"Bearer {session['token']}"}
        await client.send("GET", "/api/notes/mark-id?mark=2", headers=token)
        await client.send("GET", "/mark-path/x", headers={"user-agent": "mark-agent", "cf-connecting-ip": "203.0.113.42"})
        await client.send("DELETE", "/health", headers={"x-request-id": 'a","status":200,"b":"'})
        await client.close()

    try:
        asyncio.run(requests())
        lines = _logged(host, 5)
    finally:
        host.reset()
    found = [json.loads(line) for line in lines]
    assert all(entry.keys() == KEYS and isinstance(entry["ms"], int) and entry["ms"] >= 0 for entry in found)
    assert [(e["method"], e["route"], e["status"], e["caller"]) for e in found] == [
        ("POST", "/api/notes", 201, "key"),
        ("POST", "/api/auth/register", 201, "anonymous"),
        ("GET", "/api/notes/:id", 404, "user"),
        ("GET", "unmatched", 404, "anonymous"),
        ("DELETE", "/health", 405, "anonymous"),
    ]
    assert found[0]["id"] == "mine-1" and len({e["id"] for e in found}) == len(found)
    for text in ("mark", "203.0.113.42", "eyJ", PROOF_SECRETS["API_KEY"]):
        assert text not in "".join(lines)


REPLAYED = "service notes\n\nentity note {\n  text: text\n  import ndjson\n}\n\nidempotency keys\n\nrequest log\n"


@pytest.mark.workerd
def test_an_answer_of_a_middleware_counts_for_the_route_that_would_have_answered(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    served = host.serve(made(REPLAYED, tmp_path / "s"), bindings=PROOF_SECRETS)
    _logged(host)

    async def requests() -> None:
        client = Client(served.url)
        headers = {"content-type": "application/x-ndjson", "idempotency-key": "once"}
        for _ in range(2):
            await client.send("POST", "/api/notes/import", content=b'{"text":"a"}', headers=headers)
        assert len((await client.send("GET", "/api/notes")).body["items"]) == 1
        await client.close()

    try:
        asyncio.run(requests())
        lines = _logged(host, 3)
    finally:
        host.reset()
    assert [json.loads(line)["route"] for line in lines] == ["/api/notes/import", "/api/notes/import", "/api/notes"]


def _logged(host: Host, wanted: int = 0) -> list[str]:
    """The lines of the service's log since the last time."""
    found: list[str] = []
    while True:
        try:
            line: Any = host._lines.get(timeout=10 if len(found) < wanted else 0.1)
        except queue.Empty:
            return found
        if line.startswith('{"id":"'):
            found.append(line)
