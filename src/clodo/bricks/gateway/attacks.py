"""Attacks on a gateway: paths that two servers read differently, and bodies without end."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Who
from clodo.bricks.gateway.bench import Bench, Reply
from clodo.bricks.gateway.brick import body_bytes
from clodo.bricks.gateway.probing import WITH_BODY, Probe, behind, needs_credentials, place, sparing
from clodo.bricks.gateway.values import Route
from clodo.proof.session import Fault, expect

Run = Callable[[Probe], Awaitable[None]]

#: Larger bodies would make a proof slow.
_MOST_SENT = 4 * 1024 * 1024
#: Never passed on, whatever else the runtime makes of them.
_REFUSED = ("/..%2Fx", "/%2e%2e%2fx", "/a//b", "//a", "/a%5C..%5Cb", "/..;/x", "/.;a/x", "/a%00b", "/%252e%252e/x", "/a%252Fb", "/a%2", "/a%0d%0aX-Evil:%201")
#: Plain paths to every reader once the dots are resolved; they must not lead out of the route.
_CLIMBING = ("/../../../etc/passwd", "/%2e%2e/%2E%2E/%2e%2e/etc/passwd", "/./%2e/../../../x")

#: A place on the host that is asked, as every browser reads it.
_OWN_PLACE = re.compile(r"/(?![/\\])")


def attack_checks(plan: Plan) -> Iterator[tuple[str, str, Run]]:
    """Id without the brick's name, rule, and what to do."""
    routes = plan.blueprint.parts_of(Route)
    for r in routes:
        if sparing(r):
            continue
        if r.below:
            yield "paths", f"no trick with the path of {r.path} gets out of it", partial(_paths, r=r)
        yield "spelling", f"what callers of {r.path} may not say of themselves they do not say with underscores", partial(_spelling, r=r)
        yield "location", f"no place on {r.upstream} that {r.name} tells of is another host", partial(_location, r=r)
        yield "target", f"{r.name} leads to {r.upstream}, whatever host a request names", partial(_target, r=r)
        method = next((m for m in r.all_methods if m in WITH_BODY), None)
        if method is not None and body_bytes(r) <= _MOST_SENT:
            yield "body", f"{method} {r.path} takes {body_bytes(r):,} bytes and no more", partial(_body, r=r, method=method)
        for inner in routes:
            if r.below and inner is not r and inner.prefix.startswith(f"{r.prefix}/") and _stricter(inner, r) and _answers(inner, r, routes):
                yield "disguise", f"{inner.path} is not reached as {r.path} under another spelling", partial(_disguise, outer=r, inner=inner)


def _stricter(inner: Route, outer: Route) -> bool:
    return needs_credentials(inner) and (inner.access != outer.access) and outer.access.who in (Who.PUBLIC, Who.KEY, Who.USER)


def _answers(inner: Route, outer: Route, routes: Sequence[Route]) -> bool:
    """Whether no other route for the path of the inner one answers the method by which it would be reached."""
    method = _method(inner, outer)
    return method in inner.all_methods or not any(r.path == inner.path and method in r.all_methods for r in routes)


def _method(inner: Route, outer: Route) -> str:
    return next((m for m in outer.all_methods if m in inner.all_methods), outer.all_methods[0])


async def _paths(p: Probe, r: Route) -> None:
    for tail in _REFUSED:
        number = p.bench.number()
        answer = await p.send(r, number, tail=tail)
        p.unseen(number, answer)
        expect(answer, 400, f"the path ends in {tail}")
    for tail in _CLIMBING:
        number = p.bench.number()
        answer = await p.session.client.send(
            r.all_methods[0], f"{r.prefix}{tail}?proof={number}", headers={**p.address(), **await p.credentials(r)}
        )
        for seen in p.bench.seen[number]:
            if r.prefix or ".." in seen.path or "%2e" in seen.path.lower():
                raise Fault(f"the upstream was asked for {seen.path}", answer)


