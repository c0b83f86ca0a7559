"""Requests have an id, are counted to the last, and leave no personal trace."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator

from clodo.blueprint.plan import Plan
from clodo.bricks.observability.brick import EDGES
from clodo.bricks.observability.language import Metrics, RequestLog
from clodo.proof.check import Check
from clodo.proof.client import Answer
from clodo.proof.session import Fault, Headers, Session, expect

_ID = "x-request-id"
_LINE = re.compile(r'(?P<name>[a-z_]+)\{(?P<labels>[a-z]+="(?:[^"\\\n]|\\.)*"(?:,[a-z]+="(?:[^"\\\n]|\\.)*")*)\} (?P<value>\d+(?:\.\d+)?)')
_AT_ONCE = 20
_COUNT = "http_requests_total"
_DURATION = "http_request_duration_seconds"
#: Name and labels of a line → its value.
Lines = dict[tuple[str, frozenset[tuple[str, str]]], float]


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan."""
    if plan.blueprint.parts_of(RequestLog):
        yield Check("observability.id", "every answer carries X-Request-Id, a new one for each request", _ids)
        yield Check("observability.id-given", "a plain id of the caller's is kept, any other is replaced", _given)
    if plan.blueprint.parts_of(Metrics):
        yield Check("observability.key", "metrics need the API key", _key)
        yield Check("observability.counts", "every request is counted by route and class of status", _counts, alone=True)
        yield Check("observability.histogram", "durations are a histogram as Prometheus reads it", _histogram, alone=True)
        yield Check("observability.private", "metrics hold patterns of routes, and nothing of the caller's", _private, alone=True)


async def _ids(s: Session) -> None:
    seen: set[str] = set()
    requests = [("GET", "/health"), ("GET", "/health"), ("GET", "/nowhere"), ("POST", "/health"), ("HEAD", "/docs")]
    requests += [("POST", s.path(e)) for e in s.blueprint.entities]
    for method, path in requests:
        answer = await s.client.send(method, path)
        id = answer.headers.get(_ID, "")
        if not re.fullmatch(r"[A-Za-z0-9_-]{8,64}", id) or id in seen:
            raise Fault(f"{_ID} is {id!r}", answer)
        seen.add(id)


async def _given(s: Session) -> None:
    for id in ("a", "0195f0c2-7d6e-7abc-8def-0123456789ab", "Z_9-" * 16):
        answer = expect(await s.client.send("GET", "/health", headers={_ID: id}), 200)
        if answer.headers.get(_ID) != id:
            raise Fault(f"the id {id!r} became {answer.headers.get(_ID)!r}", answer)
    for id in ("", "a" * 65, "a b", 'a","status":200', "<script>", "ann@example.com", "a\tb", "\u00e4", "${7*7}", "a%0d%0aset-cookie:b=c"):
        answer = expect(await s.client.send("GET", "/health", headers={_ID: id}), 200)
        if not re.fullmatch(r"[A-Za-z0-9_-]{8,64}", answer.headers.get(_ID, "")) or answer.headers[_ID] == id:
            raise Fault(f"the id {id!r} is not replaced", answer)


async def _key(s: Session) -> None:
    for headers in ({}, {"x-api-key": "wrong"}, {"x-api-key": ""}, {"authorization": "Bearer wrong"}):
        answer = expect(await s.client.send("GET", "/metrics", headers=headers), 401, "no good key")
        if _COUNT in answer.text:
            raise Fault("the refusal holds the metrics", answer)
    if s.blueprint.users is not None:
        user = (await s.account("admin")).headers
        expect(await s.client.send("GET", "/metrics", headers=user), 403, "a user is not the key")
    answer = await _page(s)
    if answer.headers.get("content-type", "").replace(" ", "").lower() != "text/plain;version=0.0.4;charset=utf-8":
        raise Fault("the content type is not that of Prometheus' text format", answer)


async def _page(s: Session) -> Answer:
    headers: Headers = {"x-api-key": s.secrets["API_KEY"]}
    return expect(await s.client.send("GET", "/metrics", headers=headers), 200)


