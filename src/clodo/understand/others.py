"""Conditions of a step on other rows, which refer to the one that it is taken with or are linked with it: how many there are of them, or
of those in some state, how many are not in one, what their figures come to.

Where a field can be reached from the row itself, that is meant, and no others. An empty yes/no field counts as no, and an empty state as
any other than the one that is named. Of one field a step can say both: how many rows are in one state, and that none is in another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from clodo.blueprint.values import Entity, FieldType
from clodo.understand.cue_names import Names, Unsaid
from clodo.understand.draft import DraftCue, Filler
from clodo.understand.states import constant_of, is_true

_MOMENTS = (FieldType.DATE, FieldType.DATETIME)
#: The signs that a number can have beside ``below`` and ``over``, the usual one first.
SIGNS = {"below": ("<=", "<"), "over": (">=", ">")}


@dataclass(frozen=True)
class OnOthers:
    """What a step says of other rows: conditions on them, and the figures of theirs that ``below`` and ``over`` compare."""

    states: tuple[str, ...] = ()
    below: tuple[str, ...] = ()
    over: tuple[str, ...] = ()


class Others:
    """The rows that refer to those of an entity, or are linked with them."""

    def __init__(self, names: Names, e: Entity) -> None:
        self.names, self.e = names, e

    def are_meant(self, filler: Filler) -> bool:
        """Whether a filler speaks of such rows, and not of the row itself or of one that it refers to."""
        try:
            if filler.field:
                try:
                    self.names.seen_from(self.e, filler)
                except Unsaid:
                    self.names.tie(self.names.entity(filler), self.e)
                    return True
                return False
            return bool(filler.entity and self.names.tie(self.names.entity(filler), self.e))
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

    def said(self, cue: DraftCue) -> OnOthers:
        """All that the slots of a step say of such rows. A state that a figure is of says nothing of all of them, but another one of its
        field does.

        Raises:
            Unsaid: what is named is neither a number nor says of which rows a figure is.
        """
        when, unless, below, over = ([f for f in cue.slots.get(name, []) if self.are_meant(f)] for name in ("when", "unless", "below", "over"))
        counted = [f for f in (*below, *over) if self._is_state(f)]
        (among, so), (among_not, not_so) = self._parted(when, counted, whole=True), self._parted(unless, counted, whole=False)
        figures = (tuple(self._figures(fillers, among, among_not)) for fillers in (below, over))
        return OnOthers((*self.states(so, True), *self.states(not_so, False)), *figures)

    def _parted(self, fillers: Sequence[Filler], counted: Sequence[Filler], *, whole: bool) -> tuple[list[Filler], list[Filler]]:
        """What says which rows figures are of, and what says something of all rows: a field of which ``counted`` names other states.
        ``whole``: of one field all is said of the same rows."""
        among: list[Filler] = []
        for entity, field in dict.fromkeys((f.entity, f.field) for f in counted):
            states = {self._state(f) for f in counted if (f.entity, f.field) == (entity, field) and f.words}
            told = [f for f in fillers if (f.entity, f.field) == (entity, field)]
            alike = [f for f in told if not states or not f.words or self._state(f) in states]
            among += alike if len(alike) == len(told) or not whole else []
        return among, [f for f in fillers if f not in among]

    def _state(self, filler: Filler) -> str:
        """A state as the language has it, however the text writes it."""
        f = self.names.own(self.names.entity(filler), filler)
        return constant_of(f, filler.words) if f.type is FieldType.ENUM else filler.words.lower()

    def _figures(self, meant: Sequence[Filler], when: Sequence[Filler], unless: Sequence[Filler]) -> Iterator[str]:
        """How many there are, or what a number of theirs comes to: of those in the states that are named beside, if any are. ``when`` and
        ``unless`` say of such a state which one it is: they are so, or not so."""
        named = [f for f in meant if not self._is_state(f)]
        named += [Filler(entity) for entity in dict.fromkeys(f.entity for f in meant) if entity not in {f.entity for f in named}]
        for f in named:
            yield self._figure(f, list(self._among([s for s in meant if s.entity == f.entity and self._is_state(s)], when, unless)))

    def _is_state(self, filler: Filler) -> bool:
        return bool(filler.field) and not self.names.own(self.names.entity(filler), filler).type.is_number

    def _among(self, states: Sequence[Filler], when: Sequence[Filler], unless: Sequence[Filler]) -> Iterator[str]:
        """The conditions on the rows that a figure is of."""
        for entity, field in dict.fromkeys((f.entity, f.field) for f in states):
            alike = [[f for f in fillers if (f.entity, f.field) == (entity, field)] for fillers in (states, when, unless)]
            told, wanted = alike[2] or [*alike[0], *alike[1]], not alike[2]
            # What only tells the field says nothing beside its states.
            told = [f for f in told if f.words] or told[:1]
            other = self.names.entity(told[0])
            type_ = self.names.own(other, told[0]).type
            if not (type_ is FieldType.BOOLEAN or type_ in _MOMENTS or (type_ is FieldType.ENUM and told[0].words)):
                raise Unsaid
            yield from self._alike(other, told, wanted)

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

    def _figure(self, filler: Filler, conditions: Sequence[str]) -> str:
        other = self.names.entity(filler)
        if not filler.field:
            return self._rows("count", other, "", conditions)
        f = self.names.own(other, filler)
        if f.write_only:
            raise Unsaid
        return self._rows("sum", other, f".{f.name}", conditions)

    def _rows(self, function: str, other: Entity, column: str, conditions: Sequence[str]) -> str:
        where = " and ".join([self.names.tie(other, self.e), *conditions])
        return f"{function}({other.name}{column} where {where})"
