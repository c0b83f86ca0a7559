"""Expressions of the language as SQL. Nothing is evaluated from text: constants become literals, and what is only
known when a request comes becomes a numbered parameter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from clodo.blueprint.constants import normal
from clodo.blueprint.formulas import (
    DURATIONS,
    LINKED,
    Kind,
    Scope,
    is_empty_word,
    member,
    target_of,
    type_of,
)
from clodo.blueprint.linking import linking
from clodo.blueprint.text import number
from clodo.blueprint.values import (
    Blueprint,
    Call,
    Constant,
    Entity,
    Expression,
    Field,
    FieldType,
    IsEmpty,
    IsIn,
    Not,
    Operand,
    Operation,
    Path,
    Reference,
)

#: A random UUID.
RANDOM_UUID = (
    "lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-8' || "
    "substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))"
)

_NOW = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
_TODAY = "date('now')"
#: How moments are cut to periods; a week is named by its Monday.
_PERIODS = {
    "hour": "strftime('%Y-%m-%dT%H', {})",
    "day": "date({})",
    "week": "date({}, 'weekday 0', '-6 days')",
    "month": "strftime('%Y-%m', {})",
    "quarter": "(strftime('%Y', {0}) || '-Q' || ((strftime('%m', {0}) + 2) / 3))",
    "year": "strftime('%Y', {})",
}


@dataclass(frozen=True)
class Place:
    """Where SQL of an expression goes. ``row`` is the prefix of the columns of the scope's rows (``NEW.``, ``"book".``, empty
    where the statement has one table), ``this`` that of the row that the whole expression is of. ``words`` are the SQL
    of ``now``, ``today``, ``caller`` and of parameters. ``zeros`` are columns, each with its entity, that count as 0 where they are empty, and
    ``added`` parts of the expression itself that do. In columns that are ``turned``, one value counts as another."""

    scope: Scope
    row: str = ""
    this: str = ""
    words: Mapping[str, str] = field(default_factory=dict)
    depth: int = 0
    zeros: frozenset[tuple[str, str]] = frozenset()
    added: frozenset[Expression] = frozenset()
    turned: Mapping[tuple[str, str], tuple[str, str]] = field(default_factory=dict)

    def within(self, entity: Entity) -> Place:
        """The place of a condition on rows of another entity, in a query of its own."""
        depth = self.depth + 1
        return replace(self, scope=self.scope.within(entity), row=f'"a{depth}".', depth=depth, added=frozenset())


def computed_sql(expression: Expression, entity: Entity, blueprint: Blueprint | None = None) -> str:
    """The expression over the columns of the entity; null where any part of it is null, or where it
    would divide by zero."""
    scope = Scope(blueprint or Blueprint("", entities=(entity,)), entity)
    return sql(expression, Place(scope, this=f"{_quoted(entity.name)}."))


def sql(e: Expression, place: Place) -> str:
    """An expression that was found sound, as SQL."""
    made = _made(e, place)
    return f"COALESCE({made}, 0)" if e in place.added else made


def _made(e: Expression, place: Place) -> str:
    if isinstance(e, Operand):
        return _name(str(e.value), place) if e.is_field else constant(e.value)
    if isinstance(e, Path):
        return _path(e, place)
    if isinstance(e, Call):
        return _call(e, place)
    if isinstance(e, Not):
        return f"(NOT {sql(e.inner, place)})"
    if isinstance(e, IsEmpty):
        as_it_is = replace(place, zeros=frozenset(), added=frozenset())
        return f"({sql(e.inner, as_it_is)} IS {'NOT ' if e.negated else ''}NULL)"
    if isinstance(e, IsIn):
        kind = type_of(e.inner, place.scope, []).kind
        inner, values = sql(e.inner, place), [constant(stored_as(kind, value)) for value in e.values]
        if kind is Kind.NUMBER and may_have_dust(e.inner, place.scope):
            inner, values = f"ROUND({inner}, 9)", [f"ROUND({value}, 9)" for value in values]
        return f"({inner} IN ({', '.join(values)}))"
    return _operation(e, place)


def stored_sql(e: Expression, place: Place, target: Field | Reference) -> str:
    """An expression as the value of a column: money in hundredths, moments in full."""
    if is_empty_word(e, place.scope):
        return "NULL"
    if isinstance(e, Operand) and isinstance(e.value, str) and not e.is_field and isinstance(target, Field):
        e = Operand(normal(target.type, e.value) or e.value)
    made = sql(e, place)
    if isinstance(target, Reference):
        return made
    kind = type_of(e, place.scope, []).kind
    if target.type is FieldType.MONEY:
        return f"CAST({_rounded(f'{made} * 100')} AS INTEGER)"
    if target.type is FieldType.INTEGER:
        whole = is_whole(e, place.scope)
        return made if whole and isinstance(e, Operand) else f"CAST({f'ROUND({made})' if whole else _rounded(made)} AS INTEGER)"
    if target.type is FieldType.DATE and kind is Kind.DATETIME:
        return f"date({made})"
    if target.type is FieldType.DATETIME and kind is Kind.DATE:
        return f"({made} || 'T00:00:00.000Z')"
    return made


def stored_as(kind: Kind, value: Constant) -> Constant:
    """A constant in the form in which values of that kind are stored, which texts are compared by."""
    types = {Kind.DATE: FieldType.DATE, Kind.DATETIME: FieldType.DATETIME, Kind.TIME: FieldType.TIME}
    made = normal(types[kind], value) if kind in types else None
    return value if made is None else made


def _rounded(made: str) -> str:
    """A number without fractions. A half goes away from zero, also where the dust of binary fractions makes it less than one."""
    return f"ROUND(ROUND({made}, 7))"


def constant(value: Constant) -> str:
    """A constant as a literal."""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, Decimal):
        return number(value)
    return "'" + value.replace("'", "''") + "'"


def _quoted(name: str) -> str:
    return f'"{name}"'


def _name(name: str, place: Place) -> str:
    parameter = name in place.scope.parameters
    if parameter and place.scope.this is None:
        return place.words[name]
    column = _column(name, place.scope.entity, place.row, place)
    if column is not None:
        return column
    if name in place.words:
        return place.words[name]
    if name == "this":
        return f'{place.this or place.row}"id"'
    return {"now": _NOW, "today": _TODAY}[name]


def _column(name: str, entity: Entity, row: str, place: Place) -> str | None:
    """A member of a row, ``None`` where the entity has none of that name."""
    m = member(entity, name)
    if isinstance(m, Reference):
        return f'{row}"{name}_id"'
    if m is not None:
        if m.computed is not None:
            inner = replace(place, scope=Scope(place.scope.blueprint, entity), row=row, this=row or place.this, added=frozenset())
            return sql(m.computed, inner)
        column = f'COALESCE({row}"{name}", 0)' if (entity.name, name) in place.zeros else f'{row}"{name}"'
        if (turn := place.turned.get((entity.name, name))) is not None:
            column = f"replace({column}, {constant(turn[0])}, {constant(turn[1])})"
        # Money is stored in hundredths.
        return f"({column} / 100.0)" if m.type is FieldType.MONEY else column
    if name in ("created_at", "updated_at") and entity.timestamps:
        return f'{row}"{name}"'
    return f'{row}"owner_id"' if name == "owner" and "owner" not in place.scope.parameters else None


def _path(e: Path, place: Place) -> str:
    """Each reference on the way is a query of its own, by primary key."""
    first, *rest = e.names
    scope = place.scope
    if first == "this" and member(scope.entity, "this") is None:
        row = place.this or place.row
        if not rest:
            return f'{row}"id"'
        made, entity = _column(rest[0], scope.own, row, place) or "NULL", _target(scope.own, rest[0])
        rest = rest[1:]
    else:
        # Without its table's name, a column would be taken for one of the table that the path leads to.
        made = _name(first, replace(place, row=place.row or place.this))
        given = scope.this is None and first in scope.parameters
        target = "" if given else _target(scope.entity, first)
        entity = target or _parameter_target(first, scope) or ("user" if first == "caller" else "")
    for name in rest:
        row_of = scope.blueprint.entity(entity)
        alias = f'"r{place.depth}"'
        if row_of is None:  # the service's users
            column = _users_column(name, f"{alias}.", scope.blueprint)
            made, entity = f'(SELECT {column} FROM "user" AS {alias} WHERE {alias}."id" = {made})', ""
            continue
        column = _column(name, row_of, f"{alias}.", replace(place, depth=place.depth + 1)) or "NULL"
        made = f"(SELECT {column} FROM {_quoted(entity)} AS {alias} WHERE {alias}.\"id\" = {made})"
        entity = _target(row_of, name)
    return made


def _users_column(name: str, row: str, b: Blueprint) -> str:
    f = next((f for f in b.users.fields if f.name == name), None) if b.users is not None else None
    return f'({row}"{name}" / 100.0)' if f is not None and f.type is FieldType.MONEY else f'{row}"{name}"'


def _target(entity: Entity, name: str) -> str:
    """The entity that a reference names; ``user`` for the owner of a row."""
    m = member(entity, name)
    return m.target if isinstance(m, Reference) else "user" if name == "owner" and m is None else ""


def _parameter_target(name: str, scope: Scope) -> str:
    p = scope.parameters.get(name)
    return p.target if isinstance(p, Reference) else ""


def _call(e: Call, place: Place) -> str:
    name, column = target_of(e)
    entity = place.scope.blueprint.entity(name)
    if e.function in ("count", "exists", "sum", "avg", "min", "max") and entity is not None:
        return _aggregate(e, entity, column, place)
    if e.function == LINKED:
        return _linked(e, place)
    argument = sql(e.argument, place)
    if e.function in DURATIONS:
        return _duration(e, argument)
    if e.function == "round" and not is_whole(e.argument, place.scope):
        return _rounded(argument)
    return _PERIODS[e.function].format(argument) if e.function in _PERIODS else f"{e.function}({argument})"


def _linked(e: Call, place: Place) -> str:
    """The links of the other row are looked up, and not all that there are."""
    # Without its table's name, a column of the row would be taken for one of the link's.
    row = place.row or place.this or f"{_quoted(place.scope.entity.name)}."
    there = linking(place.scope.blueprint, place.scope.entity.name, type_of(e.argument, place.scope, []).entity)
    assert there is not None
    other = sql(e.argument, replace(place, row=row))
    return f'({row}"id" IN (SELECT {_quoted(there.own)} FROM {_quoted(there.table)} WHERE {_quoted(there.other)} = {other}))'


def _duration(e: Call, argument: str) -> str:
    """A length of time as SQLite's own modifier; it knows no weeks."""
    return f"(({argument} * 7) || ' days')" if e.function == "weeks" else f"(({argument}) || ' {e.function}')"


