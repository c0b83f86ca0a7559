"""What kind of value an expression gives, and what is wrong with it.

Names are looked for among the parameters of an action, then among the members of the row, then among ``now``,
``today``, ``caller`` and ``owner``. Inside of ``count(loan where …)`` the members of a loan come first, and ``this`` is the
row that the whole expression is of.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum

from clodo.blueprint.constants import normal
from clodo.blueprint.linking import linking
from clodo.blueprint.ranges import is_within
from clodo.blueprint.values import (
    Blueprint,
    Call,
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


class Kind(StrEnum):
    """Kinds of values; each is also the word that messages use."""

    NUMBER = "number"
    TEXT = "text"
    BOOLEAN = "yes or no"
    DATE = "date"
    DATETIME = "moment"
    TIME = "time of day"
    DURATION = "length of time"
    ROW = "row"
    OTHER = "list or JSON"
    #: Nothing can be said, since something was wrong already.
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Type:
    """A kind, of rows with the name of their entity, of enums with their values."""

    kind: Kind
    entity: str = ""
    values: tuple[str, ...] = ()


_UNKNOWN = Type(Kind.UNKNOWN)
_BOOLEAN, _NUMBER, _TEXT = Type(Kind.BOOLEAN), Type(Kind.NUMBER), Type(Kind.TEXT)
_KINDS = {
    FieldType.BOOLEAN: Kind.BOOLEAN,
    FieldType.DATE: Kind.DATE,
    FieldType.DATETIME: Kind.DATETIME,
    FieldType.TIME: Kind.TIME,
    FieldType.INTEGER: Kind.NUMBER,
    FieldType.DECIMAL: Kind.NUMBER,
    FieldType.MONEY: Kind.NUMBER,
}
_MOMENTS = (Kind.DATE, Kind.DATETIME)
_ORDERED = (Kind.NUMBER, Kind.DATE, Kind.DATETIME, Kind.TIME, Kind.TEXT)
#: Functions over the rows of an entity.
AGGREGATES = ("count", "exists", "sum", "avg", "min", "max")
#: Whether the row is linked (``<->``) with another.
LINKED = "linked"
#: Functions that cut moments to periods.
PERIODS = ("hour", "day", "week", "month", "quarter", "year")
#: Functions that make a length of time of a number.
DURATIONS = ("minutes", "hours", "days", "weeks", "months", "years")
_FUNCTIONS: dict[str, tuple[tuple[Kind, ...], Kind]] = {
    **dict.fromkeys(DURATIONS, ((Kind.NUMBER,), Kind.DURATION)),
    "round": ((Kind.NUMBER,), Kind.NUMBER),
    "abs": ((Kind.NUMBER,), Kind.NUMBER),
    "length": ((Kind.TEXT,), Kind.NUMBER),
    "lower": ((Kind.TEXT,), Kind.TEXT),
    **dict.fromkeys(PERIODS, (_MOMENTS, Kind.TEXT)),
    "hour": ((Kind.DATETIME,), Kind.TEXT),
}
_STAMPS = ("created_at", "updated_at")
#: D1 allows expressions of a depth of a hundred, and statements put some steps around those of the blueprint.
MOST_DEPTH = 85


@dataclass(frozen=True)
class Scope:
    """Where an expression stands: ``entity`` is the one whose rows give the names, ``this`` the one that the whole
    expression is of. ``has_caller`` is set where somebody calls: in actions."""

    blueprint: Blueprint
    entity: Entity
    this: Entity | None = None
    parameters: Mapping[str, Field | Reference] = field(default_factory=dict)
    has_caller: bool = False

    @property
    def own(self) -> Entity:
        """The entity that the whole expression is of."""
        return self.this or self.entity

    def within(self, entity: Entity) -> Scope:
        """The scope of a condition on the rows of another entity."""
        return replace(self, entity=entity, this=self.own)


def type_of(e: Expression, scope: Scope, problems: list[str]) -> Type:
    """The type of an expression; what is wrong with it is added to ``problems``, in plain words."""
    found = _Checker(problems).type_of(e, scope)
    if not problems and (deep := depth(e, scope)) > MOST_DEPTH:
        problems.append(too_deep(deep, MOST_DEPTH))
    return found


def condition_problems(e: Expression, scope: Scope) -> list[str]:
    """What is wrong with an expression that must be a condition."""
    problems: list[str] = []
    found = type_of(e, scope, problems)
    if found.kind not in (Kind.BOOLEAN, Kind.UNKNOWN):
        problems.append(f"A condition is yes or no, and this is a {found.kind}.")
    return problems


def value_problems(e: Expression, scope: Scope, target: Field | Reference) -> list[str]:
    """What is wrong with an expression whose value is to be stored in a field or reference."""
    problems: list[str] = []
    if is_empty_word(e, scope):
        return [f"{target.name!r} is required and cannot be emptied."] if target.required else []
    found, wanted = type_of(e, scope, problems), type_of_member(target)
    _Checker(problems).fits(e, found, wanted, f"{target.name!r}")
    if not problems and isinstance(target, Field):
        problems += _unfit_value(e, found, scope, target)
    return problems


def _unfit_value(e: Expression, found: Type, scope: Scope, target: Field) -> list[str]:
    """What a field would not take from a body either, as far as it can be told beforehand."""
    if isinstance(e, Operand) and not e.is_field:
        if normal(target.type, e.value) is None:
            return [f"{e.value!s} is no {target.type}, and {target.name!r} is one."]
        empty = target.required and isinstance(e.value, str) and not e.value.strip()
        return [] if is_within(target, e.value) and not empty else [f"{e.value!s} is more or less than {target.name!r} takes."]
    if target.type is FieldType.ENUM and (not found.values or not set(found.values) <= set(target.values)):
        return [f"{target.name!r} takes {', '.join(target.values)} only, and the value may be another."]
    source = _source(e, scope)
    if target.type in (FieldType.EMAIL, FieldType.URL, FieldType.UUID, FieldType.JSON, FieldType.LIST) and (source is None or source.type is not target.type):
        kind = f"of type {source.type}" if source is not None else "worked out"
        return [f"{target.name!r} takes a constant or the {target.type} of another field, and the value is {kind}."]
    if target.pattern is not None and (source is None or source.pattern != target.pattern):
        return [f"{target.name!r} has a pattern, and what is worked out may not match it."]
    return []


def _source(e: Expression, scope: Scope) -> Field | None:
    """The field whose value a name or a path gives as it is."""
    names = e.names if isinstance(e, Path) else (str(e.value),) if isinstance(e, Operand) and e.is_field else ()
    entity: Entity | None = scope.entity
    found: Field | Reference | None = None
    for n, name in enumerate(names):
        given = scope.parameters.get(name) if n == 0 else None
        known = member(entity, name) if entity is not None else None
        if n == 0 and name == "this" and known is None:
            entity = scope.own
            continue
        found = given if given is not None and (scope.this is None or known is None) else known
        if found is None and name in ("owner", "caller"):
            found = Reference(name, "user")
        elif found is None and entity is None and n and scope.blueprint.users is not None:
            users = (*scope.blueprint.users.fields, Field("email", FieldType.EMAIL))
            found = next((f for f in users if f.name == name), None)
        entity = scope.blueprint.entity(found.target) if isinstance(found, Reference) else None
    return found if isinstance(found, Field) else None


def is_empty_word(e: Expression, scope: Scope) -> bool:
    """Whether an expression is the word ``empty``, which stands for no value."""
    return isinstance(e, Operand) and e.is_field and e.value == "empty" and member(scope.entity, "empty") is None


def type_of_member(m: Field | Reference) -> Type:
    """The type of a field's or reference's value."""
    if isinstance(m, Reference):
        return Type(Kind.ROW, m.target)
    if m.type in (FieldType.JSON, FieldType.LIST):
        return Type(Kind.OTHER)
    return Type(_KINDS.get(m.type, Kind.TEXT), values=m.values)


def member(entity: Entity, name: str) -> Field | Reference | None:
    """The field or reference of that name."""
    return entity.field(name) or next((r for r in entity.references if r.name == name), None)


def names_in(e: Expression) -> list[str]:
    """The single names in an expression, in their order; those of paths are none."""
    return [str(p.value) for p in parts(e) if isinstance(p, Operand) and p.is_field]


def parts(e: Expression) -> Iterator[Expression]:
    """An expression and all that it is made of."""
    yield e
    if isinstance(e, Operation):
        yield from parts(e.left)
        yield from parts(e.right)
    elif isinstance(e, Call):
        yield from parts(e.argument)
        if e.where is not None:
            yield from parts(e.where)
    elif isinstance(e, Not | IsEmpty | IsIn):
        yield from parts(e.inner)


def too_deep(deep: int, most: int) -> str:
    """What is said of an expression that D1 would not take."""
    return f"With the computed fields in it this is {deep} steps deep, and {most} are possible; put halves of it in brackets, or say it in two lines."


def depth(e: Expression, scope: Scope) -> int:
    """How deep D1 finds the SQL of an expression at most, with the computed fields that it looks at."""
    return sum(heights(e, scope))


def heights(e: Expression, scope: Scope, within: frozenset[tuple[str, str]] = frozenset()) -> tuple[int, int]:
    """The height of the SQL of an expression, and what the queries in it count beside that: SQLite counts those of a query, and of
    what stands around it, together. ``within``: computed fields that the expression may stand in itself."""
    if isinstance(e, Operand):
        return _of_name(str(e.value), scope.entity, scope, within) if e.is_field else (2, 0)
    if isinstance(e, Path):
        return _of_path(e, scope, within)
    if isinstance(e, Call):
        name, column = target_of(e)
        if e.function in AGGREGATES and (entity := scope.blueprint.entity(name)) is not None:
            inner, beside = heights(e.where, scope.within(entity), within) if e.where is not None else (1, 0)
            height, below = _of_name(column, entity, scope, within)
            made = max(inner + 3, height + 2)
            return made + 4, made + max(beside, below)
        inner, beside = heights(e.argument, scope, within)
        if e.function == LINKED:
            return inner + 3, inner + 2 + beside
        return inner + {"quarter": 5, "weeks": 2, "round": 2}.get(e.function, 1), beside
    if isinstance(e, Not | IsEmpty | IsIn):
        inner, beside = heights(e.inner, scope, within)
        return inner + (1 if isinstance(e, IsEmpty) else 2), beside
    steps = {"and": 1, "or": 1, "&": 1, "+": 1, "*": 1}.get(e.operator, 2)
    if e.operator == "-":
        # Two moments are held apart in days; a length of time is turned round.
        steps = 3 if _Checker([]).type_of(e.left, scope).kind in _MOMENTS else 1
    left, right = heights(e.left, scope, within), heights(e.right, scope, within)
    return steps + max(left[0], right[0]), max(left[1], right[1])


def _of_name(name: str, entity: Entity, scope: Scope, within: frozenset[tuple[str, str]]) -> tuple[int, int]:
    m = member(entity, name)
    if isinstance(m, Field) and m.computed is not None:
        place = (entity.name, name)
        return heights(m.computed, Scope(scope.blueprint, entity), within | {place}) if place not in within else (1, 0)
    return (3 if isinstance(m, Field) and m.type is FieldType.MONEY else 2), 0


def _of_path(e: Path, scope: Scope, within: frozenset[tuple[str, str]]) -> tuple[int, int]:
    """Each reference on the way is a query within the next."""
    entity: Entity | None = scope.own if e.names[0] == "this" and member(scope.entity, "this") is None else scope.entity
    height, beside = 2, 0
    for n, name in enumerate(e.names):
        if entity is not None and (n or name != "this"):
            own, below = _of_name(name, entity, scope, within)
            inner = max(height + 1, own)
            height, beside = inner + 1, inner + max(beside, below)
        elif n:  # of a user
            height, beside = height + 2, height + 1 + beside
        m = (scope.parameters.get(name) if n == 0 else None) or (member(entity, name) if entity is not None else None)
        if n or name != "this":
            entity = scope.blueprint.entity(m.target) if isinstance(m, Reference) else None
    return height, beside


class _Checker:
    def __init__(self, problems: list[str]) -> None:
        self.problems = problems

    def wrong(self, message: str) -> Type:
        self.problems.append(message)
        return _UNKNOWN

    def type_of(self, e: Expression, scope: Scope) -> Type:
        if isinstance(e, Operand):
            return self._operand(e, scope)
        if isinstance(e, Path):
            return self._path(e, scope)
        if isinstance(e, Call):
            return self._call(e, scope)
        if isinstance(e, Not):
            return self._condition(e.inner, scope)
        if isinstance(e, IsEmpty):
            self.type_of(e.inner, scope)
            return _BOOLEAN
        if isinstance(e, IsIn):
            found = self.type_of(e.inner, scope)
            for value in e.values:
                self.comparable(found, Operand(value), self.type_of(Operand(value), scope))
            return _BOOLEAN
        return self._operation(e, scope)

    def _condition(self, e: Expression, scope: Scope) -> Type:
        found = self.type_of(e, scope)
        if found.kind not in (Kind.BOOLEAN, Kind.UNKNOWN):
            return self.wrong(f"'and', 'or' and 'not' join conditions, and here is a {found.kind}.")
        return _BOOLEAN

    def _operand(self, e: Operand, scope: Scope) -> Type:
        if isinstance(e.value, bool):
            return _BOOLEAN
        if isinstance(e.value, Decimal):
            return _NUMBER
        return self._name(str(e.value), scope) if e.is_field else _TEXT

    def _name(self, name: str, scope: Scope) -> Type:
        if scope.this is None and name in scope.parameters:
            return type_of_member(scope.parameters[name])
        found = self._of_row(name, scope.entity, scope)
        if found is not None:
            return found
        if name in scope.parameters:
            return type_of_member(scope.parameters[name])
        if name in ("now", "today"):
            return Type(Kind.DATETIME if name == "now" else Kind.DATE)
        if name == "this":
            return Type(Kind.ROW, scope.own.name)
        if name == "caller":
            return Type(Kind.ROW, "user") if scope.has_caller else self.wrong("There is no caller here.")
        known = [*(f.name for f in scope.entity.fields), *(r.name for r in scope.entity.references), *scope.parameters]
        near = difflib.get_close_matches(name, known, n=1)
        return self.wrong(f"{scope.entity.name} has no field {name!r}." + (f" Did you mean {near[0]}?" if near else ""))

    def _of_row(self, name: str, entity: Entity, scope: Scope) -> Type | None:
        m = member(entity, name)
        if m is not None:
            if isinstance(m, Field) and m.write_only:
                return self.wrong(f"{name!r} is write-only, and this would tell it.")
            return type_of_member(m)
        if name in _STAMPS and entity.timestamps:
            return Type(Kind.DATETIME)
        b = scope.blueprint
        if name == "owner" and b.is_owned(entity):
            return Type(Kind.ROW, "user")
        return None

    def _path(self, e: Path, scope: Scope) -> Type:
        first, *rest = e.names
        found = self._name(first, scope)
        for name in rest:
            if found.kind is Kind.UNKNOWN:
                return found
            if found.kind is not Kind.ROW:
                return self.wrong(f"{first!r} is a {found.kind} and has no {name!r}.")
            found, first = self._member_of(found.entity, name, scope), name
        return found

    def _member_of(self, entity: str, name: str, scope: Scope) -> Type:
        b = scope.blueprint
        row = b.entity(entity)
        if row is None and b.users is not None and entity == "user":
            if name == "role":
                return Type(Kind.TEXT, values=("user", "admin", *b.users.roles))
            if name == "email":
                return _TEXT
            f = next((f for f in b.users.fields if f.name == name and not f.write_only), None)
            return type_of_member(f) if f is not None else self.wrong(f"Users have no {name!r}.")
        if row is None:
            return self.wrong(f"There is no {entity!r}.")
        return self._of_row(name, row, scope) or self.wrong(f"{entity} has no {name!r}.")

    def _call(self, e: Call, scope: Scope) -> Type:
        if e.function in AGGREGATES:
            return self._aggregate(e, scope)
        if e.function == LINKED:
            return self._linked(e, scope)
        if e.function not in _FUNCTIONS:
            near = difflib.get_close_matches(e.function, [*_FUNCTIONS, *AGGREGATES, LINKED], n=1)
            return self.wrong(f"There is no function {e.function!r}." + (f" Did you mean {near[0]}?" if near else ""))
        if e.where is not None:
            return self.wrong(f"{e.function!r} takes no 'where'.")
        wanted, gives = _FUNCTIONS[e.function]
        found = self.type_of(e.argument, scope)
        if found.kind not in (*wanted, Kind.UNKNOWN):
            return self.wrong(f"{e.function!r} wants a {wanted[0]}, and this is a {found.kind}.")
        return Type(gives)

    def _linked(self, e: Call, scope: Scope) -> Type:
        found = self.type_of(e.argument, scope)
        name = scope.entity.name
        if e.where is not None:
            return self.wrong(f"{LINKED!r} takes no 'where'.")
        if found.kind is Kind.UNKNOWN:
            return found
        if found.kind is not Kind.ROW:
            return self.wrong(f"{LINKED}(…) wants a row, as in count(tag where {LINKED}(this)), and this is a {found.kind}.")
        if linking(scope.blueprint, name, found.entity) is None:
            return self.wrong(f"A {name} is not linked with a {found.entity}: neither has a line '<->' that names the other.")
        return _BOOLEAN

    def _aggregate(self, e: Call, scope: Scope) -> Type:
        name, column = target_of(e)
        entity = scope.blueprint.entity(name)
        if entity is None:
            return self.wrong(f"{e.function}(…) wants the name of an entity, as in count(loan where book = this).")
        within = scope.within(entity)
        if e.where is not None:
            self._condition(e.where, within)
        if e.function in ("count", "exists"):
            if column:
                self.wrong(f"{e.function}(…) takes an entity and no field of it.")
            return _NUMBER if e.function == "count" else _BOOLEAN
        if not column:
            return self.wrong(f"{e.function}(…) wants a field, as in {e.function}({name}.price).")
        found = self._of_row(column, entity, scope) or self.wrong(f"{name} has no {column!r}.")
        fine = (Kind.NUMBER,) if e.function in ("sum", "avg") else _ORDERED
        if found.kind not in (*fine, Kind.UNKNOWN):
            return self.wrong(f"{e.function}(…) cannot take a {found.kind}.")
        return found

    def _operation(self, e: Operation, scope: Scope) -> Type:
        if e.operator in ("and", "or"):
            self._condition(e.left, scope)
            return self._condition(e.right, scope)
        left, right = self.type_of(e.left, scope), self.type_of(e.right, scope)
        if e.operator in ("=", "!=", "<", "<=", ">", ">="):
            if e.left == e.right:
                self.wrong("Both sides are the same; give the parameter another name, or write 'this.' before the row's.")
            self._compared(e, left, right)
            if e.operator not in ("=", "!=") and Kind.ROW in (left.kind, right.kind):
                self.wrong(f"Rows are alike or not; {e.operator!r} says nothing of them.")
            return _BOOLEAN
        if e.operator == "&":
            return self._joined(left, right)
        return self._arithmetic(e.operator, left, right)

    def _compared(self, e: Operation, left: Type, right: Type) -> None:
        """A constant has to be of the other side's type; it says nothing of the other side."""
        if not (isinstance(e.left, Operand) and isinstance(e.left.value, str) and not e.left.is_field):
            self.comparable(left, e.right, right)
        if not (isinstance(e.right, Operand) and isinstance(e.right.value, str) and not e.right.is_field):
            self.comparable(right, e.left, left)
        if Kind.DURATION in (left.kind, right.kind):
            self.wrong("Lengths of time cannot be compared; write the difference of two dates, which is a number of days.")

    def _joined(self, left: Type, right: Type) -> Type:
        for found in (left, right):
            if found.kind not in (Kind.TEXT, Kind.DATE, Kind.DATETIME, Kind.TIME, Kind.UNKNOWN):
                return self.wrong(f"A {found.kind} is no text, date or time, and '&' joins only these.")
        return _TEXT

    def _arithmetic(self, operator: str, left: Type, right: Type) -> Type:
        kinds = (left.kind, right.kind)
        if Kind.UNKNOWN in kinds:
            return _UNKNOWN
        if kinds == (Kind.NUMBER, Kind.NUMBER):
            return _NUMBER
        if operator in "+-" and left.kind in _MOMENTS and right.kind is Kind.DURATION:
            return left
        if operator == "-" and left.kind in _MOMENTS and right.kind in _MOMENTS:
            return _NUMBER  # in days
        return self.wrong(f"{operator!r} cannot take a {left.kind} and a {right.kind}.")

    def comparable(self, wanted: Type, e: Expression, found: Type) -> None:
        """Whether a value can be held against one of the wanted type."""
        self.fits(e, found, wanted, "")

    def fits(self, e: Expression, found: Type, wanted: Type, what: str) -> None:
        """Whether the value of an expression can stand where one of the wanted type does."""
        if Kind.UNKNOWN in (found.kind, wanted.kind):
            return
        constant = e.value if isinstance(e, Operand) and not e.is_field else None
        if wanted.values and isinstance(constant, str) and constant not in wanted.values:
            near = difflib.get_close_matches(constant, wanted.values, n=1)
            self.wrong(f"{constant!r} is none of {', '.join(wanted.values)}." + (f" Did you mean {near[0]}?" if near else ""))
        elif isinstance(constant, str) and wanted.kind in (Kind.DATE, Kind.DATETIME, Kind.TIME):
            if normal(next(t for t, k in _KINDS.items() if k is wanted.kind), constant) is None:
                self.wrong(f"{constant!r} is no {wanted.kind}.")
        elif found.kind is not wanted.kind and {found.kind, wanted.kind} != set(_MOMENTS):
            if not (wanted.kind is Kind.TEXT and found.kind in (Kind.DATE, Kind.DATETIME, Kind.TIME) and isinstance(e, Operand)):
                self.wrong(f"{what or 'One side'} is a {wanted.kind}, and the {'value' if what else 'other'} is a {found.kind}.")
        elif found.kind is Kind.ROW and found.entity != wanted.entity:
            self.wrong(f"A {found.entity} is no {wanted.entity}.")


def target_of(e: Call) -> tuple[str, str]:
    """The entity and the field that a function over rows names; empty where it names none."""
    if isinstance(e.argument, Operand) and e.argument.is_field:
        return str(e.argument.value), ""
    if isinstance(e.argument, Path) and len(e.argument.names) == 2:
        return e.argument.names[0], e.argument.names[1]
    return "", ""
