"""What the things that a cue speaks of are called in the blueprint, and how one of them is reached from another."""

from __future__ import annotations

from collections.abc import Callable, Collection

from clodo.blueprint.formulas import LINKED
from clodo.blueprint.linking import linking
from clodo.blueprint.values import Blueprint, Entity, Field, FieldType
from clodo.understand.draft import DraftCue, Filler
from clodo.understand.naming import singular


class Unsaid(Exception):
    """The text leaves open what a line would need."""


class Names:
    """What the fillers of a draft are called in its blueprint."""

    def __init__(
        self,
        blueprint: Blueprint,
        entity_of: Callable[[str], str],
        field_of: Callable[[str], str],
        *,
        apart: bool = False,
        text: str = "",
        files: Collection[tuple[str, str]] = (),
    ) -> None:
        self.blueprint, self._entity_of, self.field_name = blueprint, entity_of, field_of
        #: The files of rows by what the draft calls their entity and them: they are no fields of the blueprint.
        self._files = files
        #: Whether rows are kept apart by tenant.
        self.apart = apart
        #: The text that the things are of.
        self.text = text

    def entity(self, filler: Filler) -> Entity:
        """The entity of a filler.

        Raises:
            Unsaid: the blueprint has none of that name.
        """
        found = self.blueprint.entity(self._entity_of(filler.entity))
        if found is None:
            raise Unsaid
        return found

    def about(self, cue: DraftCue) -> Entity:
        """The one entity that a cue is about: its ``of``, else that of its fields and states.

        Raises:
            Unsaid: it names none.
        """
        for name in ("of", "set", "unset", "from", "to", "when", "unless", "below", "over"):
            for filler in cue.slots.get(name, []):
                if filler.entity:
                    return self.entity(filler)
        raise Unsaid

    def field(self, filler: Filler) -> tuple[Entity, Field]:
        """The field of a filler, and its entity.

        Raises:
            Unsaid: the blueprint has no such field.
        """
        entity = self.entity(filler)
        found = entity.field(self.field_name(filler.field))
        if found is None:
            raise Unsaid
        return entity, found

    def reference(self, filler: Filler) -> tuple[Entity, str] | None:
        """The reference that a filler names (``winner``), and its entity; ``None`` where it names none."""
        entity, name = self.entity(filler), self.field_name(filler.field)
        known = {r.name for r in entity.references}
        return next(((entity, n) for n in (name, name.removesuffix("_id"), singular(name)) if n in known), None)

    def file(self, filler: Filler) -> str | None:
        """What the file is called that a filler names; ``None`` where it names none."""
        return self.field_name(filler.field) if (filler.entity, filler.field) in self._files else None

    def target(self, filler: Filler) -> str:
        """What an entity is called where others refer to it."""
        return self._entity_of(filler.entity)

    def way(self, start: Entity, goal: str) -> str:
        """The reference, or the path of two, that leads from an entity to another.

        Raises:
            Unsaid: there is no such path.
        """
        for r in start.references:
            if r.target == goal:
                return r.name
        for r in start.references:
            between = self.blueprint.entity(r.target)
            for second in between.references if between is not None else ():
                if second.target == goal:
                    return f"{r.name}.{second.name}"
        raise Unsaid

    def tie(self, other: Entity, e: Entity) -> str:
        """The condition that a row of another entity belongs to one of ``e``: it refers to it, or, where ``e`` does not refer to the
        other, is linked with it.

        Raises:
            Unsaid: it does neither.
        """
        try:
            return f"{self.way(other, e.name)} = this"
        except Unsaid:
            if linking(self.blueprint, other.name, e.name) is None or any(r.target == other.name for r in e.references):
                raise
            return f"{LINKED}(this)"

    def own(self, e: Entity, filler: Filler) -> Field:
        """The field of a filler, which has to be one of that entity.

        Raises:
            Unsaid: it is not.
        """
        entity, found = self.field(filler)
        if entity.name != e.name:
            raise Unsaid
        return found

    def back(self, child: Entity, parent: Entity) -> str:
        """What the rows of one entity call the row of another that they belong to.

        Raises:
            Unsaid: they refer to none.
        """
        found = next((r.name for r in child.references if r.target == parent.name), None)
        if found is None:
            raise Unsaid
        return found

    def seen_from(self, start: Entity, filler: Filler) -> str:
        """A field as it is named from the rows of an entity: ``people``, or ``room.seats``.

        Raises:
            Unsaid: it cannot be reached from there.
        """
        named = self.reference(filler)
        entity, name = named if named is not None else (self.field(filler)[0], self.field(filler)[1].name)
        return name if entity.name == start.name else f"{self.way(start, entity.name)}.{name}"


def only_number(e: Entity) -> str:
    """The number that is measured where the text names none: the only amount of money of an entity, else its only number.

    Raises:
        Unsaid: it has none, or several.
    """
    for kinds in ((FieldType.MONEY,), (FieldType.INTEGER, FieldType.DECIMAL)):
        found = [f.name for f in e.fields if f.type in kinds]
        if len(found) == 1:
            return found[0]
        if found:
            break
    raise Unsaid


def only(e: Entity, kind: FieldType) -> Field:
    """The only field of a type.

    Raises:
        Unsaid: there is none, or there are several.
    """
    found = [f for f in e.fields if f.type is kind]
    if len(found) != 1:
        raise Unsaid
    return found[0]