def _aggregate(e: Call, entity: Entity, column: str, place: Place) -> str:
    inner = place.within(entity)
    if not place.this:
        inner = replace(inner, this=place.row or f"{_quoted(place.scope.entity.name)}.")
    conditions = _conditions(e.where, inner) if e.where is not None else []
    if entity.soft_delete:
        conditions.append(f'{inner.row}"deleted_at" IS NULL')
    conditions += _of_one_tenant(place.scope.own, inner.this, entity, inner.row)
    source = f"FROM {_quoted(entity.name)} AS {inner.row.rstrip('.')}"
    source += f" WHERE {' AND '.join(conditions)}" if conditions else ""
    if e.function == "exists":
        return f"EXISTS (SELECT 1 {source})"
    if e.function == "count":
        return f"(SELECT COUNT(*) {source})"
    f = entity.field(column)
    if f is not None and f.type is FieldType.MONEY and f.computed is None:
        # Hundredths are summed up as whole numbers: fractions would leave dust.
        function = "TOTAL" if e.function == "sum" else e.function.upper()
        return f'((SELECT {function}({inner.row}"{column}") {source}) / 100.0)'
    as_it_is = replace(inner, zeros=frozenset())  # an average is one of what is there
    value = _column(column, entity, inner.row, as_it_is) or "NULL"
    if e.function != "sum":
        return f"(SELECT {e.function.upper()}({value}) {source})"
    whole = is_whole(Operand(column, is_field=True), Scope(place.scope.blueprint, entity))
    return f"(SELECT {f'CAST(TOTAL({value}) AS INTEGER)' if whole else f'COALESCE(SUM({value}), 0)'} {source})"


