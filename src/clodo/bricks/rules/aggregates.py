"""Counts and sums in conditions: where they stand, and conditions with something else in their place."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace

from clodo.blueprint.formulas import AGGREGATES
from clodo.blueprint.values import (
    Call,
    Entity,
    Expression,
    IsEmpty,
    IsIn,
    Not,
    Operand,
    Operation,
)


def is_aggregate(e: Expression) -> bool:
    """Whether it is worked out from the rows of an entity."""
    return isinstance(e, Call) and e.function in AGGREGATES


def rewritten(e: Expression, change: Callable[[Expression], Expression | None]) -> Expression:
    """An expression with other parts in the place of those for which ``change`` gives some; what stands inside of an
    aggregate is of other rows, and stays."""
    made = change(e)
    if made is not None:
        return made
    if isinstance(e, Operation):
        return replace(e, left=rewritten(e.left, change), right=rewritten(e.right, change))
    if isinstance(e, Not | IsEmpty | IsIn):
        return replace(e, inner=rewritten(e.inner, change))
    if isinstance(e, Call) and not is_aggregate(e):
        return replace(e, argument=rewritten(e.argument, change))
    return e


def outer_parts(e: Expression) -> Iterator[Expression]:
    """An expression and all that it is made of, but for what stands inside of aggregates."""
    yield e
    if isinstance(e, Operation):
        yield from outer_parts(e.left)
        yield from outer_parts(e.right)
    elif isinstance(e, Not | IsEmpty | IsIn):
        yield from outer_parts(e.inner)
    elif isinstance(e, Call) and not is_aggregate(e):
        yield from outer_parts(e.argument)


def expanded(e: Entity, condition: Expression, but: Collection[str] = ()) -> Expression:
    """A condition with what computed fields of the row are computed from in their place; ``but`` are names that mean
    something else there."""

    def change(part: Expression) -> Expression | None:
        f = e.field(str(part.value)) if isinstance(part, Operand) and part.is_field and part.value not in but else None
        # A computed field is computed from no other.
        return f.computed if f is not None else None

    return rewritten(condition, change)


def aggregates(condition: Expression) -> Iterator[Call]:
    """The counts and sums of a condition."""
    for part in outer_parts(condition):
        if isinstance(part, Call) and is_aggregate(part):
            yield part
