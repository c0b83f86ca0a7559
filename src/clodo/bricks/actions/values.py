"""What an action is: frozen values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from clodo.blueprint.formulas import Scope, member
from clodo.blueprint.plan import kebab
from clodo.blueprint.values import Access, Blueprint, Entity, Expression, Field, Reference, Who

#: The part of the path under which it is seen what becomes of actions that are done later.
JOBS = "background-jobs"


@dataclass(frozen=True, slots=True)
class Guard:
    """A condition without which the action is refused; ``message`` may be empty."""

    condition: Expression
    message: str = ""


@dataclass(frozen=True, slots=True)
class Assignment:
    """``target = value``; two names in ``target`` are a field of the row that a parameter or a reference names."""

    target: tuple[str, ...]
    value: Expression


@dataclass(frozen=True, slots=True)
class SetValues:
    """Changes the row itself, rows that it refers to, or rows that parameters name."""

    assignments: tuple[Assignment, ...]


@dataclass(frozen=True, slots=True)
class CreateRow:
    """Makes a row of an entity."""

    entity: str
    assignments: tuple[Assignment, ...]


@dataclass(frozen=True, slots=True)
class UpdateRows:
    """Changes all rows of an entity that meet a condition."""

    entity: str
    assignments: tuple[Assignment, ...]
    where: Expression


@dataclass(frozen=True, slots=True)
class DeleteRows:
    """Deletes all rows of an entity that meet a condition."""

    entity: str
    where: Expression


Effect = SetValues | CreateRow | UpdateRows | DeleteRows


@dataclass(frozen=True, slots=True)
class Action:
    """``POST /api/{entities}/{id}/{name}``. Who may is ``by``, else who may write the entity. The guards are looked at
    before anything is done; the effects are carried out in their order, all or none. ``later``: behind the answer."""

    name: str
    parameters: tuple[Field | Reference, ...] = ()
    by: Access | None = None
    guards: tuple[Guard, ...] = ()
    effects: tuple[Effect, ...] = ()
    later: bool = False

    @property
    def segment(self) -> str:
        """Its part of the path."""
        return kebab(self.name)

    @property
    def fields(self) -> tuple[Field, ...]:
        """The parameters that are values."""
        return tuple(p for p in self.parameters if isinstance(p, Field))

    @property
    def references(self) -> tuple[Reference, ...]:
        """The parameters that name rows."""
        return tuple(p for p in self.parameters if isinstance(p, Reference))

    def as_entity(self) -> Entity:
        """The body of a call, in the shape of an entity."""
        return Entity(self.name, self.fields, self.references, timestamps=False)


def who_may(b: Blueprint, e: Entity, action: Action) -> Access:
    """Who may call an action."""
    return action.by or b.write_access(e)


def scope_of(b: Blueprint, e: Entity, action: Action) -> Scope:
    """Where the expressions of an action stand."""
    parameters: Mapping[str, Field | Reference] = {p.name: p for p in action.parameters}
    has_caller = who_may(b, e, action).who in (Who.USER, Who.OWNER, Who.ROLE)
    return Scope(b, e, parameters=parameters, has_caller=has_caller)


def named_rows(scope: Scope) -> list[Reference]:
    """The parameters that name rows which a line ``set`` in ``scope`` may change."""
    return [p for p in scope.parameters.values() if isinstance(p, Reference)] if scope.this is None else []


def changed_by_name(action: Action) -> list[Reference]:
    """The parameters whose rows an action changes."""
    names = {a.target[0] for effect in action.effects if isinstance(effect, SetValues) for a in effect.assignments if len(a.target) > 1}
    return [r for r in action.references if r.name in names]


def tenant_columns(own: Entity, other: Entity) -> dict[str, str]:
    """The columns that say which tenant rows of ``other`` belong to → the columns that say so of a row of ``own``, which may be the
    tenant itself."""
    found = {}
    for column in other.unique_within:
        if column in own.unique_within:
            found[column] = column
        elif column == f"{own.name}_id":
            found[column] = "id"
    return found


def refusal(guard: Guard) -> str:
    """What the service says where a guard does not hold."""
    from clodo.blueprint.text import expression_text

    return guard.message or f"This must hold first: {expression_text(guard.condition)}."


def target_field(b: Blueprint, e: Entity, target: tuple[str, ...], named: Iterable[Reference]) -> tuple[Entity, Field | Reference] | None:
    """The entity and the member that an assignment changes, ``None`` where there is none. ``named`` are the parameters that name rows: in
    front of a point they hide references of their names."""
    if len(target) == 1:
        own = member(e, target[0])
        return (e, own) if own is not None else None
    reference = next((r for r in named if r.name == target[0]), None) or member(e, target[0])
    row = b.entity(reference.target) if isinstance(reference, Reference) else None
    found = member(row, target[1]) if row is not None else None
    return (row, found) if row is not None and found is not None else None
