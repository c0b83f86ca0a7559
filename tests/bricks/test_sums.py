"""Numbers that steps add to or take from: what is empty counts as 0, in the database, in guards and in schedules; planted faults."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from clodo.blueprint import parse
from clodo.blueprint.plan import Plan, make_plan
from clodo.blueprint.values import Blueprint
from clodo.bricks.actions.statements import scheduled
from clodo.bricks.actions.values import UpdateRows
from clodo.bricks.registry import service_checks, service_tree
from clodo.bricks.schedules.brick import chosen
from clodo.bricks.schedules.language import RunAction, Schedule
from clodo.proof.check import Check
from clodo.proof.host import Host
from clodo.toolchain import Toolchain
from tests.bricks.proving import Fault, example_of, expect_caught, proof
from tests.bricks.tables import carry_out, put, tables

ACCOUNTS = """service x

entity bank {
  name: text required
  held: money
  least: integer
  action take_one {
    when least < 3
    set least = least + 1
  }
}

entity account {
  name: text required
  balance: money
  most: money required
  room: money = most - balance
  moves: integer
  until: date
  bank: -> bank required
  parent: -> account
  no timestamps
  action put_in(amount: money min 0, times: integer min 1, longer: integer) {
    when balance + amount <= most or amount is empty "Too much."
    when room > 0 "Full."
    set balance = balance + amount * times - 0, moves = moves + 1, bank.held = bank.held + amount, until = until + days(longer) + weeks(1)
  }
  action take(amount: money required) {
    when balance >= amount "Not so much is there."
    set balance = balance - amount
  }
  action double {
    set balance = balance * 2
  }
  action new_only {
    when balance is empty "It is in use."
    set balance = 7 + balance
  }
  action share(balance: money) {
    set balance = this.balance + balance, parent.balance = parent.balance - balance
    update account set moves = moves + 1 where moves < 5 and bank = this.bank
  }
}

