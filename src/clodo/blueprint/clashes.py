"""Names that meet where they must not: keys of a row, columns, tables, parameters of a list."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from clodo.blueprint.keywords import (
    JS_KEYWORDS,
    LIST_PARAMETERS,
    OBJECT_KEYS,
    ROUTE_NAMES,
    ROW_KEYS,
    SQL_KEYWORDS,
    TABLE_NAMES,
)
from clodo.blueprint.problems import Problem
from clodo.blueprint.values import Blueprint, Entity, Users

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
#: What D1 allows of columns in a table, and in the answer to a query.
MOST_COLUMNS = 100
_USER_KEYS = frozenset({"email", "password", "password_hash", "role", "token", "user"}) | ROW_KEYS


def duplicates(names: Iterable[str], where: str, path: str) -> Iterator[Problem]:
    """Names that stand more than once in a place."""
    for name, count in Counter(names).items():
        if count > 1:
            yield Problem(f"{where} has {name!r} {count} times.", "Rename or remove one.", path)


def name_problems(name: str, path: str) -> Iterator[Problem]:
    """Whether a name can be one of an entity, a field or a relation."""
    if not _NAME.fullmatch(name):
        yield Problem(
            f"{name!r} is not a name.", "Use up to 63 of a-z, 0-9 and _, a letter first.", path
        )
    elif name in OBJECT_KEYS:
        yield Problem(f"{name!r} is a reserved name.", f"Write {name}_value, say.", path)
    elif "__" in name:
        # Tables of links and indexes are told apart from others by this.
        shorter = re.sub("__+", "_", name)
        yield Problem(f"{name!r} has two underscores in a row.", f"Write {shorter}, say.", path)


def _keyword_warning(name: str, path: str, instead: str) -> Iterator[Problem]:
    languages = [n for n, w in (("SQL", SQL_KEYWORDS), ("JavaScript", JS_KEYWORDS)) if name in w]
    if languages:
        yield Problem(
            f"{name!r} is a keyword of {' and '.join(languages)}.",
            f"It works, since the generated code quotes it; {instead} would read better.",
            path,
            severity="warning",
        )


def user_names(users: Users) -> Iterator[Problem]:
    """The names of profile fields, and how many there are."""
    yield from duplicates([f.name for f in users.fields], "users", "user")
    for f in users.fields:
        path = f"user.{f.name}"
        yield from name_problems(f.name, path)
        if f.name in _USER_KEYS:
            yield Problem(f"Users have {f.name!r} already.", "Remove it or choose another name.", path)
    yield from _column_count("Users", len(users.fields) + 6, "user")


def entity_names(b: Blueprint, e: Entity) -> Iterator[Problem]:
    """The name of an entity, which is one of a table and of a route too."""
    yield from name_problems(e.name, e.name)
    yield from _keyword_warning(e.name, e.name, f"{e.name}_record")
    if e.name in ROUTE_NAMES:
        yield Problem(
            f"{e.name!r} is a route of the service itself.", f"Write {e.name}_entry, say.", e.name
        )
    if e.name in TABLE_NAMES or e.name.startswith("sqlite_"):
        instead = e.name.removeprefix("sqlite_").removeprefix("d1_") or "thing"
        yield Problem(f"{e.name!r} is a name that the database keeps for itself.", f"Write {instead}, say.", e.name)
    if e.name == "user" and b.users is not None:
        yield Problem(
            "'user' is the service's own users here.",
            "Move its fields into the block 'users', or rename the entity.",
            e.name,
        )


def row_keys(b: Blueprint, e: Entity) -> frozenset[str]:
    """The keys that the rows of an entity have of themselves."""
    keys = {"id"}
    if e.timestamps:
        keys |= {"created_at", "updated_at"}
    if b.is_owned(e):
        keys.add("owner_id")
    if e.soft_delete:
        keys.add("deleted_at")
    return frozenset(keys)


def member_names(b: Blueprint, e: Entity) -> Iterator[Problem]:
    """The names of fields, references and links, and the keys that rows have by them."""
    fields = [f.name for f in e.fields]
    names = fields + [r.name for r in e.references] + [m.name for m in e.links]
    yield from duplicates(names, e.name, e.name)
    for name in names:
        path = f"{e.name}.{name}"
        yield from name_problems(name, path)
        yield from _keyword_warning(name, path, f"{e.name}_{name}")
        if name in LIST_PARAMETERS:
            yield Problem(
                f"{name!r} is a parameter of every list.", f"Write {e.name}_{name}, say.", path
            )
    reserved = row_keys(b, e)
    keys = {f: f for f in fields} | {r.name: f"{r.name}_id" for r in e.references}
    for name, key in keys.items():
        if key in reserved:
            yield Problem(
                f"Rows of {e.name} have {key!r} already.", "Remove it or choose another name.", f"{e.name}.{name}"
            )
    for r in e.references:
        key = f"{r.name}_id"
        if key in fields:
            yield Problem(
                f"The reference {r.name!r} makes the key {key!r}, which is a field of {e.name} too.",
                "Remove the field, or rename one of the two.",
                f"{e.name}.{key}",
            )
    yield from _column_count(f"Rows of {e.name}", len(e.fields) + len(e.references) + len(reserved), e.name)
    yield from _hidden_filters(e)


def _column_count(whose: str, count: int, path: str) -> Iterator[Problem]:
    if count > MOST_COLUMNS:
        yield Problem(
            f"{whose} have {count} columns, and D1 allows {MOST_COLUMNS}.",
            f"Remove {count - MOST_COLUMNS}, or move some into another entity.",
            path,
        )


def _hidden_filters(e: Entity) -> Iterator[Problem]:
    names = {f.name for f in e.fields}
    for f in e.fields:
        for side in ("min", "max"):
            if (f.type.is_number or f.type.is_temporal) and f"{f.name}_{side}" in names:
                yield Problem(
                    f"Lists of {e.name} cannot be filtered by a range of {f.name!r}: {f.name}_{side} is a field.",
                    f"Rename it to {side}_{f.name}, say.",
                    f"{e.name}.{f.name}_{side}",
                    severity="warning",
                )
