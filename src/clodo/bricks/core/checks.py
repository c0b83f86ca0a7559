"""Checks of what every service answers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from clodo.blueprint.plan import Plan
from clodo.proof.check import Check
from clodo.proof.session import Fault, Session, expect


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan."""
    yield Check("core.health", "GET /health answers ok", _health)
    yield Check("core.document", "/openapi.json is OpenAPI 3.1 and names every route", _document)
    yield Check("core.docs", "/docs is a page that asks no other host", _docs)
    yield Check("core.unknown-route", "an unknown path is 404", _unknown)
    yield Check("core.method", "a wrong method is 405 with Allow", _method)
    yield Check("core.headers", "answers of every kind carry the security headers", _headers)
    yield Check("core.head", "HEAD answers like GET, without a body", _head)


async def _health(s: Session) -> None:
    answer = expect(await s.client.send("GET", "/health"), 200)
    if answer.body != {"status": "ok"}:
        raise Fault("the body is not {'status': 'ok'}", answer)


async def _headers(s: Session) -> None:
    wanted = {"x-content-type-options": "nosniff", "referrer-policy": "no-referrer", "cache-control": "no-store"}
    for method, path in (("GET", "/health"), ("GET", "/docs"), ("GET", "/nowhere"), ("POST", "/health")):
        answer = await s.client.send(method, path)
        for name, value in wanted.items():
            if answer.headers.get(name) != value:
                raise Fault(f"the header {name} is not {value!r}", answer)


async def _document(s: Session) -> None:
    answer = expect(await s.client.send("GET", "/openapi.json"), 200)
    if not str(answer.body.get("openapi", "")).startswith("3.1"):
        raise Fault("it is not OpenAPI 3.1", answer)
    wanted = [s.path(e) for e in s.blueprint.entities]
    missing = [p for p in wanted if p not in answer.body["paths"]]
    if missing:
        raise Fault(f"the document lacks {', '.join(missing)}", answer)


async def _docs(s: Session) -> None:
    answer = expect(await s.client.send("GET", "/docs"), 200)
    foreign = re.findall(r"""(?:src|href|url\()\s*=?\s*["']?(https?:)?//[^"' )]+""", answer.text)
    if foreign or "<html" not in answer.text:
        raise Fault("the page refers to another host, or is no page", answer)
    policy = answer.headers.get("content-security-policy", "")
    if "default-src 'none'" not in policy:
        raise Fault("the page has no strict content security policy", answer)


async def _unknown(s: Session) -> None:
    for path in ("/nowhere", "/api/nowhere", "/api/nowhere/1"):
        answer = expect(await s.client.send("GET", path), 404)
        if answer.headers.get("content-type", "").split(";")[0] != "application/problem+json":
            raise Fault("the 404 is not application/problem+json", answer)


async def _method(s: Session) -> None:
    targets = [("POST", "/health")]
    for e in s.blueprint.entities:
        targets += [("DELETE", s.path(e)), ("POST", s.path(e, "x"))]
    for method, path in targets:
        answer = expect(await s.client.send(method, path), 405)
        if "GET" not in answer.headers.get("allow", ""):
            raise Fault("the 405 has no Allow header with GET", answer)


async def _head(s: Session) -> None:
    answer = expect(await s.client.send("HEAD", "/health"), 200)
    if answer.text:
        raise Fault("HEAD answered with a body", answer)
