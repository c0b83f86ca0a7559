"""Checks of the limit of logins: exact, for each account and address, and silent on who is there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from decimal import Decimal

from clodo.blueprint.plan import Plan
from clodo.bricks.accounts.brick import has
from clodo.bricks.accounts.language import ChangePassword
from clodo.bricks.login_limit.brick import limit_of
from clodo.bricks.sessions.probes import attempt
from clodo.proof.check import Check
from clodo.proof.client import Answer
from clodo.proof.session import PASSWORD, Fault, Session, expect

#: A proof has no time for a thousand wrong passwords: each takes a hash.
_MOST = 12
_WRONG = "wrong password"
#: So many times as many may fail for one address alone, or one account alone.
_LOOSER = 10


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan."""
    limit = limit_of(plan)
    assert limit is not None
    if limit.attempts <= _MOST:
        words = f"{limit.attempts} wrong passwords"
        yield Check("login_limit.exact", f"after {words} a login is 429, also when they come at once", _exact)
        if has(plan, ChangePassword):
            yield Check("login_limit.password", "the present password cannot be guessed either", _password)
        most = limit.attempts * _LOOSER
        yield Check("login_limit.address", f"from one address {most} logins can fail, whatever the accounts", _address, alone=True)
        yield Check("login_limit.account", f"on one account {most} logins can fail, wherever they come from", _account, alone=True)
        yield Check("login_limit.again", "a right password clears the count, and the window ends it", _again)


def _from(address: str) -> dict[str, str]:
    return {"cf-connecting-ip": address}


async def _exhaust(s: Session, email: str, address: str, more: int = 0) -> list[Answer]:
    limit = limit_of(s.plan)
    assert limit is not None
    count = int(limit.attempts) + more
    return list(await asyncio.gather(*(attempt(s, email, _WRONG, _from(address)) for _ in range(count))))


async def _exact(s: Session) -> None:
    limit = limit_of(s.plan)
    assert limit is not None
    account = await s.account(f"limited{s.number()}")
    # Addresses for documents, so that no other check comes from there.
    texts = []
    for email in (account.email, f"nobody{s.number()}@example.com"):
        answers = await _exhaust(s, email, "192.0.2.1", more=2)
        refused = [a for a in answers if a.status == 429]
        for answer in answers:
            expect(answer, answer.status if answer.status in (401, 429) else 401, "a wrong password")
        if len(refused) != 2:
            raise Fault(f"of {limit.attempts} + 2 wrong passwords at once {len(refused)} were refused", answers[-1])
        texts.append(refused[0].text)
    if texts[0] != texts[1]:
        raise Fault("the limit tells whether there is such an account", refused[0])
    late = expect(await attempt(s, account.email, PASSWORD, _from("192.0.2.1")), 429, "the right password too late")
    wait = late.headers.get("retry-after", "")
    if not wait.isdigit() or not 0 < int(wait) <= limit.minutes * 60:
        raise Fault(f"Retry-After is {wait!r}", late)
    expect(await attempt(s, account.email.upper(), PASSWORD, _from("192.0.2.1")), 429, "the same account in capitals")
    expect(await attempt(s, account.email, PASSWORD, _from("192.0.2.2")), 200, "another address")
    expect(await attempt(s, (await s.account("ann")).email, PASSWORD, _from("192.0.2.1")), 200, "another account")


async def _password(s: Session) -> None:
    limit = limit_of(s.plan)
    assert limit is not None
    account = await s.account(f"guessed{s.number()}")
    headers = {**account.headers, **_from("192.0.2.3")}
    body = {"current_password": _WRONG, "password": "another fine password"}
    tries = [s.client.send("PUT", "/api/auth/password", body, headers=headers) for _ in range(int(limit.attempts) + 1)]
    answers = sorted(await asyncio.gather(*tries), key=lambda a: a.status)
    for answer, status in zip(answers, [422] * int(limit.attempts) + [429], strict=True):
        expect(answer, status, "a wrong password")
    answer = expect(await s.client.send("PUT", "/api/auth/password", {**body, "current_password": PASSWORD}, headers=headers), 429)
    if "retry-after" not in answer.headers:
        raise Fault("the 429 has no Retry-After", answer)


async def _counted(s: Session) -> set[str]:
    """What attempts are counted for just now."""
    rows = await s.query('SELECT DISTINCT "who" FROM "user__attempt"')
    return {str(row["who"]) for row in rows}


