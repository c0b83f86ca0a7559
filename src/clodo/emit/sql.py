"""The first migration: tables, constraints and indexes."""

from __future__ import annotations

from collections.abc import Sequence

from clodo.blueprint.constants import MOST_MONEY, SAFE_INTEGER, normal
from clodo.blueprint.constructs import assigned_fields
from clodo.blueprint.plan import LinkTable, Plan, is_owned
from clodo.blueprint.ranges import lengths
from clodo.blueprint.text import number
from clodo.blueprint.values import Blueprint, Entity, Field, FieldType, OnDelete

_TYPES = {
    FieldType.INTEGER: "INTEGER",
    FieldType.DECIMAL: "REAL",
    FieldType.MONEY: "INTEGER",
    FieldType.BOOLEAN: "INTEGER",
}
_ACTIONS = {
    OnDelete.RESTRICT: "RESTRICT",
    OnDelete.CASCADE: "CASCADE",
    OnDelete.SET_NULL: "SET NULL",
}


def migration(plan: Plan, more: Sequence[str] = ()) -> str:
    """``migrations/0001_init.sql``: the tables, then the statements that bricks add."""
    b = plan.blueprint
    parts = []
    if b.users is not None:
        parts.append(_users_table(b))
    # Each table stands behind those that it refers to, as far as that is possible.
    parts += [_table(b, e) for e in _in_order(b.entities)]
    parts += [_link_table(link) for link in plan.links]
    parts += more
    # Tools that apply migrations refuse one without a statement.
    return "\n\n".join(parts or ["-- Nothing is stored yet.\nSELECT 1;"]) + "\n"


def _in_order(entities: tuple[Entity, ...]) -> list[Entity]:
    done: list[Entity] = []
    todo = list(entities)
    names = {e.name for e in entities}
    while todo:
        placed = {e.name for e in done}
        ready = [
            e
            for e in todo
            if all(r.target in placed | {e.name} or r.target not in names for r in e.references)
        ]
        chosen = ready or todo[:1]  # a cycle of optional references: any order will do
        done += chosen
        todo = [e for e in todo if e not in chosen]
    return done


def _users_table(b: Blueprint) -> str:
    assert b.users is not None
    columns = [
        '"id" TEXT PRIMARY KEY NOT NULL',
        '"email" TEXT NOT NULL UNIQUE',
        '"password_hash" TEXT NOT NULL',
        "\"role\" TEXT NOT NULL DEFAULT 'user'",
        *(_column(f) for f in b.users.fields),
        '"created_at" TEXT NOT NULL',
        '"updated_at" TEXT NOT NULL',
    ]
    groups = [[f.name] for f in b.users.fields if f.unique] + _distinct(b.users.unique)
    return "\n".join([_create("user", columns), *(_index("user", group, unique=True) for group in groups)])


def _create(name: str, columns: list[str], *, suffix: str = "") -> str:
    body = ",\n".join(f"  {c}" for c in columns)
    return f'CREATE TABLE "{name}" (\n{body}\n){suffix};'


def _column(f: Field, *, worked_out: bool = False) -> str:
    """A column; ``worked_out``: values get into it that no body held."""
    parts = [f'"{f.name}"', _TYPES.get(f.type, "TEXT")]
    if f.required:
        parts.append("NOT NULL")
    check = " AND ".join(filter(None, [_check(f), _worked_out_check(f) if worked_out or f.worked_out is not None else ""]))
    if check:
        parts.append(f"CHECK ({check})")
    return " ".join(parts)


def _check(f: Field) -> str:
    """A second line of defence behind the body checks, for enums and numeric bounds."""
    column = f'"{f.name}"'
    if f.type is FieldType.ENUM:
        return f"{column} IN ({', '.join(_text(v) for v in f.values)})"
    if f.type is FieldType.BOOLEAN:
        return f"{column} IN (0, 1)"
    if not f.type.is_number:
        return ""
    scale = 100 if f.type is FieldType.MONEY else 1
    rules = []
    for bound, inclusive, exclusive in ((f.minimum, ">=", ">"), (f.maximum, "<=", "<")):
        if bound is not None and not isinstance(bound.value, str):
            operator = exclusive if bound.exclusive else inclusive
            rules.append(f"{column} {operator} {number(bound.value * scale)}")
    return " AND ".join(rules)


