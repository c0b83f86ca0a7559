"""Checks of a gateway, against a server of the proof's own that stands behind it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Who
from clodo.bricks.gateway.attacks import attack_checks
from clodo.bricks.gateway.bench import FINE, Bench, Reply, problem
from clodo.bricks.gateway.failures import failure_checks
from clodo.bricks.gateway.probing import (
    WITH_BODY,
    Probe,
    behind,
    needs_credentials,
    place,
    routes_of,
    sparing,
)
from clodo.bricks.gateway.values import METHODS, Route, Upstream
from clodo.bricks.limits.policies import Policy, route_policies
from clodo.proof.check import Check
from clodo.proof.client import Answer
from clodo.proof.session import Account, Fault, Headers, Session, expect

Run = Callable[[Probe], Awaitable[None]]
_MOST_COUNTED = 120
#: As many requests as the check of a longer limit sends for one caller, which a limit by the minute must let pass.
_FEW = 10
#: For how many seconds an upstream lets an answer be kept: time enough to be asked twice.
_SHORT = 20
_BODY = b'{"name":"a proof","note":"\xc3\xa9"}'


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan. Those that use up a limit or break the server come last, one after the other."""
    bench = Bench()
    beside = partial(bench.running, plan.blueprint.parts_of(Upstream))
    for i, (id, rule, run) in enumerate(_calm(plan)):
        yield Check(f"gateway.{id}", rule, partial(_probed, bench, run), beside=beside if i == 0 else None)
    for id, rule, run in _rough(plan):
        yield Check(f"gateway.{id}", rule, partial(_probed, bench, run), alone=True)


async def _probed(bench: Bench, run: Run, session: Session) -> None:
    await run(Probe(session, bench))


def _rough(plan: Plan) -> Iterator[tuple[str, str, Run]]:
    for r in plan.blueprint.parts_of(Route):
        for policy in route_policies(r) if r.limit is None or r.limit.count >= _FEW else ():
            words = f"{r.name} has {policy.most:,} requests in {policy.seconds:,} s per {policy.per}, counted to the request"
            yield "count", words, partial(_count, r=r, policy=policy)
        if r.limit is not None and r.limit.count <= _MOST_COUNTED:
            yield "limit", f"{r.name} has {r.limit.count} requests per minute per {r.limit.per}", partial(_limit, r=r)
    yield from failure_checks(plan)


def _calm(plan: Plan) -> Iterator[tuple[str, str, Run]]:
    routes = plan.blueprint.parts_of(Route)
    for r in routes:
        yield "forward", f"{r.name} reaches {r.upstream}, whole and at the right place", partial(_forward, r=r)
        if needs_credentials(r):
            yield "access", f"{r.name} is for {r.access} alone", partial(_access, r=r)
        if sparing(r):
            continue
        yield "credentials", f"{r.name} keeps credentials to itself" if not r.credentials else f"{r.name} forwards credentials", partial(_credentials, r=r)
        yield "forwarded", f"{r.name} says who asks, and callers cannot", partial(_forwarded, r=r)
        yield "redirect", f"{r.name} passes redirects on and follows none", partial(_redirect, r=r)
        if r.set or r.remove or r.answer_set or r.answer_remove:
            yield "headers", f"{r.name} keeps its rules of headers", partial(_headers, r=r)
        if r.cache is not None:
            yield "cache", f"GET {r.path} is answered from the cache, where that is right", partial(_cache, r=r)
            yield "cache", f"GET {r.path} is kept no longer than {r.upstream} says", partial(_cache_time, r=r)
            if needs_credentials(r) and plan.blueprint.users is not None:
                yield "cache", f"what GET {r.path} keeps for one caller is given to no other", partial(_kept_apart, r=r)
    for path in dict.fromkeys(r.path for r in routes):
        yield "methods", f"{path} answers other methods with 405", partial(_methods, same=[r for r in routes if r.path == path])
        yield "unmatched", f"what lies beside {path} is 404", partial(_unmatched, plan=plan, path=path)
    yield from attack_checks(plan)


