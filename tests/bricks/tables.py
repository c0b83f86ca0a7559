"""The tables of a service in Python's own SQLite, for tests of the SQL alone."""

from __future__ import annotations

import sqlite3
from typing import Any

from clodo.blueprint import parse
from clodo.blueprint.plan import make_plan
from clodo.blueprint.values import Blueprint
from clodo.bricks.actions.statements import assertion, effects
from clodo.bricks.actions.values import Action
from clodo.bricks.registry import service_tree


def tables(source: str) -> tuple[sqlite3.Connection, Blueprint]:
    """An empty database with the tables and triggers of a service, and its blueprint with all that follows from it."""
    blueprint = parse(source)
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.execute("PRAGMA foreign_keys = ON")
    db.executescript(str(service_tree(blueprint, source)["migrations/0001_init.sql"]))
    return db, make_plan(blueprint).blueprint


def put(db: sqlite3.Connection, table: str, **values: Any) -> None:
    """Stores a row."""
    names, places = ", ".join(f'"{name}"' for name in values), ", ".join("?" * len(values))
    db.execute(f'INSERT INTO "{table}" ({names}) VALUES ({places})', [*values.values()])


def carry_out(db: sqlite3.Connection, b: Blueprint, entity: str, name: str, id: str, *given: Any, caller: str | None = None) -> None:
    """Carries out an action; ``given`` are its parameters and the ids of new rows."""
    e = b.entity(entity)
    assert e is not None
    action = next(a for a in e.parts_of(Action) if a.name == name)
    values = [id, caller, "2026-03-01T10:20:30.000Z", "2026-03-01", *given]
    for one in [assertion(b, e, action), *effects(b, e, action)]:
        db.execute(one.sql, values[: one.uses])