def _worked_out_check(f: Field) -> str:
    """What a body is checked for, for values that the database itself works out: defaults where an action makes a row, and what actions
    and schedules store. It refuses nothing that a body may hold: characters are no more than JavaScript counts, and bytes no fewer."""
    if f.hashed:
        return ""
    column = f'"{f.name}"'
    if f.type in (FieldType.TEXT, FieldType.LONG_TEXT):
        low, high = lengths(f)
        return " AND ".join(
            [
                *([f"length(CAST({column} AS BLOB)) >= {low}"] if low else []),
                f"length({column}) <= {high}",
            ]
        )
    if f.type.is_temporal:
        bounds = [(f"{'>' if b.exclusive else '>='}", b) for b in (f.minimum,) if b] + [
            (f"{'<' if b.exclusive else '<='}", b) for b in (f.maximum,) if b
        ]
        kept = [f"{column} {sign} {_text(str(normal(f.type, b.value)))}" for sign, b in bounds]
        return " AND ".join([f"{column} >= '0000'" if f.type is not FieldType.TIME else "", *kept]).removeprefix(" AND ")
    most = {FieldType.INTEGER: SAFE_INTEGER, FieldType.MONEY: MOST_MONEY * 100, FieldType.DECIMAL: "1.7976931348623157e308"}.get(f.type)
    return f"{column} BETWEEN -{most} AND {most}" if most else ""


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _table(b: Blueprint, e: Entity) -> str:
    owned = is_owned(b, e)
    columns = ['"id" TEXT PRIMARY KEY NOT NULL']
    assigned = assigned_fields(b)
    columns += [_column(f, worked_out=(e.name, f.name) in assigned) for f in e.fields if f.computed is None]
    for r in e.references:
        null = " NOT NULL" if r.required else ""
        columns.append(
            f'"{r.name}_id" TEXT{null} REFERENCES "{r.target}"("id") ON DELETE {_ACTIONS[r.on_delete]}'
        )
    if owned:
        columns.append('"owner_id" TEXT NOT NULL REFERENCES "user"("id") ON DELETE CASCADE')
    if e.timestamps:
        columns += ['"created_at" TEXT NOT NULL', '"updated_at" TEXT NOT NULL']
    if e.soft_delete:
        columns.append('"deleted_at" TEXT')
    return "\n".join([_create(e.name, columns), *_indexes(e, owned)])


def _indexes(e: Entity, owned: bool) -> list[str]:
    """Uniqueness, and an index for every reference and every field of a size that lists sort by."""
    # A row that is only hidden does not keep its unique values from others.
    shown = ' WHERE "deleted_at" IS NULL' if e.soft_delete else ""
    keys = {r.name: f"{r.name}_id" for r in e.references}
    within = list(e.unique_within)
    out = []
    for f in e.fields:
        if f.unique:
            out.append(_index(e.name, [*within, f.name], unique=True, suffix=shown))
        elif _comparable(f):
            out.append(_index(e.name, [*(c for c in within if c != f.name), f.name, "id"]))
    for r in e.references:
        if r.unique:
            out.append(_index(e.name, [*within, keys[r.name]], unique=True, suffix=shown))
            if e.soft_delete or within:
                out.append(_index(e.name, [keys[r.name], "id"]))
        else:
            out.append(_index(e.name, [keys[r.name], "id"]))
    out += [_index(e.name, [*within, *(keys.get(n, n) for n in g)], unique=True, suffix=shown) for g in _distinct(e.unique)]
    if owned:
        out.append(_index(e.name, ["owner_id", "id"]))
    if e.timestamps:
        out += [_index(e.name, [*within, c, "id"]) for c in ("created_at", "updated_at")]
    return out


def _distinct(groups: Sequence[Sequence[str]]) -> list[list[str]]:
    """Groups that are unique together, each once: the same in another order is the same rule."""
    found: dict[frozenset[str], list[str]] = {}
    for g in groups:
        found.setdefault(frozenset(g), list(g))
    return [*found.values()]


def _comparable(f: Field) -> bool:
    """Whether lists find their order in an index. They sort long texts without one: it would hold every
    text a second time, for an order that hardly anybody asks for."""
    skipped = (FieldType.JSON, FieldType.LIST, FieldType.LONG_TEXT)
    return f.computed is None and not f.write_only and f.type not in skipped


def _index(table: str, columns: list[str], *, unique: bool = False, suffix: str = "") -> str:
    kind = "UNIQUE INDEX" if unique else "INDEX"
    name = f"{table}__{'__'.join(columns)}{'__unique' if unique else ''}"
    return f'CREATE {kind} "{name}" ON "{table}" ({", ".join(f"{chr(34)}{c}{chr(34)}" for c in columns)}){suffix};'


def _link_table(link: LinkTable) -> str:
    source, target = link.source_column, link.target_column
    columns = [
        f'"{source}" TEXT NOT NULL REFERENCES "{link.source.name}"("id") ON DELETE CASCADE',
        f'"{target}" TEXT NOT NULL REFERENCES "{link.target.name}"("id") ON DELETE CASCADE',
        f'PRIMARY KEY ("{source}", "{target}")',
    ]
    index = f'CREATE INDEX "{link.table}__{target}" ON "{link.table}" ("{target}");'
    return _create(link.table, columns, suffix=" WITHOUT ROWID") + "\n" + index
