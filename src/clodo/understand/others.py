"""Conditions of a step on other rows, which refer to the one that it is taken with: how many there are of them, how many are not in
some state, what their figures come to.

Where a field can be reached from the row itself, that is meant, and no others. An empty yes/no field counts as no, and an empty state as
any other than the one that is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from clodo.blueprint.values import Entity, Field, FieldType
from clodo.understand.cue_names import Names, Unsaid
from clodo.understand.draft import Filler
from clodo.understand.states import constant_of, is_true

#: The signs that a number can have beside ``below`` and ``over``, the usual one first.
SIGNS = {"below": ("<=", "<"), "over": (">=", ">")}


class Others:
    """The rows that refer to those of an entity."""

    def __init__(self, names: Names, e: Entity) -> None:
        self.names, self.e = names, e

    def are_meant(self, filler: Filler) -> bool:
        """Whether a filler speaks of such rows, and not of the row itself or of one that it refers to."""
        try:
            if filler.field:
                try:
                    self.names.seen_from(self.e, filler)
                except Unsaid:
                    self.names.way(self.names.entity(filler), self.e.name)
                    return True
                return False
            return bool(filler.entity and self.names.way(self.names.entity(filler), self.e.name))
        except Unsaid:
            return False

    def states(self, fillers: Sequence[Filler], wanted: bool, *, holds: bool = True) -> Iterator[str]:
        """That all of them are so (``wanted``), or none is; of an entity alone that there is one, or none, or where that must not hold the
        opposite.

        Raises:
            Unsaid: not all of them are to be so, and it is open what that says of a row that has none.
        """
        by_field: dict[tuple[str, str], list[Filler]] = {}
        for filler in filter(self.are_meant, fillers):
            by_field.setdefault((filler.entity, filler.field), []).append(filler)
        for (_, field), said in by_field.items():
            if field and not holds:
                raise Unsaid
            other = self.names.entity(said[0])
            alike = list(self._alike(other, said, not wanted)) if field else []
            yield f"{self._rows('count', other, '', alike)} {'= 0' if field or wanted is not holds else '> 0'}"

    def figures(self, slot: str, fillers: Sequence[Filler], most: str, sign: str) -> Iterator[str]:
        """How many there are, or what their figures come to, against a number; ``sign`` is what the text says of it."""
        for filler in filter(self.are_meant, fillers):
            yield f"{self._figure(filler)} {sign if sign in SIGNS[slot] else SIGNS[slot][0]} {most}"

    def compared(self, lesser: Filler, greater: Filler, seen: Callable[[Filler], str]) -> str:
        """One figure against another, of which one at least is theirs; ``seen`` is how one of the row itself is called."""
        if (lesser.entity, lesser.field) == (greater.entity, greater.field):
            raise Unsaid
        if self.are_meant(lesser):
            return f"{self._figure(lesser)} <= {self._figure(greater) if self.are_meant(greater) else seen(greater)}"
        return f"{self._figure(greater)} >= {seen(lesser)}"

    def _alike(self, other: Entity, said: Sequence[Filler], wanted: bool) -> Iterator[str]:
        """The conditions under which a row is in one of the states of a field, or (not ``wanted``) in none of them."""
        f = self.names.own(other, said[0])
        if f.write_only:
            raise Unsaid
        if f.type is FieldType.BOOLEAN:
            yield f.name if is_true(said[0]) is wanted else f"{f.name} != true"
        elif not said[0].words:
            yield f"{f.name} is {'not ' if wanted else ''}empty"
        else:
            values = list(dict.fromkeys(constant_of(f, filler.words) for filler in said))
            if wanted and len(values) > 1:
                yield f"{f.name} in ({', '.join(values)})"
            else:
                yield from (f"{f.name} {'=' if wanted else '!='} {value}" for value in values)

    def _figure(self, filler: Filler) -> str:
        other = self.names.entity(filler)
        if not filler.field:
            return self._rows("count", other, "", [])
        f: Field = self.names.own(other, filler)
        if not f.type.is_number or f.write_only:
            raise Unsaid
        return self._rows("sum", other, f".{f.name}", [])

    def _rows(self, function: str, other: Entity, column: str, conditions: Sequence[str]) -> str:
        where = " and ".join([f"{self.names.way(other, self.e.name)} = this", *conditions])
        return f"{function}({other.name}{column} where {where})"