async def _forward(p: Probe, r: Route) -> None:
    methods = [r.all_methods[0]] if sparing(r) else [*r.all_methods, *(["HEAD"] if "GET" in r.all_methods else [])]
    for method in methods:
        tail = "/a%20b/c.json" if r.below else ""
        content = _BODY if method in WITH_BODY else None
        # As browsers ask for pages, which a site beside the routes would have for them.
        headers = {"content-type": "application/json", "accept-language": "pt", "accept": "text/html,*/*"}
        answer, seen = await p.passed(
            r, Reply(201, (("content-type", "application/json"), ("x-told", "yes"))), method=method, tail=tail, headers=headers, content=content, more="&q=a%2Fb&x=1+2"
        )
        expect(answer, 201, "as the upstream says")
        wanted = f"{behind(r, place(r, tail))}?"
        if seen.method != method or not seen.target.startswith(wanted) or not seen.target.endswith("&q=a%2Fb&x=1+2"):
            raise Fault(f"the upstream got {seen.method} {seen.target}", answer)
        if seen.body != (content or b"") or seen.headers.get("accept-language") != "pt":
            raise Fault("the upstream got another body or other headers", answer)
        if (method != "HEAD" and answer.body != {"fine": True}) or answer.headers.get("x-told") != "yes":
            raise Fault("the answer is not the upstream's", answer)
    if r.below and not sparing(r):
        number = p.bench.number()
        answer = await p.session.client.send(
            r.all_methods[0], f"{r.prefix or '/'}?proof={number}", headers={**p.address(), **await p.credentials(r)}, content=None
        )
        if p.only(number, answer).path != behind(r, r.prefix or "/"):
            raise Fault("the path itself leads to another place", answer)


async def _access(p: Probe, r: Route) -> None:
    wrong = [({}, 401), ({"authorization": "Bearer nonsense"}, 401), ({"x-api-key": "nonsense"}, 401)]
    if r.access.roles and "user" not in r.access.roles:
        wrong.append(((await p.session.account("plain")).headers, 403))
    for headers, status in wrong:
        for method in r.all_methods:
            number = p.bench.number()
            answer = await p.send(r, number, method=method, headers=headers, known=False)
            p.unseen(number, answer)
            expect(answer, status, "without the right credential")


async def _credentials(p: Probe, r: Route) -> None:
    given = await p.credentials(r)
    headers = {"authorization": "Basic cHJvb2Y6cHJvb2Y=", "x-api-key": "of-another-service", **given, "cookie": "session=proof", "proxy-authorization": "Basic x"}
    cookie = Reply(headers=(("content-type", "application/json"), ("set-cookie", "behind=1; Path=/")))
    answer, seen = await p.passed(r, cookie, headers=headers)
    expect(answer, 200)
    own = {h.name.lower() for h in r.set} | {n.lower() for n in r.remove}
    for name in ("authorization", "x-api-key", "cookie"):
        told = seen.headers.get(name)
        if name not in own and (told == headers[name]) != r.credentials:
            raise Fault(f"the upstream {'is told' if told else 'is not told'} the caller's {name}", answer)
    if "proxy-authorization" in seen.headers:
        raise Fault("the upstream is told what is for this hop alone", answer)
    if ("set-cookie" in answer.headers) != r.credentials:
        raise Fault("cookies of the upstream are not treated as credentials are", answer)


async def _forwarded(p: Probe, r: Route) -> None:
    lies = {"x-forwarded-for": "192.0.2.66", "x-forwarded-host": "evil.example", "x-forwarded-proto": "gopher", "forwarded": "for=192.0.2.66"}
    lies |= {"x-real-ip": "192.0.2.66", "x-user-id": "somebody", "x-user-role": "admin", "x-http-method-override": "DELETE", "x-original-url": "/admin"}
    hops = {"connection": "keep-alive, x-hop", "x-hop": "1", "keep-alive": "timeout=5", "te": "trailers"}
    address = p.address()
    answer, seen = await p.passed(r, headers={**lies, **hops, **address, "x-request-id": "proof-request-1"})
    host, port = p.session.client.address
    user = (await p.session.account("admin")).id if r.access.who.value in ("user", "role") else None
    wanted = {
        "x-forwarded-for": address["cf-connecting-ip"], "x-forwarded-host": f"{host}:{port}", "x-forwarded-proto": "http",
        "x-request-id": "proof-request-1", "x-user-id": user,
    }  # fmt: skip
    wanted |= dict.fromkeys(("forwarded", "x-real-ip", "x-hop", "keep-alive", "te", "x-http-method-override", "x-original-url", "cf-connecting-ip"))
    wanted |= {} if user else {"x-user-role": None}
    ruled = {h.name.lower() for h in r.set} | {n.lower() for n in r.remove}
    for name, value in wanted.items():
        if name not in ruled and seen.headers.get(name) != value:
            raise Fault(f"the upstream got {name}: {seen.headers.get(name)!r}, not {value!r}", answer)
    if seen.headers.get("host") != p.bench.url.removeprefix("http://"):
        raise Fault("the upstream got the gateway's name as its own", answer)
    if answer.headers.get("x-request-id") != "proof-request-1":
        raise Fault("the answer does not carry the number of the request", answer)
    answer, seen = await p.passed(r, headers={"x-request-id": 'forged" level=error'})
    if "forged" in seen.headers.get("x-request-id", "forged"):
        raise Fault("the number of a request may hold anything", answer)


