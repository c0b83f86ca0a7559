"""Checks of the mail binding: what is mailed is taken by it, and what it refuses stays. (What a webhook takes is its own matter.)"""

from __future__ import annotations

import asyncio
import json
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
_PAST = "2020-01-01T00:00:00.000Z"
#: So many mails that were refused once wait before another, and so many that were never tried.
_TRIED, _NEW = 30, 5
_FLOOD = (
    'INSERT INTO "user__outbox" ("id", "purpose", "recipient", "token", "created_at", "expires_at", "attempts", "next_attempt_at") '
    """SELECT 'flood-' || n."value" || '-' || ?2, o."purpose", o."recipient", o."token", o."created_at", o."expires_at", ?2, ?3 """
    'FROM json_each(?1) n, "user__outbox" o WHERE o."recipient" = ?4 AND o."id" NOT LIKE \'flood-%\''
)
#: So often a mail is tried.
_MOST = 11


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan."""
    if binding_of(plan) is not None and (confirms(plan) or resets(plan)):
        yield Check("sender.taken", "the mail binding takes what is mailed, and the outbox forgets the token", _taken, alone=True)
        yield Check("sender.refused", "a mail that the mail binding does not take stays in the outbox", _refused)
        yield Check("sender.given_up", f"a mail that is refused {_MOST} times is not tried again", _given_up, alone=True)


async def _mailed(s: Session, email: str) -> None:
    expect(await s.client.send("POST", "/api/auth/register", s.registration(email)), 201, "registration")
    if not confirms(s.plan):
        expect(await s.client.send("POST", "/api/auth/reset/request", {"email": email}), 202)


async def _outbox(s: Session, email: str) -> list[Row]:
    return await s.query('SELECT * FROM "user__outbox" WHERE "recipient" = ?', email)


async def _taken(s: Session) -> None:
    """Though many are due that were made before it, and that the binding refuses."""
    email = f"first-{s.number()}@example.com"
    await _mailed(s, email)
    await asyncio.sleep(_REFUSED_SECONDS)
    await s.query('UPDATE "user__outbox" SET "next_attempt_at" = NULL')
    await s.query(_FLOOD, json.dumps([*range(_TRIED)]), 1, _PAST, email)
    await s.query(_FLOOD, json.dumps([*range(_NEW)]), 0, _PAST, email)
    await _mailed(s, MAILABLE)
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end:
        rows = await _outbox(s, MAILABLE)
        if rows and all(row["sent_at"] is not None and row["token"] is None for row in rows):
            return
        await asyncio.sleep(0.1)
    raise Fault("the mail binding did not take a mail, or the outbox kept its token")


async def _given_up(s: Session) -> None:
    email = f"hopeless-{s.number()}@example.com"
    await _mailed(s, email)
    await asyncio.sleep(_REFUSED_SECONDS)
    # No other mail stands before it.
    await s.query('UPDATE "user__outbox" SET "next_attempt_at" = NULL WHERE "recipient" <> ?', email)
    await s.query('UPDATE "user__outbox" SET "attempts" = ?, "next_attempt_at" = ? WHERE "recipient" = ?', _MOST - 1, _PAST, email)
    await _mailed(s, f"next-{s.number()}@example.com")
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end:
        if all(row["attempts"] == _MOST and row["next_attempt_at"] is None for row in await _outbox(s, email)):
            return
        await asyncio.sleep(0.1)
    raise Fault(f"a mail that was refused {_MOST} times is tried again, or never was")


async def _refused(s: Session) -> None:
    email = f"refused-{s.number()}@example.com"
    await _mailed(s, email)
    await asyncio.sleep(_REFUSED_SECONDS)
    if any(row["sent_at"] is not None or row["token"] is None for row in await _outbox(s, email)):
        raise Fault("a mail that the mail binding refused counts as sent")