async def _lines(s: Session) -> tuple[Lines, Answer]:
    answer, found = await _page(s), Lines()
    if not answer.text.endswith("\n"):
        raise Fault("the last line does not end", answer)
    for line in answer.text.splitlines():
        match = _LINE.fullmatch(line)
        if match is None:
            if not re.fullmatch(r"# (HELP|TYPE) [a-z_]+ .+", line):
                raise Fault(f"Prometheus cannot read the line {line!r}", answer)
            continue
        labels = frozenset(re.findall(r'([a-z]+)="((?:[^"\\]|\\.)*)"', match["labels"]))
        if (match["name"], labels) in found:
            raise Fault(f"there are two lines {match['name']} {match['labels']}", answer)
        found[match["name"], labels] = float(match["value"])
    return found, answer


def _labels(**labels: str) -> frozenset[tuple[str, str]]:
    return frozenset(labels.items())


async def _counts(s: Session) -> None:
    before, _ = await _lines(s)
    await asyncio.gather(*(s.client.send("GET", "/health") for _ in range(_AT_ONCE)))
    await s.client.send("POST", "/health")
    after, answer = await _lines(s)
    for labels, wanted in (
        (_labels(method="GET", route="/health", status="2xx"), _AT_ONCE),
        (_labels(method="POST", route="/health", status="4xx"), 1),
        (_labels(method="GET", route="/metrics", status="2xx"), 1),
    ):
        counted = after.get((_COUNT, labels), 0) - before.get((_COUNT, labels), 0)
        if counted != wanted:
            raise Fault(f"of {wanted} requests {counted:g} are counted as {sorted(labels)}", answer)


async def _histogram(s: Session) -> None:
    await s.client.send("GET", "/health")
    lines, answer = await _lines(s)
    key = {"method": "GET", "route": "/health"}
    total = sum(v for (name, labels), v in lines.items() if name == _COUNT and labels >= _labels(**key))
    edges = [*(f"{edge / 1000:g}" for edge in EDGES), "+Inf"]
    buckets = [lines.get((f"{_DURATION}_bucket", _labels(**key, le=edge)), -1.0) for edge in edges]
    if buckets != sorted(buckets) or buckets[0] < 0 or buckets[-1] != total:
        raise Fault(f"the buckets {buckets} do not grow to {total:g}", answer)
    seconds = lines.get((f"{_DURATION}_sum", _labels(**key)), -1.0)
    # As much as the upper edges admit, and no less than the lower ones.
    least = sum((n - m) * low for m, n, low in zip(buckets, buckets[1:], (e / 1000 for e in EDGES), strict=False))
    if lines.get((f"{_DURATION}_count", _labels(**key))) != total or seconds < least:
        raise Fault(f"{_DURATION}_sum is {seconds:g} s, or its count is not {total:g}", answer)


async def _private(s: Session) -> None:
    before, _ = await _lines(s)
    mark = f"mark{s.number()}x"
    headers = {"user-agent": mark, "cf-connecting-ip": "203.0.113.99", "referer": f"https://{mark}.test"}
    paths = [f"/{mark}", f"/{mark}/{mark}?q={mark}", f"/health?{mark}={mark}", f"/openapi.json/{mark}"]
    paths += [f"{s.path(e, mark)}?q={mark}" for e in s.blueprint.entities]
    for path in paths:
        await s.client.send("GET", path, headers=headers)
    after, answer = await _lines(s)
    stored = str(await s.query('SELECT * FROM "request-metric"'))
    for text in (mark, "203.0.113.99"):
        if text in answer.text or text in stored:
            raise Fault(f"{text!r} of a request is kept", answer)
    routes = {dict(labels)["route"] for _, labels in set(after) - set(before)} - {"unmatched", "/health", "/docs", "/openapi.json"}
    if any(not route.startswith(("/api/", "/metrics")) for route in routes):
        raise Fault(f"paths that callers make up become routes: {sorted(routes)}", answer)
    for e in s.blueprint.entities:
        if (_COUNT, _labels(method="GET", route=s.path(e, ":id"), status="4xx")) not in after:
            raise Fault(f"requests for a row of {e.name} are not counted by the pattern of the route", answer)
