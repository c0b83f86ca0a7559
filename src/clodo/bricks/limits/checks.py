"""Limits hold to the request, for each caller apart, and tell nothing but themselves."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Access, Entity, Who
from clodo.bricks.actions.values import Action
from clodo.bricks.limits.language import access_of
from clodo.bricks.limits.policies import (
    UNCOUNTED,
    Policy,
    joint_policies,
    policies_of,
    service_policies,
    write_policies,
    write_routes,
)
from clodo.proof.check import Check
from clodo.proof.client import Answer
from clodo.proof.session import Fault, Headers, Session, expect
from clodo.proof.transport import RawAnswer

_REFUSED = 429
#: Far below any limit: what has been counted so low is free for as long as a proof takes.
_FREE = "-100000000"
#: Requests that are sent at once beyond those that are left.
_BEYOND = 5
_NOWHERE = "01890000-0000-7000-8000-000000000000"
_METHODS = {"create": ("POST", ""), "update": ("PATCH", "/{id}"), "delete": ("DELETE", "/{id}")}


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan."""
    policies = [*service_policies(plan), *(p for e in plan.blueprint.entities for p in write_policies(e)), *joint_policies(plan)]
    yield Check("limits.document", "429 stands in the document wherever a limit holds", _documented, prepare=_unhindered)
    for p in policies:
        what = f"{', '.join(e.name for e in p.entities)}: {', '.join(p.kinds)}" if p.entities else "requests"
        words = f"{what} at most {p.most:,} in {p.seconds:,} s per {p.per}"
        yield Check("limits.exact", f"{words}, counted to the request", partial(_exact, p), alone=True)
        yield Check("limits.apart", f"{words}, for each {p.per} apart", partial(_apart, p), alone=True)
        yield Check("limits.ends", f"{words}, and as many again when the time is over", partial(_ends, p), alone=True)
        if p.entities:
            yield Check("limits.writes", f"{words}, by every path and no other request", partial(_writes, p), alone=True)
            yield Check("limits.hidden", f"{p.entities[0].name}: a refusal tells nothing of rows", partial(_hidden, p), alone=True)
    if not policies:
        return  # what routes of a gateway count is held against them there
    first = policies[0]
    yield Check("limits.stored", "nothing that is stored tells who was counted", partial(_stored, first), alone=True)
    yield Check("limits.swept", "what has ended is forgotten", partial(_swept, first), alone=True)
    for p in service_policies(plan):
        if p.per == "address":
            yield Check("limits.address", "no header of the caller's own gives another address", partial(_address, p), alone=True)
            break


# -- what the other checks need -------------------------------------------------------------


def _unhindered(s: Session) -> None:
    """Other checks send more than any limit admits. Where one of their requests is refused, all that has been counted so
    far is set free in the database, and the request is sent again."""

    async def again(raw: RawAnswer) -> bool:
        if raw.status != _REFUSED or ";r=0;" not in raw.headers.get("ratelimit", ""):
            return False  # another rule refuses it
        await s.query(f'UPDATE "rate-limit" SET "count" = {_FREE}')
        return True

    s.client.again = again


@asynccontextmanager
async def _counting(s: Session) -> AsyncIterator[None]:
    """Nothing has been counted yet, and a refusal is a refusal."""
    again, s.client.again = s.client.again, None
    await s.query('DELETE FROM "rate-limit"')
    try:
        yield
    finally:
        s.client.again = again


# -- requests that a limit counts -----------------------------------------------------------


@dataclass(frozen=True)
class _Request:
    """A request that changes nothing; ``headers`` say who sends it."""

    method: str
    path: str
    body: Any
    headers: Headers

    async def send(self, s: Session, changes: Headers | None = None) -> Answer:
        return await s.client.send(self.method, self.path, self.body, headers={**self.headers, **(changes or {})})


async def _request(s: Session, p: Policy, who: str = "ann") -> _Request:
    """One request that the limit counts, by a caller of that name."""
    headers = await _headers(s, p, who)
    if not p.entities:
        return _Request("GET", await _counted_path(s), None, headers)
    e = p.entities[0]
    method, below = _place(e, p.kinds[0])
    body = None if method == "DELETE" else {"no_such_field": 1}
    return _Request(method, f"{s.path(e)}{below.format(id=_NOWHERE)}", body, headers)


def _place(e: Entity, kind: str) -> tuple[str, str]:
    """The method of a kind of write, and where it goes below the path of all rows."""
    if kind in _METHODS:
        return _METHODS[kind]
    return "POST", f"/{{id}}/{next(action.segment for action in e.parts_of(Action) if action.name == kind)}"


