"""Values with which conditions hold, or do not: whatever the row has before, and whatever the time is. SQLite tells whether they do."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from typing import Any

import pytest

from clodo.blueprint.evaluation import moved
from clodo.blueprint.formulas import Scope
from clodo.blueprint.values import Entity, Expression, Not
from clodo.bricks.locks.language import ChangeWhen
from clodo.bricks.rules.samples import made_to_hold
from clodo.emit.expressions import Place, sql
from tests.bricks.tables import put, tables

NOW = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def with_condition(condition: str) -> tuple[sqlite3.Connection, Entity, Expression, str]:
    """A table of rows, its entity, a condition on them and its SQL."""
    db, b = tables(
        "service x\n\nentity hold {\n  at: datetime\n  until: datetime\n  day: date\n  last: date\n  n: integer\n  m: integer\n"
        f"  no timestamps\n  change when {condition}\n}}\n"
    )
    e = b.entities[0]
    condition_of = e.parts_of(ChangeWhen)[0].condition
    return db, e, condition_of, sql(condition_of, Place(Scope(b, e), '"hold".', '"hold".'))


def holds(db: sqlite3.Connection, where: str, row: dict[str, Any]) -> Any:
    """What SQLite says of a condition on a row."""
    put(db, "hold", id="h", **row)
    [(found,)] = db.execute(f'SELECT {where} FROM "hold"').fetchall()
    return found


@pytest.mark.parametrize("days", [-400, -10, -1, 0, 1, 10, 400])
@pytest.mark.parametrize(
    "condition",
    [
        *(f"at {operator} now" for operator in ("<", "<=", ">", ">=")),
        "at < now - days(30)", "at <= now - weeks(2)", "at > now - hours(2)", "at >= now + minutes(90)", "now - months(2) > at",
        *(f"day {operator} today" for operator in ("<", "<=", ">", ">=", "=", "!=")),
        "day < today - days(7)", "day = today + days(3)", "day >= today + years(1)", "today + days(14) < day",
        "at < today", "at > today", "at >= today + days(3)", "day < now - days(2)", "day > now + hours(50)", "day = now",
        "at + days(30) < now", "at - hours(3) > now", "now > day + weeks(1)", "now - at > 30", "now - at <= 2", "day - today >= 7", "today - day < 2",
        "until - at <= 3", "until - at > 3", "at + days(2) < until", "day - last = 4", "n + m > 20", "n - m >= 7", "m - n >= 7", "n + 3 = m - 4",
    ],
)  # fmt: skip
def test_values_are_found_with_which_a_condition_holds(condition: str, days: int) -> None:
    db, e, wanted, where = with_condition(condition)
    row = {"at": moved(NOW, days), "until": moved(NOW, -days), "day": moved(NOW[:10], days), "last": moved(NOW[:10], -days), "n": days, "m": -days}
    held, broken = dict(row), dict(row)
    made_to_hold(e, wanted, held)
    made_to_hold(e, Not(wanted), broken)
    assert holds(db, where, held) == 1, held
    db.execute('DELETE FROM "hold"')
    assert holds(db, where, broken) == 0, broken
