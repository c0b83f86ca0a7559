"""Jobs that are held back in their queue, so that things can happen meanwhile. No request can do that: triggers in the database do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Self

from clodo.blueprint.values import Entity
from clodo.bricks.actions.scenes import Scene
from clodo.bricks.actions.values import CreateRow
from clodo.proof.client import Answer
from clodo.proof.session import Fault, Row, Session, expect

_SECONDS = 25.0
#: Keeps what triggers have seen.
_SEEN = 'CREATE TABLE IF NOT EXISTS "_proof_seen" ("what" TEXT NOT NULL)'


@asynccontextmanager
async def triggered(s: Session, event: str, does: str) -> AsyncIterator[None]:
    """Meanwhile the database does something at an event."""
    name = f'"_proof_{s.number()}"'
    await s.query(_SEEN)
    await s.query(f"CREATE TRIGGER {name} {event} BEGIN {does} END")
    try:
        yield
    finally:
        await s.query(f"DROP TRIGGER {name}")


async def _seen(s: Session, what: str) -> int:
    found = await s.query('SELECT COUNT(*) AS "n" FROM "_proof_seen" WHERE "what" = ?', what)
    return int(found[0]["n"])


@asynccontextmanager
async def marked(s: Session, e: Entity) -> AsyncIterator[Callable[[str], Awaitable[int]]]:
    """Meanwhile each change of a row of an entity is marked; gives how often a row was changed."""
    async with triggered(
        s,
        f'AFTER UPDATE ON "{e.name}"',
        """INSERT INTO "_proof_seen" VALUES ('changed ' || NEW."id");""",
    ):
        yield lambda id: _seen(s, f"changed {id}")


async def stored(s: Session, job: str) -> Row:
    """A job as it is stored."""
    return dict((await s.query('SELECT * FROM "_job" WHERE "id" = ?', job))[0])


class Held:
    """A call of an action that is done later. While it is entered, the job is there and its message has come and gone."""

    def __init__(self, s: Session, scene: Scene, row: str) -> None:
        self.s, self.scene, self.row, self.job = s, scene, row, ""

    async def called(self) -> Answer:
        """Calls the action."""
        path = f"{self.s.path(self.scene.e, self.row)}/{self.scene.action.segment}"
        return await self.s.client.send("POST", path, self.scene.readied, headers=await self.scene.caller.headers())

    async def asked(self) -> Answer:
        """The answer to a call while all guards hold."""
        return expect(await self.called(), 202, "all guards hold")

    async def __aenter__(self) -> Self:
        mark = f"held {self.row}"
        event = f"""BEFORE UPDATE OF "claim" ON "_job" WHEN NEW."row_id" = '{self.row}'"""
        does = f"""INSERT INTO "_proof_seen" VALUES ('{mark}'); SELECT RAISE(IGNORE);"""
        async with triggered(self.s, event, does):
            self.job = (await self.asked()).body["id"]
            end = asyncio.get_running_loop().time() + _SECONDS
            while not await _seen(self.s, mark):
                if asyncio.get_running_loop().time() > end:
                    raise Fault("the queue does not bring the job")
                await asyncio.sleep(0.02)
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def delivered(self) -> None:
        """Lets the queue bring its message, once more."""
        await self.s.delivered("JOB_QUEUE", {"job": self.job})

    async def ended(self) -> Row:
        """The job as it is stored, once it is not queued any more."""
        end = asyncio.get_running_loop().time() + _SECONDS
        while (job := await stored(self.s, self.job))["status"] == "queued":
            if asyncio.get_running_loop().time() > end:
                raise Fault(f"the job never ends: {job}")
            await asyncio.sleep(0.02)
        return job

    async def state(self) -> tuple[list[Row], dict[str, int]]:
        """The row as it is stored, and how many rows there are of those that the action makes for it."""
        rows = await self.s.query(f'SELECT * FROM "{self.scene.e.name}" WHERE "id" = ?', self.row)
        made = any(isinstance(effect, CreateRow) for effect in self.scene.action.effects)
        return rows, await self.scene.counts(self.row) if made else {}
