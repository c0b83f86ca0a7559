"""Room for rules that count or sum up other rows: which numbers of samples have to be large, and which small, so that rows that
know nothing of each other keep such a rule together."""

from __future__ import annotations

from collections.abc import Iterator

from clodo.blueprint.formulas import member, target_of
from clodo.blueprint.values import (
    Blueprint,
    Call,
    Entity,
    Expression,
    Field,
    Not,
    Operand,
    Operation,
    Path,
)
from clodo.bricks.rules.aggregates import aggregates, expanded, is_aggregate

#: The name of an entity, a number of it, and whether it has to be large.
Leaning = tuple[str, str, bool]


def leanings(b: Blueprint, e: Entity, condition: Expression) -> Iterator[Leaning]:
    """The numbers of samples that a rule on rows of ``e`` leans on."""
    yield from _of_condition(b, e, expanded(e, condition), holds=True)


def _of_condition(b: Blueprint, e: Entity, part: Expression, *, holds: bool) -> Iterator[Leaning]:
    if isinstance(part, Not):
        yield from _of_condition(b, e, part.inner, holds=not holds)
    if not isinstance(part, Operation):
        return
    if part.operator in ("and", "or"):
        yield from _of_condition(b, e, part.left, holds=holds)
        yield from _of_condition(b, e, part.right, holds=holds)
    elif part.operator in ("<", "<=", ">", ">=") and any(aggregates(part)):
        less, more = (part.left, part.right) if (part.operator[0] == "<") is holds else (part.right, part.left)
        bounds = [f for f in (_field(b, e, leaf) for leaf, _ in _leaves(more, large=True) if not is_aggregate(leaf)) if f is not None]
        is_open = any(f.maximum is None for _, f in bounds)
        for leaf, large in (*_leaves(less, large=False), *_leaves(more, large=True)):
            found = _field(b, e, leaf)
            # Where the other side can be as large as is wanted, what is summed up need not be small; rows that are none yet add
            # up to nothing, however large each would be.
            if found is not None and not (is_aggregate(leaf) and (large or is_open)):
                yield found[0], found[1].name, large


def _leaves(e: Expression, *, large: bool) -> Iterator[tuple[Expression, bool]]:
    """The names and sums in an expression, and whether they make it larger, where ``large`` is wanted of all of it."""
    if isinstance(e, Operation) and e.operator in ("+", "-", "*", "/"):
        yield from _leaves(e.left, large=large)
        yield from _leaves(e.right, large=large if e.operator in "+*" else not large)
    elif isinstance(e, Operand | Path) or is_aggregate(e):
        yield e, large


def _field(b: Blueprint, e: Entity, leaf: Expression) -> tuple[str, Field] | None:
    """The number that callers set behind a name or a sum, with the name of its entity."""
    owner: Entity | None = e
    name = str(leaf.value) if isinstance(leaf, Operand) and leaf.is_field else ""
    if isinstance(leaf, Path) and len(leaf.names) == 2:
        owner, name = b.entity(getattr(member(e, leaf.names[0]), "target", "")), leaf.names[1]
    elif isinstance(leaf, Call):
        owner, name = b.entity(target_of(leaf)[0]), target_of(leaf)[1]
    f = owner.field(name) if owner is not None and name else None
    if owner is None or f is None or not f.type.is_number or f.unique or f.read_only or f.computed is not None:
        return None
    return owner.name, f