every hour {
  update account set moves = moves + 1 where moves < 9
  run take_one on bank where name = "b"
}
"""


def accounts(**values: object) -> tuple[sqlite3.Connection, Blueprint]:
    """The tables, with an account ``a`` of a bank; what is not among the values is empty."""
    db, b = tables(ACCOUNTS)
    put(db, "bank", id="b", name="b", created_at="", updated_at="")
    put(db, "account", id="a", name="a", bank_id="b", **{"most": 10_000, **values})
    return db, b


def first(db: sqlite3.Connection, columns: str, table: str = "account") -> object:
    return db.execute(f'SELECT {columns} FROM "{table}" ORDER BY "id"').fetchone()


def test_an_empty_number_that_is_added_to_counts_as_0() -> None:
    db, b = accounts()
    carry_out(db, b, "account", "put_in", "a", 250, 2, 1)
    assert first(db, "balance, moves, until") == (500, 1, None)
    assert first(db, "held", "bank") == (250,)
    carry_out(db, b, "account", "put_in", "a", 250, 2, 1)
    assert first(db, "balance, moves") == (1000, 2)


def test_what_is_added_and_not_given_counts_as_0() -> None:
    db, b = accounts(balance=300, moves=4, until="2026-03-01")
    carry_out(db, b, "account", "put_in", "a", None, 3, None)
    assert first(db, "balance, moves, until") == (300, 5, "2026-03-08")
    carry_out(db, b, "account", "put_in", "a", 100, None, 2)
    assert first(db, "balance, moves, until") == (300, 6, "2026-03-17")
    assert first(db, "held", "bank") == (100,)


@pytest.mark.parametrize(("balance", "amount", "fine"), [(None, 10_000, True), (None, 10_001, False), (9_999, 1, True), (9_999, 2, False), (10_000, 0, False)])
def test_guards_take_it_as_0_too(balance: int | None, amount: int, fine: bool) -> None:
    db, b = accounts(balance=balance)
    if not fine:
        with pytest.raises(sqlite3.OperationalError, match="malformed JSON"):
            carry_out(db, b, "account", "put_in", "a", amount, 1, 1)
        return
    carry_out(db, b, "account", "put_in", "a", amount, 1, 1)
    assert first(db, "balance") == ((balance or 0) + amount,)


def test_what_is_taken_from_nothing_is_refused_by_its_guard() -> None:
    db, b = accounts()
    with pytest.raises(sqlite3.OperationalError, match="malformed JSON"):
        carry_out(db, b, "account", "take", "a", 1)
    carry_out(db, b, "account", "take", "a", 0)
    assert first(db, "balance") == (0,)


def test_whether_it_is_empty_is_told_as_before() -> None:
    db, b = accounts()
    carry_out(db, b, "account", "double", "a")
    assert first(db, "balance") == (None,), "nothing is added to it"
    carry_out(db, b, "account", "new_only", "a")
    assert first(db, "balance") == (700,)
    with pytest.raises(sqlite3.OperationalError, match="malformed JSON"):
        carry_out(db, b, "account", "new_only", "a")


def test_a_parameter_of_the_same_name_is_what_is_added() -> None:
    db, b = accounts(moves=4)
    put(db, "account", id="p", name="p", bank_id="b", most=1)
    put(db, "account", id="q", name="q", bank_id="b", most=1, parent_id="p", balance=50, moves=5)
    carry_out(db, b, "account", "share", "q", 200)
    assert db.execute('SELECT "id", balance, moves FROM account ORDER BY "id"').fetchall() == [("a", None, 5), ("p", -200, 1), ("q", 250, 5)]
    carry_out(db, b, "account", "share", "q", None)
    assert db.execute('SELECT "id", balance, moves FROM account ORDER BY "id"').fetchall() == [("a", None, 5), ("p", -200, 2), ("q", 250, 5)]


def test_schedules_take_it_as_0_too() -> None:
    db, b = accounts()
    update, run = b.parts_of(Schedule)[0].work
    assert isinstance(update, UpdateRows) and isinstance(run, RunAction)
    one = scheduled(b, update)
    for _ in range(2):
        db.execute(one.sql, ["2026-03-01T10:20:30.000Z", "2026-03-01"][: one.uses])
    assert first(db, "moves") == (2,)
    where = chosen(make_plan(parse(ACCOUNTS)), run)
    assert first(db, f'"id" FROM "bank" WHERE {where.sql} --', "bank") == ("b",), "its guard refuses nobody whose number is empty"


def test_what_is_always_there_is_added_as_it_is() -> None:
    b = parse(example_of("actions"))
    written = service_tree(b, example_of("actions"))["src/actions.ts"]
    assert '\\"copies\\" = CAST(ROUND((\\"t\\".\\"copies\\" - 1)) AS INTEGER)' in written


# -- in a service -----------------------------------------------------------------------------

INDEX = "src/actions.ts"
FAULTS = [
    Fault("an empty number stays empty", INDEX, 'COALESCE(\\"t\\".\\"least\\", 0) + 1', '\\"t\\".\\"least\\" + 1', "actions.empty"),
    Fault("an empty number of another row stays empty", INDEX, 'COALESCE(\\"r0\\".\\"held\\", 0)', '\\"r0\\".\\"held\\"', "actions.empty"),
    Fault("what is empty is refused", INDEX, 'COALESCE(\\"t\\".\\"least\\", 0) < 3', '\\"t\\".\\"least\\" < 3', "actions.empty"),
    Fault("nothing given empties it", INDEX, "+ COALESCE((?5 / 100.0), 0)", "+ (?5 / 100.0)", "actions.empty"),
    Fault("no days given empty the date", INDEX, "COALESCE(?7, 0)", "?7", "actions.empty"),
    Fault("an empty number counts as 1", INDEX, 'COALESCE(\\"t\\".\\"moves\\", 0)', 'COALESCE(\\"t\\".\\"moves\\", 1)', "actions.empty"),
]  # fmt: skip


def steps(plan: Plan) -> Iterator[Check]:
    """The checks of actions and schedules."""
    return (check for check in service_checks(plan) if check.id.startswith(("actions.", "schedules.")))


@pytest.mark.workerd
def test_a_service_with_such_steps_is_proven(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    report = proof(ACCOUNTS, tmp_path / "s", toolchain, host, checks=steps)
    assert report.proven, report.summary()
    # Two guards of one step look at the same number: no row is found that barely meets both.
    assert [f"{e.id} {e.rule}" for e in report.evidence if e.outcome == "skipped"] == ["actions.at-once account.put in: many calls at once do no more than one after the other"]
    assert sum(e.id == "actions.empty" for e in report.evidence) == 10


@pytest.mark.workerd
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name.replace(" ", "-"))
def test_planted_fault_is_caught(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(ACCOUNTS, tmp_path / "s", toolchain, host, fault, checks=steps)
