"""What the checks of a gateway work with: requests along a route, and what arrives behind it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Who
from clodo.bricks.gateway.bench import Bench, Reply, Seen
from clodo.bricks.gateway.values import Route, Upstream
from clodo.proof.client import Answer
from clodo.proof.session import Fault, Headers, Session

WITH_BODY = ("POST", "PUT", "PATCH")
#: Where a key or a user has fewer requests in a minute, checks leave them to those that need them.
_PLENTY = 150


@dataclass(frozen=True)
class Probe:
    """One run of checks against a gateway."""

    session: Session
    bench: Bench

    async def credentials(self, r: Route, user: str = "admin") -> Headers:
        """Credentials that the route asks for."""
        return await self.session.headers(r.access, user=user)

    def address(self) -> Headers:
        """A caller's address that no other request has."""
        number = self.session.number()
        # Of IPv6 the first half is who is counted.
        return {"cf-connecting-ip": f"2001:db8:{number >> 16:x}:{number & 0xFFFF:x}::1"}

    async def send(
        self,
        r: Route,
        number: int,
        *,
        method: str = "",
        tail: str = "",
        headers: Headers | None = None,
        content: bytes | None = None,
        more: str = "",
        known: bool = True,
    ) -> Answer:
        """A request along the route; ``known``: with the credentials that it asks for."""
        method = method or r.all_methods[0]
        given = {**self.address(), **(await self.credentials(r) if known else {}), **(headers or {})}
        target = f"{place(r, tail)}?proof={number}{more}"
        if content is None and method in WITH_BODY:
            content = b""
        return await self.session.client.send(method, target, headers=given, content=content)

    async def passed(self, r: Route, *replies: Reply, **how: Any) -> tuple[Answer, Seen]:
        """A request that reaches the upstream once, and its answer."""
        for _ in range(3):
            number = self.bench.number(*replies)
            answer = await self.send(r, number, **how)
            # On a machine that is busy with other things even this server may be late.
            if answer.status != 504:
                break
        return answer, self.only(number, answer)

    def only(self, number: int, answer: Answer) -> Seen:
        """The one request that arrived."""
        seen = self.bench.seen[number]
        if len(seen) != 1:
            raise Fault(f"the upstream was asked {len(seen)} times, not once", answer)
        return seen[0]

    def unseen(self, number: int, answer: Answer) -> None:
        """A fault if anything arrived."""
        if self.bench.seen[number]:
            raise Fault(f"the upstream was asked: {self.bench.seen[number][0].target}", answer)

    async def raw(self, message: bytes) -> tuple[int, str]:
        """The status and the text that answer a message that no client would send."""
        reader, writer = await asyncio.open_connection(*self.session.client.address)
        try:
            writer.write(message)
            await writer.drain()
            head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)).decode("latin-1")
            return int(head.split(" ", 2)[1]), head
        except (OSError, EOFError, ValueError):
            return 0, "the connection was closed"
        finally:
            writer.close()


def place(r: Route, tail: str = "") -> str:
    """A path that the route has."""
    return f"{r.prefix}/proof-place{tail}" if r.below else r.prefix


def behind(r: Route, path: str) -> str:
    """The path on the bench that a path of the route leads to."""
    return Bench.base(r.upstream) + (path.removeprefix(r.strip) or "/")


def sparing(r: Route) -> bool:
    """Whether checks must not use up what a key or a user may send."""
    return r.limit is not None and r.limit.per != "address" and r.limit.count < _PLENTY


def routes_of(plan: Plan, path: str) -> list[Route]:
    """The routes that a path belongs to."""
    routes = plan.blueprint.parts_of(Route)
    fitting = [r for r in routes if path == r.prefix or (r.below and path.startswith(f"{r.prefix}/"))]
    best = max(((len(r.prefix), not r.below) for r in fitting), default=(0, False))
    return [r for r in fitting if (len(r.prefix), not r.below) == best]


def shortest(plan: Plan, u: Upstream, *methods: str) -> tuple[Route, str] | None:
    """A route to an upstream and a method of it, whoever may use it."""
    for r in plan.blueprint.parts_of(Route):
        for method in methods or r.all_methods:
            if r.upstream == u.name and method in r.all_methods and not sparing(r):
                return r, method
    return None


def needs_credentials(r: Route) -> bool:
    """Whether the route is not for everybody."""
    return r.access.who is not Who.PUBLIC
