"""States (``transitions``) that actions set: an action is refused where no change leads there, and plain changes of such a state are none of
anybody's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from clodo.blueprint.values import (
    Blueprint,
    Constant,
    Entity,
    Expression,
    IsEmpty,
    IsIn,
    Operand,
    Operation,
    Path,
    Reference,
)
from clodo.bricks.actions.values import (
    Action,
    Assignment,
    CreateRow,
    DeleteRows,
    Effect,
    Guard,
    SetValues,
    target_field,
)
from clodo.bricks.rules.samples import conjuncts
from clodo.bricks.rules.transitions import Transitions, refusal

#: A field, with its entity.
Column = tuple[str, str]


def with_states(b: Blueprint, e: Entity, action: Action) -> Blueprint:
    """The blueprint with what follows from the states that an action of ``e`` sets: its guards ask whether a change leads there from the
    state that the row is in, since the database takes a change to the same state for none; and nothing but actions changes them."""
    changed = replace(action, guards=(*action.guards, *_implied(b, e, action)))
    own = replace(e, parts=tuple(changed if p is action else p for p in e.parts))
    states = _set_by(b, e, action)

    def locked(x: Entity) -> Entity:
        fields = tuple(replace(f, read_only=True) if (x.name, f.name) in states else f for f in x.fields)
        return replace(x, fields=fields) if fields != x.fields else x

    return replace(b, entities=tuple(locked(own if x is e else x) for x in b.entities))


def states_set(b: Blueprint) -> set[Column]:
    """The states that any action of the service sets."""
    return {column for e in b.entities for action in e.parts_of(Action) for column in _set_by(b, e, action)}


def _set_by(b: Blueprint, e: Entity, action: Action) -> set[Column]:
    found = {column for effect in action.effects for column in _columns(b, e, action, effect)}
    return {(name, field) for name, field in found if (x := b.entity(name)) is not None and state_of(x, field) is not None}


def _columns(b: Blueprint, e: Entity, action: Action, effect: Effect) -> Iterator[Column]:
    if isinstance(effect, CreateRow | DeleteRows):
        return
    for a in effect.assignments:
        if not isinstance(effect, SetValues):
            yield effect.entity, a.target[0]
        elif (found := target_field(b, e, a.target, action.references)) is not None:
            yield found[0].name, found[1].name


def state_of(e: Entity, field: str) -> Transitions | None:
    """How a field changes, where it is a state."""
    return next((t for t in e.parts_of(Transitions) if t.field == field), None)


def never_reached(e: Entity, field: str, value: Expression) -> bool:
    """Whether a value is a state of ``e`` that no change leads to."""
    t = state_of(e, field)
    constant = value.value if isinstance(value, Operand) and not value.is_field else None
    return t is not None and isinstance(constant, str) and all(c != constant for _, c in t.pairs)


def _implied(b: Blueprint, e: Entity, action: Action) -> Iterator[Guard]:
    """The guards that the states ask for, but those that others of the action imply."""
    asked = [part for guard in action.guards for part in (guard.condition, *conjuncts(guard.condition))]
    done: set[Column] = set()
    seen: set[tuple[str, ...]] = set()
    for effect in action.effects:
        if not isinstance(effect, SetValues):
            # What it leaves behind is not known beforehand.
            done |= set(_columns(b, e, action, effect))
            continue
        for a in effect.assignments:
            found = target_field(b, e, a.target, action.references)
            first = a.target not in seen
            seen.add(a.target)
            if found is None or not first or (found[0].name, found[1].name) in done:
                continue
            t = state_of(found[0], found[1].name)
            condition = _may_change(e, action, a, t) if t is not None else None
            if t is not None and condition is not None and not any(_implies(part, condition) for part in asked):
                yield Guard(condition, refusal(found[0], t))


def _may_change(e: Entity, action: Action, a: Assignment, t: Transitions) -> Expression | None:
    """The condition that a state may change as an assignment says; ``None`` where the new one is worked out."""
    state, value = _named(action, a.target), a.value
    if not isinstance(value, Operand):
        return None
    if not value.is_field:
        condition: Expression = IsIn(state, _before(t, value.value))
    else:
        given = next((f for f in action.fields if f.name == value.value), None)
        ways = [
            Operation("and", Operation("=", value, Operand(new)), IsIn(state, _before(t, new)))
            for new in (given.values if given is not None else ())
            if _before(t, new)
        ]
        if not ways:
            return None
        condition = ways[0]
        for way in ways[1:]:
            condition = Operation("or", condition, way)
    reference = next((r for r in (*action.references, *e.references) if len(a.target) > 1 and r.name == a.target[0]), None)
    if reference is not None and not reference.required:
        # Where there is no such row, nothing is set.
        return Operation("or", IsEmpty(_named(action, a.target[:1])), condition)
    return condition


def _before(t: Transitions, state: Constant) -> tuple[Constant, ...]:
    """The states from which one is reached."""
    return tuple(a for a, c in t.pairs if c == state)


def _named(action: Action, target: tuple[str, ...]) -> Expression:
    """How the guards of an action name what an assignment sets."""
    hides = next((p for p in action.parameters if p.name == target[0]), None)
    names_row = isinstance(hides, Reference) and len(target) > 1
    names = ("this", *target) if hides is not None and not names_row else target
    return Operand(names[0], is_field=True) if len(names) == 1 else Path(names)


def _implies(part: Expression, condition: Expression) -> bool:
    """Whether a condition that is asked for leaves nothing to ask for by another one."""
    if part == condition:
        return True
    if not isinstance(condition, IsIn):
        return False
    if isinstance(part, IsIn):
        return part.inner == condition.inner and set(part.values) <= set(condition.values)
    if not isinstance(part, Operation) or part.operator != "=":
        return False
    sides = [(part.left, part.right), (part.right, part.left)]
    return any(one == condition.inner and isinstance(other, Operand) and not other.is_field and other.value in condition.values for one, other in sides)
