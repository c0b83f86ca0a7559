"""What an expression looks at: columns of its own row, of rows that are referred to, of rows that are counted."""

from __future__ import annotations

from dataclasses import dataclass

from clodo.blueprint.formulas import AGGREGATES, LINKED, Scope, member, parts, target_of
from clodo.blueprint.values import (
    Call,
    Entity,
    Expression,
    Field,
    IsEmpty,
    IsIn,
    Not,
    Operand,
    Operation,
    Path,
    Reference,
)

#: Whose columns: of the row itself, of rows that are counted, of rows further away. Any other word is the reference of
#: the row itself, or the parameter, that names the row.
OWN, COUNTED, AFAR = "", "#", "?"


@dataclass(frozen=True)
class Read:
    """A member of a row that is looked at; computed ones are followed by what they are computed from."""

    entity: Entity
    name: str
    whose: str

    @property
    def column(self) -> str:
        """Its column."""
        m = member(self.entity, self.name)
        return f"{self.name}_id" if isinstance(m, Reference) or (m is None and self.name == "owner") else self.name

    @property
    def is_computed(self) -> bool:
        """Whether it has no column of its own."""
        m = member(self.entity, self.name)
        return isinstance(m, Field) and m.computed is not None


@dataclass(frozen=True)
class Counting:
    """Rows of an entity that are counted or summed up; ``own``: whether ``this`` in it is the row itself."""

    call: Call
    entity: Entity
    own: bool


@dataclass(frozen=True)
class LinkRead:
    """A link of rows of an entity that is looked at."""

    entity: Entity


#: What an expression can look at.
Looked = Read | Counting | LinkRead


def reads(e: Expression, scope: Scope) -> list[Looked]:
    """All that an expression looks at, each once, however far away."""
    reader = _Reader()
    reader.read(e, scope, OWN, OWN)
    return list(dict.fromkeys(reader.found))


def afar(e: Expression, scope: Scope, entity: str) -> set[str]:
    """The members of rows of an entity that an expression looks at through references."""
    return {r.name for r in reads(e, scope) if isinstance(r, Read) and r.entity.name == entity and r.whose not in (OWN, COUNTED)}


def narrows(e: Expression, scope: Scope) -> bool:
    """Whether a condition that chooses among other rows looks at these rows; one without any name means all of them."""
    if not any(isinstance(p, Path) or (isinstance(p, Operand) and p.is_field) for p in parts(e)):
        return True
    reader = _Reader()
    reader.read(e, scope, OWN, AFAR)
    return any((isinstance(r, Read) and r.whose == OWN) or r == LinkRead(scope.entity) for r in reader.found)


class _Reader:
    def __init__(self) -> None:
        self.found: list[Looked] = []
        self.seen: set[tuple[str, str, str]] = set()

    def read(self, e: Expression, scope: Scope, row: str, this: str) -> None:
        """``row`` and ``this`` say whose the names of the scope are."""
        if isinstance(e, Operand) and e.is_field:
            self._first(str(e.value), scope, row, this)
        elif isinstance(e, Path):
            entity, whose = self._first(e.names[0], scope, row, this)
            for name in e.names[1:]:
                if entity is None:
                    return
                entity, whose = self._member(entity, name, whose, scope)
        elif isinstance(e, Call):
            self._call(e, scope, row, this)
        elif isinstance(e, Not | IsEmpty | IsIn):
            self.read(e.inner, scope, row, this)
        elif isinstance(e, Operation):
            self.read(e.left, scope, row, this)
            self.read(e.right, scope, row, this)

    def _call(self, e: Call, scope: Scope, row: str, this: str) -> None:
        name, column = target_of(e)
        entity = scope.blueprint.entity(name)
        if e.function == LINKED:
            self.found.append(LinkRead(scope.entity))
        if e.function not in AGGREGATES or entity is None:
            self.read(e.argument, scope, row, this)
            return
        self.found.append(Counting(e, entity, this == OWN))
        if column:
            self._member(entity, column, COUNTED, scope)
        if e.where is not None:
            self.read(e.where, scope.within(entity), COUNTED, this)

    def _first(self, name: str, scope: Scope, row: str, this: str) -> tuple[Entity | None, str]:
        parameter = scope.parameters.get(name)
        known = member(scope.entity, name) is not None or name in ("owner", "created_at", "updated_at")
        if known and not (parameter is not None and scope.this is None):
            return self._member(scope.entity, name, row, scope)
        if isinstance(parameter, Reference):
            return scope.blueprint.entity(parameter.target), parameter.name
        return (scope.own, this) if name == "this" else (None, AFAR)

    def _member(self, entity: Entity, name: str, whose: str, scope: Scope) -> tuple[Entity | None, str]:
        """Notes a member, and gives the row that it names."""
        m = member(entity, name)
        if m is None and name not in ("owner", "created_at", "updated_at"):
            return None, AFAR
        self.found.append(Read(entity, name, whose))
        if isinstance(m, Field) and m.computed is not None and (entity.name, name, whose) not in self.seen:
            self.seen.add((entity.name, name, whose))
            self.read(m.computed, Scope(scope.blueprint, entity), whose, whose)
        target = scope.blueprint.entity(m.target) if isinstance(m, Reference) else None
        return target, name if whose == OWN else AFAR
