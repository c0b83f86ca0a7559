"""What a cue says of rows and of who may: the slots of a cue as conditions of the language.

Raises :class:`Unsaid` where the text left open what a line would need.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property, partial
from typing import Self

from clodo.blueprint.text import number
from clodo.blueprint.values import Access, Entity, Field, FieldType
from clodo.understand.ages import Age, told_age
from clodo.understand.blocks import Member
from clodo.understand.bounds import Figure, Part, are_told_apart
from clodo.understand.bounds import guards as bound_guards
from clodo.understand.cue_names import Names, Unsaid, only_number
from clodo.understand.draft import DraftCue, Filler
from clodo.understand.givens import Givens
from clodo.understand.jobs import STEPS
from clodo.understand.numbers import number as number_in
from clodo.understand.others import SIGNS, OnOthers, Others
from clodo.understand.periods import LENGTHS, unit_of
from clodo.understand.reminders import late
from clodo.understand.schedules import Run, in_days, now_of
from clodo.understand.states import constant_of, is_true
from clodo.understand.step_numbers import StepNumbers, comparison, number_for, step_numbers
from clodo.understand.takers import MAKER, is_kept_off, known_takers, off_theirs, takers

#: Where lines go besides entities.
SERVICE, USERS = "", "users"


@dataclass
class Lines:
    """What a cue comes to: lines by where they stand (the name of an entity, ``SERVICE`` or ``USERS``), and fields that are
    computed, with their expressions."""

    lines: list[tuple[str, str]] = field(default_factory=list)
    computed: dict[tuple[str, str], str] = field(default_factory=dict)
    #: Fields that a line brings itself: entity and name.
    brought: set[tuple[str, str]] = field(default_factory=set)
    #: Lines of blocks of the service that several cues make together.
    blocks: list[Member] = field(default_factory=list)


class CueReader:
    """What the slots of one cue say of the things of a service, and the lines written of it so far.

    ``apart``: it is a step that its outcome tells from another of the same verb; ``runs``: the actions that are run where it is a
    schedule; ``age``: the length of time that it speaks of; ``givens``: the parameters of a step that several cues tell of.
    """

    def __init__(
        self,
        cue: DraftCue,
        names: Names,
        *,
        apart: bool = False,
        runs: Sequence[Run] = (),
        age: Callable[[], Age | None] | None = None,
        givens: Givens | None = None,
    ) -> None:
        self.cue, self.names, self.apart, self.runs, self.out = cue, names, apart, runs, Lines()
        self.age = age if age is not None else partial(told_age, cue, names.text)
        self.givens = givens if givens is not None else Givens()
        #: The parameter for a figure that is given with a step.
        self.figure = ""

    def slot(self, name: str) -> list[Filler]:
        return self.cue.slots.get(name, [])

    def say(self, where: str, line: str) -> None:
        self.out.lines.append((where, line))

    def entity(self) -> Entity:
        """The one entity that the cue is about."""
        return self.names.about(self.cue)

    def entities(self) -> list[Entity]:
        """Those that it names, else all."""
        named = list({e.name: e for e in (self.names.entity(f) for f in self.slot("of") if f.entity)}.values())
        if not (found := named or list(self.names.blueprint.entities)):
            raise Unsaid
        return found

    def amount(self) -> Decimal | None:
        """The number in its slot ``n``."""
        return amount(self.cue)

    @property
    def numbers(self) -> StepNumbers:
        """The numbers of a step."""
        return step_numbers(self.cue)

    def unit(self) -> str:
        """The unit of time of its slot ``per``, else of the cue's own words."""
        return unit_of(self.cue)

    def seen(self, e: Entity, filler: Filler) -> str:
        """A field as it is named from the rows of an entity, where a parameter may have its name."""
        path = self.names.seen_from(e, filler)
        return f"this.{path}" if path.partition(".")[0] in self.givens else path

    def of_row(self, e: Entity, name: str) -> list[Filler]:
        """What a slot says of the row itself, and not of others that refer to it."""
        others = Others(self.names, e)
        return [f for f in self.slot(name) if self.cue.kind not in STEPS or not (others.are_meant(f) or is_kept_off(f))]

    def condition(self, e: Entity) -> str:
        """What ``when`` and ``unless``, ``below`` and ``over`` say of a row; empty where they say nothing."""
        return " and ".join([*self._states_of_row(e), *map(str, self._figures_of_row(e))])

    def _states_of_row(self, e: Entity) -> list[str]:
        return [*self._states(e, self.of_row(e, "when"), True), *self._states(e, self.of_row(e, "unless"), False)]

    def _figures_of_row(self, e: Entity) -> list[Figure]:
        """What ``below`` and ``over`` say of numbers of a row: as against a number of the text, else against each other."""
        most, strict = self._measure()
        under = [(f, "<") for f in self.of_row(e, "below")]
        above = [] if late(self.cue, self.names) else [(f, ">") for f in self.of_row(e, "over")]
        if any(not self.names.field(f)[1].type.is_number for f, _ in (*under, *above)):
            raise Unsaid
        if len(under) == 1 and len(above) == 1 and (most is None or not strict):
            # No number is named, so that one is compared with the other.
            lesser, greater = self.seen(e, under[0][0]), self.seen(e, above[0][0])
            if lesser == greater:
                raise Unsaid
            return [Figure(lesser, "<", greater)]
        if most is None and (under or above) and not self._is_pair_with_others(e):
            raise Unsaid
        if most is None:
            return []
        told = [(self.seen(e, f), sign, "below" if sign == "<" else "over") for f, sign in (*under, *above)]
        return [Figure(path, self._sign(sign, name) if strict else f"{sign}=", self._number(name, most)) for path, sign, name in told]

    def _measure(self) -> tuple[Decimal | str | None, bool]:
        """What figures are compared with, where that is one number, and whether it is said in the text: as much as is given with a
        step may be as much as there is."""
        if self.cue.kind not in STEPS:
            return self.amount(), True
        return (many, True) if (many := self.numbers.compared) is not None else (self.figure or None, False)

    def _said_number(self, name: str) -> Filler | None:
        """The words of the number that figures of a slot are compared with."""
        return number_for(self.cue, self.numbers, name, self.names.text) if self.cue.kind in STEPS else numbered(self.cue)

    def _number(self, name: str, most: Decimal | str) -> Decimal | str:
        """The number of a slot: ``most``, where there is one for all."""
        said = self._said_number(name)
        value = number_in(said.words) if said is not None else None
        return value if value is not None else most

    def _sign(self, wanted: str, name: str) -> str:
        """How a figure is compared with the number of the text, ``<`` or ``>``: or as much, where the words around the number say so."""
        said = self._said_sign(name)
        return said if said.startswith(wanted) else wanted

    def _said_sign(self, name: str) -> str:
        """What the words around the number of a slot compare with it by; empty where there are no such words."""
        measure = self._said_number(name)
        return comparison(self.names.text, measure) if measure is not None else ""

    @cached_property
    def others(self) -> OnOthers:
        """What a step says of other rows than its own."""
        return Others(self.names, self.entity()).said(self.cue) if self.cue.kind in STEPS else OnOthers()

    def _is_pair_with_others(self, e: Entity) -> bool:
        """Whether a figure of other rows is compared with one of the row, and no number of the text with either."""
        figures = (self.others.below, self.others.over)
        alone = any(figures) and self.numbers.compared is None
        return alone and all(len(f) + len(self.of_row(e, name)) == 1 for f, name in zip(figures, ("below", "over"), strict=True))

    @cached_property
    def all_said(self) -> list[Self]:
        """What this cue and further ones say of a step."""
        return [self, *(type(self)(one, self.names, givens=self.givens) for one in self.cue.further)]

    def _figures_of_others(self, e: Entity) -> list[Figure]:
        """What a step says of figures of other rows."""
        most, figures = self._measure()[0], {"below": self.others.below, "over": self.others.over}
        if self._is_pair_with_others(e):
            lesser, greater = (f[0] if f else self.seen(e, self.of_row(e, name)[0]) for name, f in figures.items())
            if lesser == greater:
                raise Unsaid
            return [Figure(lesser, "<=", greater) if figures["below"] else Figure(greater, ">=", lesser)]
        if most is None and any(figures.values()):
            raise Unsaid
        out = []
        for name, found in figures.items():
            sign = self._said_sign(name) if found else ""
            out += [Figure(f, sign if sign in SIGNS[name] else SIGNS[name][0], self._number(name, most)) for f in found if most is not None]
        return out

    def _guards(self, e: Entity) -> list[str]:
        """The conditions of a step, each by itself, with all that further cues say of it."""
        said = self.all_said
        if any(f.role and not (name == "unless" and is_kept_off(f)) for w in said for name in ("when", "unless") for f in w.slot(name)):
            raise Unsaid
        parts = [w._part(e) for w in said]
        if are_told_apart(parts):
            out = list(bound_guards(parts, MAKER))
        else:
            out = [condition for w in said for condition in (w._of_its_row(e), *w.others.states, *map(str, w._figures_of_others(e)))]
        out = [*out, *(w._early(e) for w in said)]
        out += [off_theirs(self.names.blueprint, e, self.cue.words)] if any(is_kept_off(f) for w in said for f in w.slot("unless")) else []
        return [condition for condition in dict.fromkeys(out) if condition]

    def _of_its_row(self, e: Entity) -> str:
        return " and ".join([*filter(None, [self.condition(e)]), *map(str, self._measured(e))])

    def _part(self, e: Entity) -> Part:
        """What this cue says of who takes a step, and under which conditions."""
        states = (*self._states_of_row(e), *self.others.states)
        figures = (*self._figures_of_row(e), *self._measured(e), *self._figures_of_others(e))
        return Part(tuple(dict.fromkeys(f.role for f in self.slot("by"))), states, figures)

    def _who(self, e: Entity) -> Access | None:
        """Who takes a step; ``None`` where that is whoever may write the row."""
        kept_off = any(is_kept_off(f) for w in self.all_said for f in w.slot("unless"))
        among = not self.slot("by") and are_told_apart([w._part(e) for w in self.all_said])
        return known_takers(takers(self.cue), self.names.blueprint.write_access(e), among=among, kept_off=kept_off)

    def where(self, e: Entity) -> str:
        """The same as the tail of a line."""
        condition = self.condition(e)
        return f" where {condition}" if condition else ""

    def _states(self, e: Entity, fillers: Sequence[Filler], wanted: bool) -> Iterable[str]:
        values: dict[str, list[str]] = {}
        for filler in fillers:
            if not filler.entity or (not filler.field and self.cue.kind not in STEPS):
                raise Unsaid
            if self.cue.kind in STEPS and (file := self.names.file(filler)) is not None:
                if filler.words or self.names.entity(filler) != e:
                    raise Unsaid
                yield f"{file} is {'not ' if wanted else ''}empty"
                continue
            if not filler.field or (self.cue.kind in STEPS and self.names.reference(filler) is not None):
                # What a row refers to is there or not.
                path = self.seen(e, filler) if filler.field else self.names.way(e, self.names.target(filler))
                yield f"{path} is {'not ' if wanted else ''}empty"
                continue
            path = self.seen(e, filler)
            f = self.names.field(filler)[1]
            if f.write_only:
                raise Unsaid
            if f.type is FieldType.BOOLEAN:
                yield path if (is_true(filler) is wanted) else f"not {path}"
            elif not filler.words:
                yield f"{path} is {'not ' if wanted else ''}empty"
            else:
                values.setdefault(path, []).append(constant_of(f, filler.words))
        for path, said in values.items():
            found = list(dict.fromkeys(said))
            if len(found) > 1:
                yield f"{'' if wanted else 'not '}{path} in ({', '.join(found)})"
            else:
                yield f"{path} {'=' if wanted else '!='} {found[0]}"

    def _measured(self, e: Entity) -> list[Figure]:
        """What a number of the step says of the only figure of its row that it can mean, where no field of the text is compared with it."""
        spare = self.numbers.spare
        if not spare:
            return []
        value, sign = number_in(spare[0].words), comparison(self.names.text, spare[0])
        if len(spare) > 1 or value is None or not sign or self.slot("below") or self.slot("over"):
            raise Unsaid
        return [Figure(only_number(e), sign, value)]

    def _early(self, e: Entity) -> str:
        """Until when an action can be called: so long before a date or moment of the row."""
        ends = [f for f in self.slot("from") if f.field]
        if not ends:
            return ""
        f = self.names.field(ends[0])[1]
        return f"{now_of(f)} < {self.seen(e, ends[0])}{self._before(f)}"

    def _before(self, f: Field) -> str:
        """How much earlier than that date or moment a step must be taken, as the tail of an expression; empty where the text says nothing of it."""
        many, unit = self.numbers.early, self.unit()
        # A step may have other numbers; how long before is a unit with an article of its own.
        timed = DraftCue(self.cue.kind, "", {"per": self.slot("per")})
        if many is None and (age := told_age(timed, self.names.text)) is not None:
            many, unit = age.many, age.unit
        if many is None:
            return ""
        many, unit = in_days(many, unit, f)
        if unit not in LENGTHS:
            raise Unsaid
        return f" - {unit}s({number(many)})"


def amount(cue: DraftCue) -> Decimal | None:
    """The number in the slot ``n`` of a cue."""
    found = numbered(cue)
    return number_in(found.words) if found is not None else None


def numbered(cue: DraftCue) -> Filler | None:
    """What that number is said with."""
    return next((f for f in cue.slots.get("n", []) if number_in(f.words) is not None), None)
