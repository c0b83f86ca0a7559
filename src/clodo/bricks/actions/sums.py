"""Numbers that a step adds to or takes from, as in ``set balance = balance + amount``: what is empty counts as 0 there.

In SQL a number and nothing make nothing: a balance that was empty would stay so, and one that was not would be emptied where no amount is given.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from clodo.blueprint.formulas import DURATIONS, Kind, Scope, member, type_of
from clodo.blueprint.values import (
    Blueprint,
    Call,
    Entity,
    Expression,
    Field,
    Operand,
    Operation,
    Path,
)
from clodo.bricks.actions.values import (
    Action,
    Assignment,
    Effect,
    SetValues,
    UpdateRows,
    named_rows,
    scope_of,
    target_field,
)
from clodo.bricks.rules.aggregates import outer_parts

#: A column, with its entity.
Column = tuple[str, str]


def added_to(b: Blueprint, e: Entity, action: Action) -> frozenset[Column]:
    """The columns that an action of ``e`` adds to or takes from and that may be empty."""
    return columns_added_to(b, e, action.effects, scope_of(b, e, action))


def columns_added_to(b: Blueprint, e: Entity, effects: Iterable[Effect], scope: Scope) -> frozenset[Column]:
    """The same of effects that stand in ``scope``."""
    return frozenset(column for effect in effects for column in _columns(b, e, effect, scope))


def _columns(b: Blueprint, e: Entity, effect: Effect, scope: Scope) -> Iterator[Column]:
    if isinstance(effect, UpdateRows) and (entity := b.entity(effect.entity)) is not None:
        e, scope = entity, scope.within(entity)
    if isinstance(effect, SetValues | UpdateRows):
        for a in effect.assignments:
            found = target_field(b, e, a.target, named_rows(scope))
            if found is None or not isinstance(f := found[1], Field) or f.required or not f.type.is_number:
                continue
            if any(True for _ in _sums_with(a, scope)):
                yield found[0].name, f.name


def added(a: Assignment, scope: Scope) -> frozenset[Expression]:
    """What an assignment adds to the field that it sets, or takes from it, and what may be empty of that."""
    found = (term for terms in _sums_with(a, scope) for term in terms if term not in _own(a, scope))
    return frozenset(term for term in found if may_be_empty(term, scope))


def steps(a: Assignment, scope: Scope) -> tuple[Expression, ...]:
    """What an assignment adds to the number that it sets, or takes from it, where it does nothing else with it; else nothing."""
    own, e = _own(a, scope), a.value
    terms = list(_terms(e, scope))
    while isinstance(e, Operation) and e not in own:
        # What is taken off from something else is not added to.
        e = e.right if e.operator == "+" and any(t in own for t in _terms(e.right, scope)) else e.left
    return tuple(t for t in terms if t not in own) if e in own and sum(t in own for t in terms) == 1 else ()


def may_be_empty(e: Expression, scope: Scope) -> bool:
    """Whether an expression may have no value."""
    if isinstance(e, Operand):
        if not e.is_field:
            return False
        given = scope.parameters.get(str(e.value)) if scope.this is None else None
        m = given or member(scope.entity, str(e.value)) or scope.parameters.get(str(e.value))
        if isinstance(m, Field) and m.computed is not None:
            return may_be_empty(m.computed, Scope(scope.blueprint, scope.entity))
        return m is not None and not m.required
    if isinstance(e, Operation):
        return e.operator == "/" or may_be_empty(e.left, scope) or may_be_empty(e.right, scope)
    if isinstance(e, Call):
        return e.function not in ("count", "sum", "exists")
    return True


def _own(a: Assignment, scope: Scope) -> tuple[Expression, ...]:
    """How expressions name the field that an assignment sets."""
    plain: Expression = Operand(a.target[0], is_field=True) if len(a.target) == 1 else Path(a.target)
    if scope.this is not None or (len(a.target) > 1 and any(r.name == a.target[0] for r in named_rows(scope))):
        return (plain,)
    hidden = a.target[0] in scope.parameters
    return (Path(("this", *a.target)),) if hidden else (plain, Path(("this", *a.target)))


def _sums_with(a: Assignment, scope: Scope) -> Iterator[list[Expression]]:
    """The terms of each sum in the value of an assignment that has the field itself among its terms. Of a date that is moved, they are the date
    and how many days, hours or the like."""
    own = _own(a, scope)
    for part in outer_parts(a.value):
        for terms in (list(_terms(part, scope)), list(_lengths(part))):
            if len(terms) > 1 and any(term in own for term in terms):
                yield terms


def _terms(e: Expression, scope: Scope) -> Iterator[Expression]:
    """The numbers that ``+`` and ``-`` join."""
    if isinstance(e, Operation) and e.operator in ("+", "-") and all(type_of(side, scope, []).kind is Kind.NUMBER for side in (e.left, e.right)):
        yield from _terms(e.left, scope)
        yield from _terms(e.right, scope)
    else:
        yield e


def _lengths(e: Expression) -> Iterator[Expression]:
    """A moment and the numbers of days, hours or the like that it is moved by."""
    while isinstance(e, Operation) and e.operator in ("+", "-") and isinstance(e.right, Call) and e.right.function in DURATIONS:
        yield e.right.argument
        e = e.left
    yield e
