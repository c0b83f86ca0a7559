"""The limit of logins: its line, and faults that the proof finds."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from clodo.blueprint import InvalidBlueprint, format_blueprint, parse
from clodo.bricks.login_limit.language import LoginLimit
from clodo.proof.host import Host
from clodo.toolchain import Toolchain
from tests.bricks.live import users
from tests.bricks.proving import Fault, example_of, expect_caught, proof

FILE = "src/lib/login-limit.ts"
LINES = {
    "login limit 5 per 15 minutes": (5, 15),
    "login limit 10 per minute": (10, 1),
    "login limit 3 per hour": (3, 60),
    "login limit 1000 per 168 hours": (1000, 168 * 60),
}


@pytest.mark.parametrize("line", LINES)
def test_a_line_is_kept_as_it_is(line: str) -> None:
    blueprint = parse(users(line))
    assert format_blueprint(blueprint) == users(line)
    assert blueprint.users is not None
    attempts, minutes = LINES[line]
    assert blueprint.users.parts == (LoginLimit(Decimal(attempts), Decimal(minutes)),)


@pytest.mark.parametrize(("line", "short"), [("5 per 60 minutes", "5 per hour"), ("5 per 1 minute", "5 per minute"), ("5 per 2.5 hours", "5 per 150 minutes")])
def test_there_is_one_way_to_write_it(line: str, short: str) -> None:
    assert format_blueprint(parse(users(f"login limit {line}"))) == users(f"login limit {short}")


@pytest.mark.parametrize(
    ("line", "told"),
    [("2 per hour", "people mistype"), ("5.5 per hour", "people mistype"), ("1001 per hour", "people mistype"),
     ("5 per 0 minutes", "to a week"), ("5 per 0.5 minutes", "to a week"), ("5 per 169 hours", "to a week")],
)  # fmt: skip
def test_an_odd_limit_is_told(line: str, told: str) -> None:
    with pytest.raises(InvalidBlueprint, match=told):
        parse(users(f"login limit {line}"))


_ATOMIC = """      const [, taken, first] = await db.batch<{ at: number | null }>(["""
_IN_STEPS = """      const before = await db.prepare(`SELECT MAX(${COUNT} >= ${MOST}) AS n FROM json_each(?)`).bind(counts).first<{ n: number }>();
      const real = db;
      const [, taken, first] = await (before?.n ? real.batch<{ at: number | null }>([real.prepare("SELECT 1"), real.prepare("SELECT 1"), real.prepare("SELECT NULL AS at")]) : real.batch<{ at: number | null }>([
        real.prepare("SELECT 1"),
        real.prepare(`INSERT INTO "user__attempt" ("id", "who", "at") SELECT ?1 || '/' || "key", ${WHO}, ?2 FROM json_each(?3)`).bind(id, now, counts),
        real.prepare("SELECT NULL AS at"),
      ]));
      void since;
      if (false) await db.batch<{ at: number | null }>(["""
FAULTS = [
    Fault("counted in steps", FILE, _ATOMIC, _IN_STEPS, "login_limit.exact"),
    Fault("one more", FILE, "FROM json_each(?3) WHERE ${COUNT} >= ${MOST})", "FROM json_each(?3) WHERE ${COUNT} > ${MOST})", "login_limit.exact"),
    Fault("all accounts together", FILE, "marked(`${from} ${address}`, attempts)", "marked(from, attempts)", "login_limit.exact"),
    Fault("all addresses together", FILE, "marked(`${from} ${address}`, attempts)", "marked(address, attempts)", "login_limit.exact"),
    Fault("an address may try all accounts", FILE, 'if (from !== "") alone', 'if (from === "no") alone', "login_limit.address"),
    Fault("all addresses may try an account", FILE, "[marked(`account ${address}`, attempts * LOOSER)]", "[marked(`account ${address} ${from}`, attempts * LOOSER)]", "login_limit.account"),
    Fault("an address is stopped as soon as an account", FILE, "marked(`from ${from}`, attempts * LOOSER)", "marked(`from ${from}`, attempts)", "login_limit.address|login_limit.exact"),
    Fault("a right password counts for its address", FILE, "[0, 1, 2].map(", "[0, 1].map(", "login_limit.address"),
    Fault("a right password counts for its account", FILE, "[0, 1, 2].map(", "[0, 2].map(", "login_limit.account"),
    Fault("no Retry-After", FILE, '{ "retry-after": String(wait) }', "{}", "login_limit.exact"),
    Fault("known accounts alone", FILE, "if (taken?.meta.changes !== 0) return;", 'if (taken?.meta.changes !== 0 || address.startsWith("nobody")) return;', "login_limit.exact"),
    Fault("a right password changes nothing", FILE, "'DELETE FROM \"user__attempt\" WHERE \"who\" = ?'", "'DELETE FROM \"user__attempt\" WHERE \"at\" = ?'", "login_limit.again"),
    Fault("an address of IPv6 for each attempt", FILE, "const from = networkOf(", "const from = String(", "login_limit.again"),
    Fault("no end", FILE, '"at" <= ?\').bind(since)', '"at" <= ?\').bind(0)', "login_limit.again"),
    Fault("addresses are kept", FILE, 'mark(c, "attempt", text)', "text", "login_limit.again"),
]


@pytest.mark.workerd
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
def test_a_fault_is_found(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(example_of("login_limit"), tmp_path / "s", toolchain, host, fault)


@pytest.mark.workerd
def test_it_guards_the_present_password_too(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    report = proof(users("login limit 3 per minute", "change password"), tmp_path / "s", toolchain, host)
    assert report.proven, report.summary()