def _conditions(where: Expression, place: Place) -> list[str]:
    """A condition on rows, or its parts that must hold together where one of them is found by an index that way."""
    parts, left = [], [where]
    while left:
        part = left.pop()
        if isinstance(part, Operation) and part.operator == "and":
            left += [part.right, part.left]
        else:
            parts.append(_looked_up(part, place) or part)
    return [sql(where, place)] if not any(isinstance(p, str) for p in parts) else [p if isinstance(p, str) else sql(p, place) for p in parts]


def _looked_up(part: Expression, place: Place) -> str:
    """``branch.region = this`` the other way about: the rows that lead there are asked for by their references, which have
    indexes. Empty for all else."""
    if not isinstance(part, Operation) or part.operator != "=":
        return ""
    for path, other in ((part.left, part.right), (part.right, part.left)):
        names = other.names if isinstance(other, Path) else (other.value,) if isinstance(other, Operand) and other.is_field else ()
        if not isinstance(path, Path) or names[:1] != ("this",) or member(place.scope.entity, "this") is not None:
            continue
        steps, entity = [], place.scope.entity
        for name in path.names:
            m = member(entity, name)
            target = place.scope.blueprint.entity(m.target) if isinstance(m, Reference) else None
            if target is None:
                return ""
            steps.append((name, target.name))
            entity = target
        made = f"= {sql(other, place)}"
        for n in range(len(steps) - 1, 0, -1):
            alias = f'"p{place.depth}_{n}"'
            made = f'IN (SELECT {alias}."id" FROM {_quoted(steps[n - 1][1])} AS {alias} WHERE {alias}."{steps[n][0]}_id" {made})'
        return f'({place.row}"{steps[0][0]}_id" {made})'
    return ""


