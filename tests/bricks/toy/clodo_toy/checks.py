"""The motto is told."""

from __future__ import annotations

from collections.abc import Iterator

from clodo.blueprint.plan import Plan
from clodo.proof.check import Check
from clodo.proof.session import Fault, Session, expect
from clodo_toy.language import Motto


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan."""
    yield Check("toy.motto", "GET /motto tells the motto", _told)


async def _told(s: Session) -> None:
    [motto] = s.blueprint.parts_of(Motto)
    answer = expect(await s.client.send("GET", "/motto"), 200)
    if answer.body != {"motto": motto.text}:
        raise Fault("another motto is told", answer)