async def _spelling(p: Probe, r: Route) -> None:
    names = ["X_User_Id", "X_User_Role", "x_forwarded_for", "X_Forwarded-Host", "X_Real_IP", "X_Api_Key", "X_Request_Id", "X_HTTP_Method_Override", "X_Original_URL"]
    names += [h.name.replace("-", "_") for h in r.set] + [n.replace("-", "_") for n in r.remove]
    lie = "of-the-caller"
    answer, seen = await p.passed(r, headers={name: lie for name in names if "_" in name})
    expect(answer, 200)
    if told := [name for name, value in seen.headers.items() if "_" in name and value == lie]:
        raise Fault(f"the upstream is told {', '.join(sorted(told))} of the caller's, which it may read with hyphens", answer)


async def _location(p: Probe, r: Route) -> None:
    base = Bench.base(r.upstream)
    for path in ("//elsewhere.example/", "/\\elsewhere.example/", "///elsewhere.example/x?y=2", "/.//elsewhere.example/", "/x/..//elsewhere.example/", ""):
        for location in (f"{p.bench.url}{base}{path}", f"{base}{path}"):
            answer, _ = await p.passed(r, Reply(302, (("location", location),), b""))
            told = expect(answer, 302, "as the upstream says").headers.get("location", "")
            if not _OWN_PLACE.match(told):
                raise Fault(f"{location}, a place on the upstream, is told as {told!r}, which leads to another host or nowhere", answer)


async def _target(p: Probe, r: Route) -> None:
    given = "".join(f"{name}: {value}\r\n" for name, value in {**p.address(), **await p.credentials(r)}.items())
    host, port = p.session.client.address
    for target, name in ((f"http://elsewhere.example{place(r)}", f"{host}:{port}"), (place(r), "elsewhere.example"), (f"http://elsewhere.example:1{place(r)}", "elsewhere.example:1")):
        number = p.bench.number()
        head = f"{r.all_methods[0]} {target}?proof={number} HTTP/1.1\r\nhost: {name}\r\n{given}content-length: 0\r\nconnection: close\r\n\r\n"
        status, text = await p.raw(head.encode("latin-1"))
        seen = p.bench.seen[number]
        if any(one.path != behind(r, place(r)) for one in seen) or (status == 200) != bool(seen):
            raise Fault(f"{target} with the host {name} was answered {text.splitlines()[0]!r}")


async def _body(p: Probe, r: Route, method: str) -> None:
    most = body_bytes(r)
    answer, seen = await p.passed(r, method=method, content=b"a" * most)
    if expect(answer, 200).status and len(seen.body) != most:
        raise Fault("the upstream got another body", answer)
    number = p.bench.number()
    expect(await p.send(r, number, method=method, content=b"a" * (most + 1)), 413, "one byte too many")
    p.unseen(number, answer)
    # Without a length in its head a body is found out while it comes.
    given = "".join(f"{name}: {value}\r\n" for name, value in {**p.address(), **await p.credentials(r)}.items())
    head = f"{method} {place(r)}?proof={number} HTTP/1.1\r\nhost: gateway\r\n{given}transfer-encoding: chunked\r\nconnection: close\r\n\r\n"
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(c), c) for c in _chunks(most + 1))
    status, _ = await p.raw(head.encode("latin-1") + chunks + b"0\r\n\r\n")
    if status != 413 or any(len(one.body) > most for one in p.bench.seen[number]):
        raise Fault(f"a body in chunks that is too large was answered {status}", answer)


def _chunks(size: int) -> Iterator[bytes]:
    while size > 0:
        yield b"a" * min(size, 65536)
        size -= 65536


async def _disguise(p: Probe, outer: Route, inner: Route) -> None:
    first, _, rest = inner.prefix.removeprefix(f"{outer.prefix}/").partition("/")
    end = f"/{rest}" if rest else ""
    end += "/proof-place" if inner.below else ""
    spelled = (f"%{ord(first[0]):02x}{first[1:]}", first.upper(), f"{first};a=1", f"{first}%3Ba", f"./{first}", f"x/../{first}", f"/{first}", f"%2e/{first}")
    for segment in spelled:
        if segment == first:
            continue
        number = p.bench.number()
        method = _method(inner, outer)
        headers = {**p.address(), **(await p.session.headers(outer.access, user="plain"))}
        answer = await p.session.client.send(method, f"{outer.prefix}/{segment}{end}?proof={number}", headers=headers)
        p.unseen(number, answer)
