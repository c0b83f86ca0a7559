"""Checks of the database's own schema, for what no request shows: rows that refer to nothing are refused by the service before
the database sees them, and a missing index only costs time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from clodo.blueprint.plan import Plan, is_owned
from clodo.blueprint.values import Entity, FieldType
from clodo.proof.check import Check
from clodo.proof.session import Fault, Session

_FOREIGN_KEYS = (
    'SELECT t."name" AS "of", k."from" AS "key", k."table" AS "to", k."on_delete" AS "then" '
    "FROM sqlite_schema t, pragma_foreign_key_list(t.\"name\") k WHERE t.\"type\" = 'table'"
)
_INDEXES = (
    'SELECT t."name" AS "of", i."name" AS "index", c."name" AS "key" '
    'FROM sqlite_schema t, pragma_index_list(t."name") i, pragma_index_info(i."name") c '
    "WHERE t.\"type\" = 'table' ORDER BY i.\"name\", c.\"seqno\""
)
#: What lists sort by without an index, if they do at all.
_LARGE = (FieldType.JSON, FieldType.LIST, FieldType.LONG_TEXT)


def schema_checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan that stores rows."""
    if plan.blueprint.entities:
        yield Check("resources.foreign-keys", "the database itself keeps every reference, and its 'on delete'", partial(_foreign_keys, plan))
        yield Check("resources.indexes", "references and what lists sort by have an index", partial(_indexes, plan))


def _references(plan: Plan) -> Iterator[tuple[str, str, str, str]]:
    """Table, column, the table that it refers to, and what becomes of the row when that one's is deleted."""
    for e in plan.blueprint.entities:
        for r in e.references:
            yield e.name, f"{r.name}_id", r.target, str(r.on_delete).upper()
        if is_owned(plan.blueprint, e):
            yield e.name, "owner_id", "user", "CASCADE"
    for link in plan.links:
        yield link.table, link.source_column, link.source.name, "CASCADE"
        yield link.table, link.target_column, link.target.name, "CASCADE"


async def _foreign_keys(plan: Plan, s: Session) -> None:
    kept = {(k["of"], k["key"], k["to"], k["then"]) for k in await s.query(_FOREIGN_KEYS)}
    for table, column, target, then in _references(plan):
        if (table, column, target, then) not in kept:
            raise Fault(f"{table}.{column} does not refer to {target} with 'on delete {then.lower()}' in the database")


def _sorted_by(plan: Plan, e: Entity) -> Iterator[str]:
    for f in e.fields:
        if f.computed is None and not f.write_only and f.type not in _LARGE:
            yield f.name
    yield from (f"{r.name}_id" for r in e.references)
    if is_owned(plan.blueprint, e):
        yield "owner_id"
    if e.timestamps:
        yield from ("created_at", "updated_at")


async def _indexes(plan: Plan, s: Session) -> None:
    found: dict[tuple[str, str], list[str]] = {}
    for part in await s.query(_INDEXES):
        found.setdefault((part["of"], part["index"]), []).append(part["key"])
    for e in plan.blueprint.entities:
        # Of rows that are only ever listed within something, that comes first.
        first = {next((c for c in columns if c not in e.unique_within), "") for (table, _), columns in found.items() if table == e.name}
        first |= {columns[0] for (table, _), columns in found.items() if table == e.name}
        for column in _sorted_by(plan, e):
            if column not in first:
                raise Fault(f"no index of {e.name} begins with {column}, by which its rows are found or sorted")
    for link in plan.links:
        begun = {columns[0] for (table, _), columns in found.items() if table == link.table}
        for column in (link.source_column, link.target_column):
            if column not in begun:
                raise Fault(f"no index of {link.table} begins with {column}")
