"""Checks of what a gateway does when a server behind it fails. Each leaves the server whole, but for the last."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from functools import partial

from clodo.blueprint.plan import Plan
from clodo.bricks.gateway.bench import FINE, Reply, problem
from clodo.bricks.gateway.probing import Probe, shortest
from clodo.bricks.gateway.values import Route, Upstream
from clodo.proof.client import Answer
from clodo.proof.session import Fault, expect

Run = Callable[[Probe], Awaitable[None]]
Way = tuple[Route, str]

BROKEN, SILENT = Reply(broken=True), Reply(silent=True)
#: Longer time-outs and counts would make a proof slow.
_MOST_SECONDS = 1
_MOST_FAILURES = 20


def failure_checks(plan: Plan) -> Iterator[tuple[str, str, Run]]:
    """Id without the brick's name, rule, and what to do."""
    for u in plan.blueprint.parts_of(Upstream):
        way, once = shortest(plan, u), shortest(plan, u, "POST", "PATCH")
        if way is None:
            continue
        if u.failures != 1:
            yield "failure", f"failures of {u.name} are 502 and 504", partial(_failure, u=u, way=way)
            again = shortest(plan, u, "GET", "DELETE")
            if again is not None:
                yield "retry", f"what may be sent to {u.name} twice is tried {u.retries + 1} times", partial(_retry, u=u, way=again)
            if once is not None:
                yield "once", f"{once[1]} reaches {u.name} once, whatever becomes of it", partial(_once, way=once)
        if u.failures is not None and u.failures <= _MOST_FAILURES:
            yield "break", f"{u.name} is left alone after {u.failures} failures", partial(_break, u=u, way=way)


async def _send(p: Probe, way: Way, *replies: Reply) -> tuple[Answer, int]:
    """The answer, and how often the upstream was asked."""
    number = p.bench.number(*replies)
    answer = await p.send(way[0], number, method=way[1])
    return answer, len(p.bench.seen[number])


async def _whole(p: Probe, way: Way) -> None:
    """One request that goes well ends a row of failures."""
    answer, _ = await _send(p, way)
    expect(answer, 200, "the upstream is whole again")


async def _failure(p: Probe, u: Upstream, way: Way) -> None:
    for reply in (problem(404), problem(422), Reply(410, (("content-type", "text/plain"),), b"gone")):
        answer, asked = await _send(p, way, reply)
        expect(answer, reply.status, "as the upstream says")
        if asked != 1 or answer.text != reply.body.decode():
            raise Fault("an answer of the upstream was not passed on as it is", answer)
    answer, _ = await _send(p, way, problem(503))
    expect(answer, 503, "as the upstream says")
    await _whole(p, way)
    answer, _ = await _send(p, way, BROKEN)
    _told(answer, 502)
    await _whole(p, way)
    if u.timeout <= _MOST_SECONDS:
        answer, _ = await _send(p, way, SILENT)
        _told(answer, 504)
        await _whole(p, way)


def _told(answer: Answer, status: int) -> None:
    expect(answer, status)
    if answer.headers.get("content-type") != "application/problem+json" or "127.0.0.1" in answer.text:
        raise Fault("it is no problem, or tells where the upstream stands", answer)


async def _retry(p: Probe, u: Upstream, way: Way) -> None:
    tries = int(u.retries) + 1
    # The runtime itself may try once more where a connection breaks; an answer it leaves alone.
    answer, asked = await _send(p, way, problem(503))
    expect(answer, 503, "the upstream's last answer")
    if asked != tries:
        raise Fault(f"the upstream was asked {asked} times", answer)
    await _whole(p, way)
    if tries > 1:
        for first in (BROKEN, problem(503)):
            answer, asked = await _send(p, way, first, FINE)
            expect(answer, 200, "the second try goes well")


async def _once(p: Probe, way: Way) -> None:
    for reply in (BROKEN, problem(503)):
        answer, asked = await _send(p, way, reply, FINE)
        expect(answer, 502 if reply.broken else 503)
        if asked != 1:
            raise Fault(f"the upstream was asked {asked} times", answer)
        await _whole(p, way)


async def _break(p: Probe, u: Upstream, way: Way) -> None:
    assert u.failures is not None
    await _whole(p, way)
    if u.failures > u.retries + 1:
        await _send(p, way, problem(502))
        await _whole(p, way)
    failures = 0
    while failures < u.failures:
        answer, asked = await _send(p, way, problem(502))
        expect(answer, 502, f"after {failures} failures")
        failures += asked
    answer, asked = await _send(p, way)
    expect(answer, 503, f"after {failures} failures")
    if asked or not 1 <= int(answer.headers.get("retry-after", "0")) <= u.pause:
        raise Fault("the upstream was asked all the same, or Retry-After is not right", answer)
