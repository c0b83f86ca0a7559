"""Checks of the API key."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Entity, Who
from clodo.bricks.users.doors import Door, doors
from clodo.proof.check import Check
from clodo.proof.session import Fault, Session, expect


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan."""
    for e in plan.blueprint.entities:
        for door in doors(plan.blueprint, e):
            if door.access.who is Who.KEY:
                rule = f"{e.name}: {door.verb} needs the API key"
                yield Check("api_key.needed", rule, partial(_needed, e, door))


async def _needed(e: Entity, door: Door, s: Session) -> None:
    method, path, body = await door.request(s, e)
    key = s.secrets["API_KEY"]
    wrong = [
        {}, {"x-api-key": ""}, {"x-api-key": "wrong"}, {"x-api-key": key[:-1]}, {"x-api-key": key + "x"}, {"x-api-key": key.swapcase()},
        {"authorization": "Bearer wrong"}, {"authorization": f"Basic {key}"}, {"x-api-key": "undefined"},
    ]  # fmt: skip
    for headers in wrong:
        answer = expect(await s.client.send(method, path, body, headers=headers), 401, "a bad key")
        if "www-authenticate" not in answer.headers:
            raise Fault("the 401 has no WWW-Authenticate", answer)
    for headers in ({"x-api-key": key}, {"authorization": f"Bearer {key}"}):
        answer = await s.client.send(method, path, body, headers=headers)
        if answer.status in (401, 403):
            raise Fault("the right key is refused", answer)
