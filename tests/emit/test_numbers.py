"""Numbers in the database: the dust of binary fractions, and sums that are too large."""

from __future__ import annotations

import sqlite3

import pytest

from clodo.blueprint import parse
from clodo.blueprint.plan import make_plan
from clodo.bricks.reports.brick import column_sql
from clodo.bricks.reports.language import Report
from clodo.emit.expressions import computed_sql
from tests.bricks.tables import carry_out, put, tables

BILLS = """service bills

entity invoice {
  total: money required
  paid: money required default 0
  open: money = total - paid
  parts: integer required default 1
  rest: integer = parts + 1
  no timestamps

  action pay(amount: money required, from: -> invoice required) {
    when amount <= from.open
    set paid = paid + amount
  }
}

entity payment {
  amount: money required
  parts: integer
  invoice: -> invoice required
  no timestamps
  check amount <= invoice.open
  check parts <= invoice.rest
  check invoice.open in (0.2, 0.4)
}
"""


def test_computed_numbers_of_other_rows_are_compared_without_dust() -> None:
    db, b = tables(BILLS)
    put(db, "invoice", id="i", total=30, paid=10, parts=1)  # 0.30 - 0.10 is a little less than 0.20
    put(db, "payment", id="p", amount=20, invoice_id="i")
    with pytest.raises(sqlite3.IntegrityError):
        put(db, "payment", id="q", amount=21, invoice_id="i")
    db.execute("DELETE FROM payment")
    carry_out(db, b, "invoice", "pay", "i", 20, "i")
    made = str(db.execute("SELECT group_concat(sql) FROM sqlite_master").fetchone())
    assert 'ROUND(NEW."parts"' not in made  # whole numbers have none


LARGE = 2**53 - 1
COUNTERS = """service counters

entity hall {
  name: text
  counted: integer = sum(counter.n where hall = this)
  doubled: integer = sum(counter.twice where hall = this)
  owed: money = sum(counter.fee where hall = this)
  no timestamps

  action close {
    when sum(counter.n where hall = this) > 5 "Too few."
    set name = "closed"
  }
}

entity counter {
  n: integer
  twice: integer = n + n
  fee: money
  hall: -> hall required
  no timestamps
}

report all {
  from counter
  show sum(n), sum(fee), sum(twice), sum(hall.counted) as halls
}
"""


def columns(db: sqlite3.Connection, entity: str, names: str) -> tuple[object, ...]:

    b = parse(COUNTERS)
    e = b.entity(entity)
    assert e is not None
    made = [computed_sql(f.computed, e, b) for name in names.split() if (f := e.field(name)) is not None and f.computed is not None]
    [row] = db.execute(f'SELECT {", ".join(made)} FROM "{entity}"').fetchall()
    return tuple(row)


def reported(db: sqlite3.Connection) -> tuple[object, ...]:

    plan = make_plan(parse(COUNTERS))
    [report] = plan.blueprint.parts_of(Report)
    [row] = db.execute(f'SELECT {", ".join(column_sql(plan, report, c) for c in report.show)} FROM "counter"').fetchall()
    return tuple(row)


def test_a_sum_does_not_fail_however_large_it_is() -> None:
    db, b = tables(COUNTERS)
    put(db, "hall", id="h")
    for n in range(1025):
        put(db, "counter", id=f"c{n}", n=LARGE, fee=900_000_000_000_000, hall_id="h")
    found = [*columns(db, "hall", "counted doubled owed"), *reported(db)]
    assert all(isinstance(n, int | float) and n > 9e12 for n in found), found
    assert found[3] == pytest.approx(1025 * LARGE)
    carry_out(db, b, "hall", "close", "h")


def test_sums_of_whole_numbers_are_whole_and_exact() -> None:
    db, _ = tables(COUNTERS)
    put(db, "hall", id="h")
    assert columns(db, "hall", "counted doubled owed") == (0, 0, 0)
    for n in (LARGE - 8, 3, None, 4):
        put(db, "counter", id=f"c{n}", n=n, fee=10, hall_id="h")
    found = columns(db, "hall", "counted owed")
    assert found == (LARGE - 1, 0.4) and isinstance(found[0], int)
    assert reported(db)[:2] == (LARGE - 1, 0.4)