async def _redirect(p: Probe, r: Route) -> None:
    there = "https://elsewhere.example/there?x=1"
    answer, _ = await p.passed(r, Reply(302, (("location", there),), b""))
    if expect(answer, 302, "as the upstream says").headers.get("location") != there:
        raise Fault("the redirect leads to another place", answer)
    if not r.below:
        return
    for location in (f"{p.bench.url}{behind(r, place(r))}/moved?y=2", f"{behind(r, place(r))}/moved?y=2"):
        answer, _ = await p.passed(r, Reply(307, (("location", location),), b""))
        if answer.headers.get("location") != f"{place(r)}/moved?y=2":
            raise Fault("a place on the upstream is not told as the one on the gateway", answer)


async def _headers(p: Probe, r: Route) -> None:
    lies = {h.name.lower(): "a lie" for h in r.set} | {name.lower(): "a lie" for name in r.remove}
    # What the rule asks for must stay, whatever is set behind it.
    lies |= await p.credentials(r)
    told = [("content-type", "application/json"), *((h.name, "other") for h in r.answer_set), *((name, "told") for name in r.answer_remove)]
    unique = {name.lower(): (name, value) for name, value in told}
    answer, seen = await p.passed(r, Reply(headers=tuple(unique.values())), headers=lies)
    for h in r.set:
        value = p.session.secrets.get(h.secret.upper(), "") if h.secret else h.value
        if seen.headers.get(h.name.lower()) != value:
            raise Fault(f"the upstream did not get {h.name} as the route sets it", answer)
    for name in {n.lower() for n in r.remove} - {h.name.lower() for h in r.set}:
        if name in seen.headers:
            raise Fault(f"the upstream got {name}", answer)
    for h in r.answer_set:
        if answer.headers.get(h.name.lower()) != h.value:
            raise Fault(f"the answer has not {h.name} as the route sets it", answer)
    for name in {n.lower() for n in r.answer_remove} - {h.name.lower() for h in r.answer_set}:
        if answer.headers.get(name) == "told":
            raise Fault(f"the answer has the upstream's {name}", answer)


async def _methods(p: Probe, same: list[Route]) -> None:
    allowed = [m for r in same for m in r.all_methods]
    other = next((m for m in (*METHODS, "OPTIONS") if m not in allowed), None)
    if other is None:
        return
    number = p.bench.number()
    answer = expect(await p.send(same[0], number, method=other, known=False), 405)
    p.unseen(number, answer)
    told = {m.strip() for m in answer.headers.get("allow", "").split(",")}
    if told - {"HEAD"} != set(allowed):
        raise Fault(f"Allow names {', '.join(sorted(told))}", answer)


async def _unmatched(p: Probe, plan: Plan, path: str) -> None:
    prefix = path.removesuffix("/*")
    for beside in (f"{prefix}-else", f"{prefix}-else/x", *([] if path.endswith("/*") else [f"{prefix}/below"])):
        if prefix and not routes_of(plan, beside):
            number = p.bench.number()
            p.unseen(number, expect(await p.session.client.send("GET", f"{beside}?proof={number}"), 404))


