"""Sessions: their line, what brings them, and faults that the proof finds."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from clodo.blueprint import InvalidBlueprint, format_blueprint, parse
from clodo.blueprint.plan import make_plan
from clodo.bricks.registry import service_tree
from clodo.bricks.sessions.brick import sessions_of
from clodo.bricks.sessions.language import Sessions
from clodo.bricks.sessions.probes import log_in, me, refresh, register
from clodo.proof.host import Host
from clodo.proof.session import Session, expect
from clodo.toolchain import Toolchain
from tests.bricks.live import live, users
from tests.bricks.proving import Fault, example_of, expect_caught

FILE = "src/lib/sessions.ts"


@pytest.mark.parametrize(("line", "days"), [("sessions", 30), ("sessions 14 days", 14), ("sessions 1 day", 1)])
def test_a_line_is_kept_as_it_is(line: str, days: int) -> None:
    blueprint = parse(users(line))
    assert format_blueprint(blueprint) == users(line)
    assert blueprint.users is not None
    assert blueprint.users.parts == (Sessions(Decimal(days)),)


def test_the_usual_is_not_written() -> None:
    assert format_blueprint(parse(users("sessions 30 days"))) == users("sessions")


@pytest.mark.parametrize("days", ["0", "-1", "2.5", "401"])
def test_an_odd_length_is_told(days: str) -> None:
    with pytest.raises(InvalidBlueprint, match="whole number from 1 to 400"):
        parse(users(f"sessions {days} days"))


def test_one_line_is_enough() -> None:
    with pytest.raises(InvalidBlueprint, match="said twice"):
        parse(users("sessions", "sessions 5 days"))


@pytest.mark.parametrize("line", ["cookies", "reset password", "change password"])
def test_what_needs_sessions_brings_them(line: str) -> None:
    assert sessions_of(make_plan(parse(users(line)))) == Sessions()
    assert sessions_of(make_plan(parse(users(line, "sessions 5 days")))) == Sessions(Decimal(5))


@pytest.mark.parametrize("line", ["confirm email", "api keys", "login limit 5 per hour", "manage roles"])
def test_what_needs_none_brings_none(line: str) -> None:
    tree = service_tree(parse(users(line)), users(line))
    assert FILE not in tree
    assert "bearerUser" in tree["src/index.ts"]


FAULTS = [
    Fault("an access token for a day", FILE, "15 * 60", "24 * 60 * 60", "sessions.short"),
    Fault("sessions without end", FILE, "days * DAY_MILLISECONDS", "9 * days * DAY_MILLISECONDS", "sessions.short"),
    Fault("tokens kept as they are", FILE, "hashSecret(", "Promise.resolve(", "sessions.stored"),
    Fault("good more than once", FILE, '"hash" = ? AND "next" IS NULL AND', '"hash" = ? AND', "sessions.reuse"),
    Fault("reuse is without consequence", FILE, 'DELETE FROM "user__session" WHERE "id" = ${session}', 'DELETE FROM "user__session" WHERE FALSE AND "id" = ${session}', "sessions.reuse"),
    Fault("an end that nobody looks at", FILE, 's."expires_at" > ?', "? IS NOT NULL", "sessions.ended"),
    Fault("a refresh token outlives its session", FILE, 'WHERE "expires_at" > ?)', "WHERE ? IS NOT NULL)", "sessions.ended"),
    Fault("any session will do", FILE, 'u."id" = ? AND', "? IS NOT NULL AND", "sessions.forged"),
    Fault("logout does nothing", FILE, 'await endOne(c, user.id, user.session ?? "");', "", "sessions.logout"),
    Fault("logout of everybody", FILE, '"user_id" = ? AND "id" <> ?', "? IS NOT NULL AND \"id\" <> ?", "sessions.logout_all"),
    Fault("anybody ends a session", FILE, '"user_id" = ? AND "id" = ?', "? IS NOT NULL AND \"id\" = ?", "sessions.list"),
]


@pytest.mark.workerd
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
def test_a_fault_is_found(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(example_of("sessions"), tmp_path / "s", toolchain, host, fault)


@pytest.mark.workerd
def test_nothing_grows_without_end(tmp_path: Path, host: Host) -> None:
    """Neither the sessions of an account nor the used tokens of a session; what counts is still known."""
    series = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) INSERT INTO "

    async def run(s: Session) -> None:
        ann, ben = await register(s, "ann"), await register(s, "ben")
        moments = "'2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z', '9999-01-01T00:00:00.000Z'"
        columns = '"user__session" ("id", "user_id", "created_at", "last_used_at", "expires_at")'
        await s.query(f"{series} {columns} SELECT 'old' || i, ?, {moments} FROM n WHERE i <= 70", ben.id)
        await s.query(f"{series} {columns} SELECT '00' || i, ?, {moments} FROM n WHERE i <= 70", ann.id)
        again = await log_in(s, ann)
        [count] = await s.query('SELECT COUNT(*) AS "n" FROM "user__session" WHERE "user_id" = ?', ann.id)
        [others] = await s.query('SELECT COUNT(*) AS "n" FROM "user__session" WHERE "user_id" = ?', ben.id)
        assert (count["n"], others["n"]) == (50, 71)
        await me(s, ann.headers, 200, "the session before")
        [row] = await s.query('SELECT "session_id" FROM "user__refresh" ORDER BY "number" DESC LIMIT 1')
        await s.query(f"{series} \"user__refresh\" (\"hash\", \"session_id\", \"next\") SELECT 'used' || i, ?, 'x' FROM n", row["session_id"])
        body = expect(await refresh(s, again.refresh_token), 200).body
        [count] = await s.query('SELECT COUNT(*) AS "n" FROM "user__refresh" WHERE "session_id" = ?', row["session_id"])
        assert count["n"] == 200
        expect(await refresh(s, body["refresh_token"]), 200)

    live(example_of("sessions"), tmp_path / "s", host, run)