async def _headers(s: Session, p: Policy, who: str) -> Headers:
    out: Headers = {"cf-connecting-ip": _address_of(who)}
    b = s.blueprint
    rules = [access_of(b, e, kind) for e in p.entities for kind in dict.fromkeys(("update", "create", "delete", *p.kinds))]
    if p.per != "address":
        rules.append(Access(Who(p.per)))
    if p.per == "key" and who != "ann":
        rules = []  # there is one key: the other caller has none
    return {**await s.headers(*[r for r in rules if r.who is not Who.ROLE], user=who), **out}


def _address_of(who: str) -> str:
    return f"203.0.113.{10 + sum(who.encode()) % 200}"


async def _counted_path(s: Session) -> str:
    """A path that can be read without knowing a row."""
    if s.blueprint.entities:
        return s.path(s.blueprint.entities[0])
    document = expect(await s.client.send("GET", "/openapi.json"), 200).body
    for path, item in document["paths"].items():
        if "get" in item and path not in UNCOUNTED and "{" not in path:
            return str(path)
    return "/nowhere"


async def _left(s: Session, p: Policy, count: int) -> None:
    """Whoever was counted has so many requests left of this limit, and is free of all others."""
    await s.query(f'UPDATE "rate-limit" SET "count" = CASE "policy" WHEN ? THEN {p.most - count} ELSE {_FREE} END', p.name)


async def _used_up(s: Session, p: Policy, request: _Request) -> Answer:
    """The refusal of a caller who has nothing left."""
    first = await request.send(s)
    if first.status == _REFUSED:
        raise Fault("the first request is refused", first)
    await _left(s, p, 0)
    return expect(await request.send(s), _REFUSED, "nothing is left")


def _told(answer: Answer, p: Policy) -> dict[str, int]:
    """What the headers of an answer tell of a limit: ``q``, ``w``, ``r`` and ``t``."""
    found: dict[str, int] = {}
    for header in ("ratelimit-policy", "ratelimit"):
        for name, parameters in re.findall(r'"([^"]*)"((?:;[a-z]+=-?\d+)*)', answer.headers.get(header, "")):
            if name == p.name:
                found |= {k: int(v) for k, v in re.findall(r";([a-z]+)=(-?\d+)", parameters)}
    if (found.get("q"), found.get("w")) != (p.most, p.seconds) or not 0 < found.get("t", 0) <= p.seconds:
        raise Fault(f"RateLimit and RateLimit-Policy do not tell {p.most} in {p.seconds} s", answer)
    return found


# -- the checks -----------------------------------------------------------------------------


async def _exact(p: Policy, s: Session) -> None:
    request = await _request(s, p)
    async with _counting(s):
        first = await request.send(s)
        if first.status == _REFUSED or _told(first, p).get("r") != p.most - 1:
            raise Fault(f"after the first request not {p.most - 1} are left", first)
        left = min(p.most - 1, 3)
        await _left(s, p, left)
        answers = await asyncio.gather(*(request.send(s) for _ in range(left + _BEYOND)))
    passed = [a for a in answers if a.status != _REFUSED]
    if len(passed) != left:
        raise Fault(f"of {len(answers)} requests at once {len(passed)} pass, and {left} were left", answers[-1])
    if sorted(_told(a, p).get("r", -1) for a in passed) != list(range(left)):
        raise Fault("RateLimit does not tell what is left", (passed or answers)[-1])
    for refused in (a for a in answers if a.status == _REFUSED):
        wait = refused.headers.get("retry-after", "")
        if not wait.isdecimal() or not 1 <= int(wait) <= p.seconds or _told(refused, p).get("r") != 0:
            raise Fault(f"the 429 does not tell to wait {p.seconds} s at most", refused)


async def _apart(p: Policy, s: Session) -> None:
    request, other = await _request(s, p), await _request(s, p, "ben")
    async with _counting(s):
        await _used_up(s, p, request)
        answer = await other.send(s)
        if answer.status == _REFUSED:
            raise Fault(f"the limit of one {p.per} holds for another", answer)
        for path in () if p.entities else UNCOUNTED:
            expect(await s.client.send("GET", path, headers=request.headers), 200, "never counted")


async def _ends(p: Policy, s: Session) -> None:
    request = await _request(s, p)
    async with _counting(s):
        await _used_up(s, p, request)
        await s.query('UPDATE "rate-limit" SET "reset" = 1 WHERE "policy" = ?', p.name)
        answer = await request.send(s)
        if answer.status == _REFUSED or _told(answer, p).get("r") != p.most - 1:
            raise Fault("when the time is over, the count does not begin again", answer)


