"""Pages of the listed origins can read answers, those of others cannot."""

from __future__ import annotations

from collections.abc import Iterator

from clodo.blueprint.plan import Plan
from clodo.bricks.cors.language import Cors, cookie_origins, covers
from clodo.proof.check import Check
from clodo.proof.client import Answer
from clodo.proof.session import Fault, Session, expect

_ALLOWED = "access-control-allow-origin"
_CREDENTIALS = "access-control-allow-credentials"
_EXPOSED = ("location", "etag", "retry-after", "x-request-id")
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_STRANGER = "https://evil.test"


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan."""
    yield Check("cors.preflight", "a preflight of a listed origin is granted on every path, without a credential", _preflight)
    yield Check("cors.origin", "pages of the listed origins can read every answer, errors too", _listed)
    yield Check("cors.stranger", "no other origin is let in, however alike", _strangers)
    yield Check("cors.vary", "what depends on the origin says so", _vary)
    yield Check("cors.credentials", "cookies go along only from origins that may use them", _credentials)
    yield Check("cors.method", "OPTIONS that is no preflight is 405, as other wrong methods are", _method)


def _cors(s: Session) -> Cors:
    [cors] = s.blueprint.parts_of(Cors)
    return cors


def _origins(s: Session) -> list[str]:
    """Origins for each that is listed; a stranger's where all are let in."""
    listed = _cors(s).origins
    return [o.replace("*", host) for o in listed for host in (("a", "b.c-1") if "*" in o else ("",))] or [_STRANGER]


def _paths(s: Session) -> list[str]:
    return ["/health", "/nowhere", *(s.path(e, id) for e in s.blueprint.entities for id in ("", "1"))]


async def _ask(s: Session, origin: str, path: str, method: str = "PATCH") -> Answer:
    headers = {"origin": origin, "access-control-request-method": method, "access-control-request-headers": "content-type, authorization"}
    return expect(await s.client.send("OPTIONS", path, headers=headers), 204, "a preflight")


def _names(answer: Answer, header: str) -> set[str]:
    return {name.strip().lower() for name in answer.headers.get(header, "").split(",")} - {""}


def _expect_granted(s: Session, answer: Answer, origin: str) -> None:
    exact = bool(_cors(s).origins) or origin in cookie_origins(s.blueprint)
    wanted = origin if exact else "*"
    if answer.headers.get(_ALLOWED) != wanted:
        raise Fault(f"for {origin} {_ALLOWED} is {answer.headers.get(_ALLOWED)!r}, not {wanted!r}", answer)


async def _preflight(s: Session) -> None:
    origins = _origins(s)
    for i, path in enumerate(_paths(s)):
        origin = origins[i % len(origins)]
        answer = await _ask(s, origin, path)
        _expect_granted(s, answer, origin)
        if not {m.lower() for m in _METHODS} <= _names(answer, "access-control-allow-methods"):
            raise Fault(f"the preflight does not grant {', '.join(_METHODS)}", answer)
        if not {"authorization", "content-type", "x-api-key"} <= _names(answer, "access-control-allow-headers"):
            raise Fault("the preflight does not grant the headers that requests need", answer)
        age = answer.headers.get("access-control-max-age", "")
        if not age.isdecimal() or not 0 < int(age) <= 24 * 60 * 60:
            raise Fault(f"the preflight is good for {age!r} seconds", answer)


async def _listed(s: Session) -> None:
    for origin in _origins(s):
        for path, status in (("/health", 200), ("/nowhere", 404)):
            answer = expect(await s.client.send("GET", path, headers={"origin": origin}), status)
            _expect_granted(s, answer, origin)
            missing = set(_EXPOSED) - _names(answer, "access-control-expose-headers")
            if missing:
                raise Fault(f"pages cannot read {', '.join(sorted(missing))}", answer)


def _alike(s: Session) -> list[str]:
    """Origins that are none of those listed, and look like them."""
    found = ["null", _STRANGER, "https://", "*"]
    for listed in _cors(s).origins:
        scheme, _, host = listed.partition("://")
        plain = host.removeprefix("*.").split(":")[0]
        found += [
            f"{scheme}://{host.replace('*', 'abc')}.evil.test", f"{scheme}://{host.replace('*', 'abc')}:4321",
            f"{scheme}://evil{plain}", f"{scheme}://{plain}.evil.test", f"{scheme}://evil.test/.{plain}",
            f"{scheme}://evil.test#.{plain}", f"{scheme}://evil.test?.{plain}", f"{scheme}://a@evil.test:.{plain}",
            f"{scheme}://{plain.replace('.', 'x')}", f"{'http' if scheme == 'https' else 'https'}://{host.replace('*', 'abc')}",
            f"{scheme}://{plain}/", f"{scheme}://.{plain}",
        ]  # fmt: skip
        found += [f"{scheme}://sub.{plain}"] if "*" not in host else [f"{scheme}://{plain}", f"{scheme}://a..{plain}"]
    return [o for o in dict.fromkeys(found) if not any(covers(listed, o) for listed in _cors(s).origins)]


async def _strangers(s: Session) -> None:
    if not _cors(s).origins:
        return
    for origin in _alike(s):
        asked = await _ask(s, origin, "/health")
        read = expect(await s.client.send("GET", "/health", headers={"origin": origin}), 200)
        for answer in (asked, read):
            if _ALLOWED in answer.headers or _CREDENTIALS in answer.headers:
                raise Fault(f"{origin} is let in", answer)


async def _vary(s: Session) -> None:
    if not _cors(s).origins:
        return
    for origin in (_origins(s)[0], _STRANGER, ""):
        for path in ("/health", "/nowhere"):
            answer = await s.client.send("GET", path, headers={"origin": origin} if origin else {})
            if "origin" not in _names(answer, "vary"):
                raise Fault("the answer does not say Vary: Origin", answer)
            if not origin and _ALLOWED in answer.headers:
                raise Fault("an answer to no page names an origin", answer)
    if "origin" not in _names(await _ask(s, _STRANGER, "/health"), "vary"):
        raise Fault("the preflight does not say Vary: Origin")


async def _credentials(s: Session) -> None:
    trusted = cookie_origins(s.blueprint)
    for origin in dict.fromkeys((*trusted, *_origins(s))):
        wanted = "true" if origin in trusted else None
        for answer in (await _ask(s, origin, "/health"), await s.client.send("GET", "/health", headers={"origin": origin})):
            if answer.headers.get(_CREDENTIALS) != wanted:
                raise Fault(f"for {origin} {_CREDENTIALS} is {answer.headers.get(_CREDENTIALS)!r}, not {wanted!r}", answer)
            if wanted and answer.headers.get(_ALLOWED) != origin:
                raise Fault(f"{_ALLOWED} is not {origin}, which cookies need", answer)


async def _method(s: Session) -> None:
    origin = _origins(s)[0]
    for method, headers in (
        ("OPTIONS", {}), ("OPTIONS", {"origin": origin}), ("OPTIONS", {"access-control-request-method": "GET"}),
        ("POST", {"origin": origin, "access-control-request-method": "GET"}),
    ):  # fmt: skip
        answer = expect(await s.client.send(method, "/health", headers=headers), 405)
        if "GET" not in answer.headers.get("allow", ""):
            raise Fault("the 405 has no Allow header with GET", answer)