def _of_one_tenant(own: Entity, this: str, entity: Entity, row: str) -> list[str]:
    """Rows are counted among those of the tenant that the row itself belongs to, or is."""
    out = []
    for column in entity.unique_within:
        if column in own.unique_within:
            out.append(f'{row}"{column}" = {this}"{column}"')
        elif column == f"{own.name}_id":
            out.append(f'{row}"{column}" = {this}"id"')
    return out


def _operation(e: Operation, place: Place) -> str:
    if e.operator in ("=", "!=", "<", "<=", ">", ">="):
        return _compared(e, place)
    left, right = sql(e.left, place), sql(e.right, place)
    if e.operator in ("and", "or"):
        return f"({left} {e.operator.upper()} {right})"
    if e.operator == "&":
        return f"({left} || {right})"
    if e.operator == "/":
        return f"({left} * 1.0 / NULLIF({right}, 0))"
    kinds = [type_of(side, place.scope, []).kind for side in (e.left, e.right)]
    if e.operator in "+-" and kinds[0] in (Kind.DATE, Kind.DATETIME):
        if kinds[1] is not Kind.DURATION:
            # Fractions of a millisecond are dust.
            return f"ROUND(julianday({left}) - julianday({right}), 8)"
        if e.operator == "-" and isinstance(e.right, Call):
            right = _duration(e.right, f"(-({sql(e.right.argument, place)}))")
        return f"date({left}, {right})" if kinds[0] is Kind.DATE else f"strftime('%Y-%m-%dT%H:%M:%fZ', {left}, {right})"
    return f"({left} {e.operator} {right})"


def _compared(e: Operation, place: Place) -> str:
    """Where a date is held against a moment, the moment's day counts. Numbers that were worked out are rounded, since the
    dust of binary fractions would make equal amounts differ."""
    sides = (e.left, e.right)
    kinds = [type_of(side, place.scope, []).kind for side in sides]
    made = [
        constant(stored_as(other, side.value)) if isinstance(side, Operand) and not side.is_field else sql(side, place)
        for side, other in zip(sides, reversed(kinds), strict=True)
    ]
    if set(kinds) == {Kind.DATE, Kind.DATETIME}:
        made = [f"date({s})" if k is Kind.DATETIME else s for s, k in zip(made, kinds, strict=True)]
    elif set(kinds) == {Kind.NUMBER} and any(may_have_dust(side, place.scope) for side in sides):
        made = [f"ROUND({s}, 9)" for s in made]
    return f"({made[0]} {'IS NOT' if e.operator == '!=' else e.operator} {made[1]})"


def may_have_dust(e: Expression, scope: Scope) -> bool:
    """Whether a number may differ from the one that it stands for by the dust of binary fractions."""
    if isinstance(e, Path):
        end = _end(e, scope)
        return end is not None and may_have_dust(*end)
    m = member(scope.entity, str(e.value)) if isinstance(e, Operand) and e.is_field else None
    if isinstance(m, Field) and m.computed is not None:
        return not is_whole(e, scope)
    return not isinstance(e, Operand) and not is_whole(e, scope)


def _end(e: Path, scope: Scope) -> tuple[Operand, Scope] | None:
    """The last name of a path, and where it stands; ``None`` where that is no row of an entity."""
    *way, last = e.names
    row = Path(tuple(way)) if len(way) > 1 else Operand(way[0], is_field=True)
    entity = scope.blueprint.entity(type_of(row, scope, []).entity)
    return (Operand(last, is_field=True), Scope(scope.blueprint, entity)) if entity is not None else None


def is_whole(e: Expression, scope: Scope) -> bool:
    """Whether a number is certain to be a whole one."""
    if isinstance(e, Path):
        end = _end(e, scope)
        return end is not None and is_whole(*end)
    if isinstance(e, Operand):
        if not e.is_field:
            return isinstance(e.value, Decimal) and e.value == e.value.to_integral_value()
        name = str(e.value)
        given = scope.parameters.get(name)
        m = given if given is not None and scope.this is None else member(scope.entity, name) or given
        if isinstance(m, Field) and m.computed is not None:
            return is_whole(m.computed, Scope(scope.blueprint, scope.entity))
        return isinstance(m, Field) and m.type is FieldType.INTEGER
    if isinstance(e, Call):
        name, column = target_of(e)
        entity = scope.blueprint.entity(name)
        f = entity.field(column) if entity is not None and column else None
        if e.function in ("sum", "min", "max"):
            return f is not None and f.type is FieldType.INTEGER and f.computed is None
        return e.function in ("count", "length", "round") or (e.function == "abs" and is_whole(e.argument, scope))
    return isinstance(e, Operation) and e.operator in ("+", "-", "*") and is_whole(e.left, scope) and is_whole(e.right, scope)