async def _writes(p: Policy, s: Session) -> None:
    request = await _request(s, p)
    # There is no row of this id: what refuses must be the limit.
    every = [(r, e) for e in p.entities for r in write_routes(s.plan, e) if ":part" not in r.path]
    paths = [(r.kind, method, re.sub(r":\w+", _NOWHERE, r.path), s.path(e, _NOWHERE)) for r, e in every for method in r.methods]
    known = [(kind, method, path) for kind, method, path, row in paths if (method, path) != ("POST", row)]
    async with _counting(s):
        # Used up by writes of one entity, it is used up for all that it counts.
        await _used_up(s, p, request)
        for kind, method, path in known:
            body = None if method == "DELETE" else {"no_such_field": 1}
            answer = await s.client.send(method, path, body, headers=request.headers)
            if (answer.status == _REFUSED) != p.counts(kind):
                raise Fault("a write is not counted" if p.counts(kind) else f"a limit of {p.kinds} holds for it", answer)
        for e in p.entities:
            listed = await s.client.send("GET", s.path(e), headers=request.headers)
            if listed.status == _REFUSED:
                raise Fault("reading is refused where writes are used up", listed)


async def _hidden(p: Policy, s: Session) -> None:
    e, kind = p.entities[0], p.kinds[-1]
    request = await _request(s, p)
    method, below = _place(e, kind)
    there, gone = (f"{s.path(e)}{below.format(id=id)}" for id in ((await s.shared(e))["id"], _NOWHERE))
    bodies = (await s.body(e), {"no_such_field": 1}) if kind == "create" else ({}, {})
    async with _counting(s):
        await _used_up(s, p, request)
        answers = [
            await s.client.send(method, path, None if method == "DELETE" else body, headers=request.headers)
            for path, body in zip((there, gone), bodies, strict=True)
        ]
    texts = [re.sub(r"\d+ seconds?", "", a.text) for a in answers]
    if answers[0].status != _REFUSED or texts[0] != texts[1]:
        raise Fault("the refusal differs with the row or the body", answers[0])


async def _stored(p: Policy, s: Session) -> None:
    request = await _request(s, p)
    async with _counting(s):
        await request.send(s)
        rows = await s.query('SELECT * FROM "rate-limit"')
    if not rows:
        raise Fault("nothing is counted")
    known = [_address_of("ann"), s.secrets.get("API_KEY", "")]
    known += [(await s.account("ann")).id] if s.blueprint.users is not None else []
    for text in filter(None, known):
        digest = hashlib.sha256(text.encode()).hexdigest()
        if any(text in str(v) or digest in str(v).lower() for row in rows for v in row.values()):
            raise Fault("who was counted can be read in the database")


async def _swept(p: Policy, s: Session) -> None:
    request = await _request(s, p)
    async with _counting(s):
        await s.query("INSERT INTO \"rate-limit\" VALUES ('ended', 'ended', 1, 1)")
        answer = await request.send(s)
        if await s.query("SELECT 1 FROM \"rate-limit\" WHERE \"policy\" = 'ended'"):
            raise Fault("an ended count is kept", answer)


async def _address(p: Policy, s: Session) -> None:
    request = await _request(s, p)
    async with _counting(s):
        await _used_up(s, p, request)
        for name in ("x-forwarded-for", "x-real-ip", "true-client-ip", "forwarded", "x-client-ip", "cf-connecting-ipv6"):
            value = "for=198.51.100.7" if name == "forwarded" else "198.51.100.7"
            expect(await request.send(s, {name: value}), _REFUSED, f"{name} gives no other address")
        expect(await s.client.send("HEAD", request.path, headers=request.headers), _REFUSED, "HEAD is a request too")
        network = [{"cf-connecting-ip": a} for a in ("2001:db8:0:7::1", "2001:db8:0:7:ffff::2", "2001:db8:0:8::1")]
        await _used_up(s, p, _Request("GET", request.path, None, network[0]))
        expect(await request.send(s, network[1]), _REFUSED, "all addresses of one /64 are one")
        if (other := await request.send(s, network[2])).status == _REFUSED:
            raise Fault("the limit of one /64 holds for another", other)


async def _documented(s: Session) -> None:
    document = expect(await s.client.send("GET", "/openapi.json"), 200)
    everywhere = bool(service_policies(s.plan))
    for path, item in document.body["paths"].items():
        for method, operation in item.items():
            if method in ("get", "put", "post", "patch", "delete") and everywhere and path not in UNCOUNTED:
                if str(_REFUSED) not in operation["responses"]:
                    raise Fault(f"the document does not say that {method.upper()} {path} can be 429", document)
    for e in s.blueprint.entities:
        for p in policies_of(s.plan, e):
            method, below = _place(e, p.kinds[0])
            operation = document.body["paths"][s.path(e) + below][method.lower()]
            if str(_REFUSED) not in operation["responses"]:
                raise Fault(f"the document does not say that to {p.kinds[0]} {e.name} can be 429", document)
