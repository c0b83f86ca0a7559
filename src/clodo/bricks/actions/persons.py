"""Whoever calls, held against the users whom rows name: ``caller != owner``, ``examiner = caller``, ``caller != claim.owner``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from clodo.blueprint.formulas import member
from clodo.blueprint.plan import is_owned
from clodo.blueprint.values import (
    Blueprint,
    Entity,
    Expression,
    Operand,
    Operation,
    Path,
    Reference,
)
from clodo.bricks.rules.aggregates import outer_parts
from clodo.bricks.rules.language import is_maker, key_of

#: What expressions call whoever calls.
CALLER = Operand("caller", is_field=True)
_USER = "user"


@dataclass(frozen=True)
class Named:
    """A column that names a user: of the row itself, or (``way`` a reference of it) of a row that it refers to."""

    holder: Entity
    column: str
    way: str = ""


def beside_caller(b: Blueprint, e: Entity, condition: Expression) -> Iterator[Named]:
    """The columns of rows of ``e``, and of those that they refer to, that a condition compares with whoever calls."""
    for part in outer_parts(condition):
        if isinstance(part, Operation) and part.operator in ("=", "!=") and CALLER in (part.left, part.right):
            other = part.right if part.left == CALLER else part.left
            if (named := _named(b, e, other)) is not None:
                yield named


def is_others_only(condition: Expression) -> bool:
    """Whether a condition says that whoever calls is not the owner of the row."""
    owners = (Operand("owner", is_field=True), Path(("this", "owner")))
    return isinstance(condition, Operation) and condition.operator == "!=" and any(
        {condition.left, condition.right} == {CALLER, owner} for owner in owners
    )


def _named(b: Blueprint, e: Entity, said: Expression) -> Named | None:
    names = said.names if isinstance(said, Path) else (str(said.value),) if isinstance(said, Operand) and said.is_field else ()
    if names[:1] == ("this",):
        names = names[1:]
    if len(names) == 1:
        return _column(b, e, names[0])
    reference = member(e, names[0]) if len(names) == 2 else None
    target = b.entity(reference.target) if isinstance(reference, Reference) else None
    found = _column(b, target, names[1]) if target is not None else None
    return Named(found.holder, found.column, names[0]) if found is not None else None


def _column(b: Blueprint, e: Entity, name: str) -> Named | None:
    m = member(e, name)
    if (isinstance(m, Reference) and m.target == _USER) or (is_maker(e, name) and is_owned(b, e)):
        return Named(e, key_of(e, name))
    return None