async def _fill(s: Session, before: set[str]) -> None:
    """Makes what was counted twice since as many as may be but one: a proof has no time for so many hashes."""
    limit = limit_of(s.plan)
    assert limit is not None
    rows = await s.query('SELECT "who", COUNT(*) AS "count", MAX("at") AS "at" FROM "user__attempt" GROUP BY "who" HAVING COUNT(*) = 2')
    mine = [row for row in rows if str(row["who"]) not in before]
    if len(mine) != 1:
        raise Fault("what fails from one address, or on one account, is not counted, or a right password is")
    sql = 'INSERT INTO "user__attempt" ("id", "who", "at") SELECT \'more-\' || ?1 || "value", ?1, ?2 FROM json_each(?3)'
    await s.query(sql, mine[0]["who"], mine[0]["at"], json.dumps([*range(int(limit.attempts) * _LOOSER - 3)]))


def _late(answer: Answer, minutes: Decimal) -> None:
    wait = expect(answer, 429, "one more").headers.get("retry-after", "")
    if not wait.isdigit() or not 0 < int(wait) <= minutes * 60:
        raise Fault(f"Retry-After is {wait!r}", answer)


async def _address(s: Session) -> None:
    limit = limit_of(s.plan)
    assert limit is not None
    account, here = await s.account(f"neighbour{s.number()}"), _from("198.51.100.1")
    before = await _counted(s)
    for _ in range(3):
        expect(await attempt(s, account.email, PASSWORD, here), 200, "a right password, which does not count")
    nobody = [f"nobody{s.number()}@example.com" for _ in range(4)]
    for email in nobody[:2]:
        expect(await attempt(s, email, _WRONG, here), 401)
    await _fill(s, before)
    expect(await attempt(s, account.email, PASSWORD, here), 200, "the last place, given back")
    expect(await attempt(s, nobody[2], _WRONG, here), 401, "the last place")
    _late(await attempt(s, nobody[3], _WRONG, here), limit.minutes)
    expect(await attempt(s, account.email, PASSWORD, here), 429, "the right password too late")
    expect(await attempt(s, account.email, PASSWORD, _from("198.51.100.2")), 200, "another address")


async def _account(s: Session) -> None:
    limit = limit_of(s.plan)
    assert limit is not None
    account, other = await s.account(f"wanted{s.number()}"), await s.account("ann")
    before = await _counted(s)
    for n in (1, 2):
        expect(await attempt(s, account.email, _WRONG, _from(f"203.0.113.{n}")), 401)
    await _fill(s, before)
    expect(await attempt(s, account.email, PASSWORD, _from("203.0.113.3")), 200, "the last place, given back")
    expect(await attempt(s, account.email, _WRONG, _from("203.0.113.4")), 401, "the last place")
    _late(await attempt(s, account.email, _WRONG, _from("203.0.113.5")), limit.minutes)
    expect(await attempt(s, other.email, PASSWORD, _from("203.0.113.5")), 200, "another account")


async def _again(s: Session) -> None:
    account = await s.account(f"again{s.number()}")
    first, neighbour = "2001:db8:1:2::1", "2001:db8:1:2:ffff::2"
    expect(await attempt(s, account.email, _WRONG, _from(first)), 401)
    mistaken = await _counted(s)
    expect(await attempt(s, account.email, PASSWORD, _from(first)), 200, "one mistake before")
    cleared = mistaken - await _counted(s)
    for answer in await _exhaust(s, account.email, first):
        expect(answer, 401, "a wrong password after a right one")
    expect(await attempt(s, account.email, PASSWORD, _from(neighbour)), 429, "the same network of IPv6")
    expect(await attempt(s, account.email, PASSWORD, _from("2001:db8:1:3::1")), 200, "another network of IPv6")
    mine = cleared & await _counted(s)
    if any("@" in who or "2001" in who for who in mine):
        raise Fault("the table of attempts holds addresses")
    limit = limit_of(s.plan)
    assert limit is not None
    # Nobody waits for the window to end: the attempts on this account alone are made older by it.
    older = f'UPDATE "user__attempt" SET "at" = "at" - {int(limit.minutes) * 60_000} WHERE "who" = ?'
    for who in mine:
        await s.query(older, who)
    expect(await attempt(s, account.email, PASSWORD, _from(first)), 200, "after the window")