async def _cache(p: Probe, r: Route) -> None:
    number = p.bench.number()
    await _kept(p, r, number, {"if-none-match": '"x"', "range": "bytes=0-1"})
    asked = len(p.bench.seen[number])
    answer = expect(await p.send(r, number, method="GET"), 200)
    if len(p.bench.seen[number]) != asked or answer.body != {"fine": True} or "age" not in answer.headers:
        raise Fault("the upstream was asked again, or the kept answer is another", answer)
    own = "cache-control" in {h.name.lower() for h in r.answer_set}
    if needs_credentials(r):
        expect(await p.send(r, number, method="GET", known=False), 401, "from the cache without a credential")
        if not own and "no-store" not in answer.headers.get("cache-control", ""):
            raise Fault("what is kept for one caller may be kept for all on its way", answer)
    unfit: list[Reply] = [
        replace(FINE, headers=(*FINE.headers, ("cache-control", "private, max-age=60"))),
        *(_saying(("cache-control", f"{said}, must-revalidate")) for said in ("max-age=0", "s-maxage=0, max-age=60", "max-age=60, no-cache", "max-age=soon")),
        *(_saying(header) for header in (("pragma", "no-cache"), ("expires", "0"))),
        _saying(("cache-control", "max-age=60"), ("age", "60")),
        replace(FINE, headers=(*FINE.headers, ("set-cookie", "a=1"))),
        replace(FINE, headers=(*FINE.headers, ("vary", "Accept-Language"))),
        problem(404),
    ]
    for reply in unfit:
        number = p.bench.number(reply)
        answers = [await p.send(r, number, method="GET") for _ in range(3)]
        if len(p.bench.seen[number]) != len(answers):
            raise Fault("an answer that is not for everybody was kept", answers[-1])


def _saying(*headers: tuple[str, str]) -> Reply:
    return replace(FINE, headers=(*FINE.headers, *headers))


async def _cache_time(p: Probe, r: Route) -> None:
    assert r.cache is not None
    own = needs_credentials(r) or "cache-control" in {h.name.lower() for h in r.answer_set}
    for said, age, left in ((f"max-age={_SHORT}, must-revalidate", 0, _SHORT), (f"s-maxage={_SHORT}, max-age=86400", 0, _SHORT), (f"max-age={60 + _SHORT}", 60, _SHORT)):
        answer = await _kept(p, r, p.bench.number(_saying(("cache-control", said), ("age", str(age)))), {})
        told = re.search(r"hit; ttl=(\d+)", answer.headers.get("cache-status", "")) if answer else None
        if answer is None or told is None:
            continue
        if int(told[1]) > min(left, int(r.cache)):
            raise Fault(f"an answer with Cache-Control: {said} and Age: {age} is kept for {told[1]} s more", answer)
        if int(answer.headers.get("age", "0")) < age or (not own and answer.headers.get("cache-control") != said):
            raise Fault(f"the kept answer does not say {said} with its age, as the upstream does", answer)


async def _kept(p: Probe, r: Route, number: int, headers: Headers) -> Answer | None:
    """Asks until the answer comes from the cache: what is kept is kept behind the answer. That answer."""
    for _ in range(40):
        answer = expect(await p.send(r, number, method="GET", headers=headers), 200)
        if "hit" in answer.headers.get("cache-status", ""):
            return answer
    return None


async def _kept_apart(p: Probe, r: Route) -> None:
    key = await p.credentials(r) if r.access.who is Who.KEY else {}
    role = next(iter(r.access.roles), "user")
    account = await p.session.account(f"kept-{p.session.number()}")
    await _given(p, account, role)
    one, other = ({**key, **who.headers} for who in (account, await p.session.account("admin")))
    number = p.bench.number()
    await _kept(p, r, number, one)
    asked = len(p.bench.seen[number])
    for headers, more, fault in (
        (other, 1, "a caller was given the answer that was kept for another"),
        (one, 1, "the kept answer of a caller was lost to another's"),
    ):
        answer = expect(await p.send(r, number, method="GET", headers=headers), 200)
        if len(p.bench.seen[number]) != asked + more:
            raise Fault(fault, answer)
    if role != "admin":
        await _given(p, account, "admin")
        answer = expect(await p.send(r, number, method="GET", headers=one), 200)
        if len(p.bench.seen[number]) != asked + 2:
            raise Fault("a caller with another role was given the answer that was kept for the one before", answer)


async def _given(p: Probe, account: Account, role: str) -> None:
    """Gives a role to an account, which no request can."""
    await p.session.query('UPDATE "user" SET "role" = ? WHERE "id" = ?', role, account.id)


