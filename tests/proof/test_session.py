"""What a proof does in the database: what rules refuse is told from what goes wrong."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from clodo.blueprint import parse
from clodo.blueprint.plan import make_plan
from clodo.bricks.rules.placing import put
from clodo.proof.client import Client
from clodo.proof.host import Host, HostError
from clodo.proof.session import Row, Session, StatementRefused

SOURCE = "service x\n\nentity book {\n  copies: integer required min 0\n}\n"


class Grieved:
    """A host whose runtime fails at every call."""

    def __init__(self, message: str) -> None:
        self.message = message

    def call(self, *_: object, **__: object) -> Row:
        raise HostError(self.message)

    def query(self, sql: str, values: list[Any]) -> list[Row]:
        """As a host asks its database."""
        return Host.query(cast(Host, self), sql, values)


def stored(message: str) -> None:
    """Puts a value into a row of a service whose database answers so."""
    blueprint = parse(SOURCE)
    session = Session(cast(Client, None), make_plan(blueprint), {}, Grieved(message).query)
    asyncio.run(put(session, blueprint.entities[0], "1", "copies", -1))


def test_what_a_rule_of_the_database_refuses_leaves_the_row_as_it_is() -> None:
    stored("D1_ERROR: CHECK constraint failed: copies >= 0: SQLITE_CONSTRAINT")


@pytest.mark.parametrize("message", ["The runtime did not answer within 30 s.", "The runtime process ended.", "D1_ERROR: database is locked: SQLITE_BUSY", "fetch failed"])
def test_what_else_goes_wrong_is_a_failure_of_the_proof(message: str) -> None:
    with pytest.raises(HostError, match=message) as failed:
        stored(message)
    assert not isinstance(failed.value, StatementRefused)


def test_a_check_that_is_given_up_takes_nobody_along_who_waits_for_the_same() -> None:
    session = Session(cast(Client, None), make_plan(parse("service s\nentity a {\n  b: text\n}\n")), {}, Grieved("").query)

    async def slow() -> int:
        await asyncio.sleep(0.05)
        return 7

    async def scene() -> int:
        first = asyncio.create_task(session.once(("seven",), slow))
        second = asyncio.create_task(session.once(("seven",), slow))
        await asyncio.sleep(0)
        first.cancel()
        return int(await second)

    assert asyncio.run(scene()) == 7


def test_cron_is_rung_by_checks_alone() -> None:
    rung: list[str] = []
    session = Session(cast(Client, None), make_plan(parse(SOURCE)), {}, Grieved("").query, bell=rung.append)
    with pytest.raises(AssertionError, match="alone"):
        asyncio.run(session.scheduled("* * * * *"))
    session.alone = True
    asyncio.run(session.scheduled("* * * * *"))
    assert rung == ["* * * * *"]
