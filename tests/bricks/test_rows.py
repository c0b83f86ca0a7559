"""Lines ``set`` that change several rows: their values are those from before the line."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from clodo.blueprint import InvalidBlueprint, parse
from clodo.proof.host import Host
from clodo.toolchain import Toolchain
from tests.bricks.proving import Fault, checks_of, expect_caught, proof
from tests.bricks.tables import carry_out, put, tables


def bank(line: str) -> str:
    return f"""service bank

entity account {{
  note: text
  balance: integer required default 0
  double: integer = balance * 2
  twin: -> account
  no timestamps

  action move(to: -> account required) {{
    set {line}
  }}
}}
"""


def rows(db: sqlite3.Connection) -> dict[str, tuple[str | None, int, str | None]]:
    return {id: (note, balance, twin) for id, note, balance, twin in db.execute("SELECT id, note, balance, twin_id FROM account")}


def moved(line: str, to: str = "b") -> dict[str, tuple[str | None, int, str | None]]:
    """What an action with one line leaves of a (90, whose twin is c), b (17) and c (5)."""
    db, b = tables(bank(line))
    for id, balance in (("c", 5), ("b", 17)):
        put(db, "account", id=id, balance=balance)
    put(db, "account", id="a", balance=90, twin_id="c")
    carry_out(db, b, "account", "move", "a", to)
    return rows(db)


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ('note = "moved", to.balance = to.balance + balance, balance = 0', {"a": ("moved", 0, "c"), "b": (None, 107, None)}),
        ("balance = 0, to.balance = to.balance + this.balance", {"a": (None, 0, "c"), "b": (None, 107, None)}),
        ("balance = 0, to.balance = double", {"a": (None, 0, "c"), "b": (None, 180, None)}),
        ("to.balance = 0, balance = balance + to.double", {"a": (None, 124, "c"), "b": (None, 0, None)}),
        ("twin = to, twin.balance = twin.balance + 1", {"a": (None, 90, "b"), "b": (None, 17, None), "c": (None, 6, None)}),
        ("to.balance = 1, twin.balance = to.balance, balance = twin.balance", {"a": (None, 5, "c"), "b": (None, 1, None), "c": (None, 17, None)}),
        ("to.balance = 1, twin.balance = sum(account.balance where balance > 0)", {"b": (None, 1, None), "c": (None, 112, None)}),
    ],
)
def test_the_values_are_those_from_before(line: str, wanted: dict[str, object]) -> None:
    assert moved(line).items() >= wanted.items()


def test_a_row_may_be_named_twice() -> None:
    assert moved("balance = balance - 7, to.balance = to.balance + 7", to="a")["a"] == (None, 90, "c")
    assert moved('note = "x", twin.note = to.note', to="a")["c"] == (None, 5, None)
    assert moved("to.balance = to.balance + 7, twin.balance = twin.balance - 7", to="c")["c"] == (None, 5, None)


@pytest.mark.parametrize(
    "line",
    [
        "balance = to.balance, to.balance = balance",
        "balance = to.balance, to.balance = twin.balance, twin.balance = balance",
        "balance = sum(account.balance where note is empty), to.balance = double",
        "twin = to, twin.balance = 1, balance = twin.balance, twin.note = note, note = twin.note",
    ],
)
def test_what_no_order_can_do_is_refused(line: str) -> None:
    with pytest.raises(InvalidBlueprint) as caught:
        parse(bank(line))
    assert "each need a value that another of them sets" in caught.value.message


MOVING = """service bank

entity account {
  note: text
  balance: integer required min 0 max 500 default 50

  action move(to: -> account required) {
    when this != to "It is the same one."
    set note = "moved", to.balance = to.balance + balance, balance = 0
  }
}
"""
_OWN = '    { sql: "UPDATE \\"account\\" SET \\"note\\" = \'moved\', \\"balance\\" = 0, \\"updated_at\\" = ?3 FROM \\"account\\" AS \\"t\\" WHERE \\"account\\".\\"id\\" = \\"t\\".\\"id\\" AND \\"t\\".\\"id\\" = ?1", uses: 3 },\n'
FAULT = Fault("the row itself goes first", "src/actions.ts", "  effects: [\n", "  effects: [\n" + _OWN, "actions.does")


@pytest.mark.workerd
@pytest.mark.parametrize("fault", [None, FAULT], ids=["sound", "fault"])
def test_all_that_there_is_is_moved(fault: Fault | None, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    if fault is not None:
        expect_caught(MOVING, tmp_path / "s", toolchain, host, fault, checks=checks_of("actions"))
        return
    report = proof(MOVING, tmp_path / "s", toolchain, host, types=True, checks=checks_of("actions"))
    assert report.proven, report.summary()