async def _limit(p: Probe, r: Route) -> None:
    assert r.limit is not None
    count, caller = int(r.limit.count), p.address()
    passed = 0
    # The minute may end in between, and then the count begins anew.
    for n in range(2 * count + 1):
        number = p.bench.number()
        answer = await p.send(r, number, headers={**caller, **_elsewhere(p, r, caller, n)})
        if answer.status == 429:
            break
        passed += 1
        if passed == 1 and r.stored_limits:
            # What counts longer does not hinder the count of a minute.
            await p.session.query('UPDATE "rate-limit" SET "count" = -100000000')
    else:
        raise Fault(f"{passed} requests passed", answer)
    if r.limit.per == "address" and passed < count:
        raise Fault(f"only {passed} requests passed", answer)
    p.unseen(number, answer)
    if not answer.headers.get("retry-after", "").isdigit():
        raise Fault("Retry-After is missing", answer)
    if r.limit.per == "address":
        answer = await p.send(r, p.bench.number())
        expect(answer, 200, "another address has its own count")


async def _count(p: Probe, r: Route, policy: Policy) -> None:
    """Counts in the database: what is left is used up by requests at once, and then one more."""
    s, caller = p.session, p.address()
    again, s.client.again = s.client.again, None

    async def asked() -> tuple[int, Answer]:
        number = p.bench.number()
        return number, await p.send(r, number, headers={**caller, **(_lies(p) if policy.per == "address" else p.address())})

    async def left(count: int) -> None:
        await s.query('UPDATE "rate-limit" SET "count" = CASE "policy" WHEN ? THEN ? ELSE -100000000 END', policy.name, policy.most - count)

    try:
        await s.query('DELETE FROM "rate-limit"')
        number, first = await asked()
        p.only(number, first)
        if f'"{policy.name}";r={policy.most - 1};' not in first.headers.get("ratelimit", ""):
            raise Fault(f"after the first request RateLimit does not tell that {policy.most - 1} are left", first)
        rest = min(policy.most - 1, 2)
        await left(rest)
        answers = await asyncio.gather(*(asked() for _ in range(rest + 3)))
        if (passed := sum(a.status != 429 for _, a in answers)) != rest:
            raise Fault(f"of {len(answers)} requests at once {passed} pass, and {rest} were left", answers[-1][1])
        for number, answer in answers:
            if answer.status == 429:
                p.unseen(number, answer)
                wait = answer.headers.get("retry-after", "")
                if not wait.isdigit() or not 1 <= int(wait) <= policy.seconds:
                    raise Fault(f"the 429 does not tell to wait {policy.seconds} s at most", answer)
        await _uncounted(p, r, policy, caller)
        await s.query('UPDATE "rate-limit" SET "reset" = 1 WHERE "policy" = ?', policy.name)
        p.only(*await asked())
    finally:
        s.client.again = again


async def _uncounted(p: Probe, r: Route, policy: Policy, caller: Headers) -> None:
    """Where one has nothing left, others have, and so have the other routes."""
    if policy.per == "address":
        number = p.bench.number()
        p.only(number, await p.send(r, number))
    elif policy.per == "user":
        number, other = p.bench.number(), await p.session.account(f"count-{p.session.number()}")
        if r.access.roles:
            await _given(p, other, next(iter(r.access.roles)))
        p.only(number, await p.send(r, number, headers=other.headers))
    for route in p.session.blueprint.parts_of(Route):
        if route != r and not sparing(route):
            number = p.bench.number()
            answer = await p.send(route, number, headers=caller)
            if answer.status == 429:
                raise Fault(f"the limit of {r.name} holds for {route.name}", answer)


def _lies(p: Probe) -> dict[str, Any]:
    """What must not make a new caller of an old one that is known by the address."""
    number = p.session.number()
    return {"x-forwarded-for": f"192.0.2.{number % 250}", "x-real-ip": f"192.0.2.{number % 250}"}


def _elsewhere(p: Probe, r: Route, caller: Headers, n: int) -> dict[str, Any]:
    """What must not make a new caller of an old one: of who is known by the address all that stands behind its first 64 bits."""
    if r.limit is None or r.limit.per != "address":
        return p.address()
    return {**_lies(p), **{name: f"{address.removesuffix('1')}{n + 1:x}" for name, address in caller.items()}}
