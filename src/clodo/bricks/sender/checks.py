"""Checks of the mail binding: what is mailed is taken by it, and what it refuses stays. (What a webhook takes is its own matter.)"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

from clodo.blueprint.plan import Plan
from clodo.bricks.mail.brick import confirms, resets
from clodo.bricks.sender.brick import binding_of
from clodo.proof.check import Check
from clodo.proof.session import MAILABLE, Fault, Row, Session, expect

#: How long a mail may take; three tries of the service are done in less.
_SECONDS = 30
_REFUSED_SECONDS = 2
#: No mail that was claimed then is tried again before this one is.
_LATER = "9999-12-31T00:00:00.000Z"


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan."""
    if binding_of(plan) is not None and (confirms(plan) or resets(plan)):
        yield Check("sender.taken", "the mail binding takes what is mailed, and the outbox forgets the token", _taken, alone=True)
        yield Check("sender.refused", "a mail that the mail binding does not take stays in the outbox", _refused)


async def _mailed(s: Session, email: str) -> None:
    expect(await s.client.send("POST", "/api/auth/register", s.registration(email)), 201, "registration")
    if not confirms(s.plan):
        expect(await s.client.send("POST", "/api/auth/reset/request", {"email": email}), 202)


async def _outbox(s: Session, email: str) -> list[Row]:
    return await s.query('SELECT * FROM "user__outbox" WHERE "recipient" = ?', email)


async def _taken(s: Session) -> None:
    await s.query('UPDATE "user__outbox" SET "claimed_at" = ?', _LATER)
    await _mailed(s, MAILABLE)
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end:
        rows = await _outbox(s, MAILABLE)
        if rows and all(row["sent_at"] is not None and row["token"] is None for row in rows):
            return
        await asyncio.sleep(0.1)
    raise Fault("the mail binding did not take a mail, or the outbox kept its token")


async def _refused(s: Session) -> None:
    email = f"refused-{s.number()}@example.com"
    await _mailed(s, email)
    await asyncio.sleep(_REFUSED_SECONDS)
    if any(row["sent_at"] is not None or row["token"] is None for row in await _outbox(s, email)):
        raise Fault("a mail that the mail binding refused counts as sent")
