"""From a cue to lines of the language: what a wish for more than stored rows comes to in this service.

Each kind of cue has one function. It raises :class:`Unsaid` where the text left open what the line would need;
whether the line holds up is for the checks of the language to say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property, partial
from operator import eq

from clodo.blueprint.formulas import PERIODS
from clodo.blueprint.text import number, quote
from clodo.blueprint.values import Access, Entity, Field, FieldType, Reference
from clodo.understand.ages import Age, told_age
from clodo.understand.blocks import Member
from clodo.understand.bounds import Figure, Part, are_told_apart
from clodo.understand.bounds import guards as bound_guards
from clodo.understand.choices import chosen
from clodo.understand.cue_names import Names, Unsaid, only, only_number
from clodo.understand.deleters import deleters, says_who_deletes
from clodo.understand.draft import DraftCue, Filler
from clodo.understand.givens import Givens
from clodo.understand.irregular_verbs import PARTICIPLES
from clodo.understand.jobs import STEPS, later
from clodo.understand.locks import free_of_lock, has_outcome
from clodo.understand.naming import plural, words
from clodo.understand.nearby import behind
from clodo.understand.numbers import number as number_in
from clodo.understand.others import SIGNS, OnOthers, Others
from clodo.understand.periods import LENGTHS, period_of, unit_of
from clodo.understand.rates import WRITES, counted_by, is_length, limited, rate, writes_of
from clodo.understand.receivers import receivers
from clodo.understand.reminders import late, reminded
from clodo.understand.schedules import KEPT, Run, in_days, now_of, passed, running, unticked
from clodo.understand.states import constant_of, is_true
from clodo.understand.step_numbers import StepNumbers, comparison, number_for, step_numbers
from clodo.understand.takers import MAKER, MAKERS, is_kept_off, known_takers, off_theirs, takers
from clodo.understand.times import PART_OF_DAY, times, usual_time
from clodo.understand.uploads import is_upload, with_uploads
from clodo.understand.verbs import (
    is_rule,
    is_said,
    lock_of,
    mended,
    participle,
    step_name,
)

#: Where lines go besides entities.
SERVICE, USERS = "", "users"
#: A field that a step ticks, behind its name.
TICK = ": boolean default false"

_TEMPORAL = (FieldType.DATE, FieldType.DATETIME)


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


def lines_of(cue: DraftCue, names: Names, *, apart: bool = False, runs: Sequence[Run] = (), age: Callable[[], Age | None] | None = None) -> Lines:
    """What a cue comes to. ``apart``: it is a step that its outcome tells from another of the same verb; ``runs``: the actions that are
    run where it is a schedule; ``age``: the length of time that it speaks of, where more than its slots may tell it.

    Raises:
        Unsaid: the text leaves open what a line would need.
    """
    return Lines() if is_upload(cue, names) else _Writer(with_uploads(cue, names), names, apart=apart, runs=runs, age=age).written()


class _Writer:
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

    def written(self) -> Lines:
        _WRITERS[self.cue.kind](self)
        return self.out

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
    def all_said(self) -> list[_Writer]:
        """What this cue and further ones say of a step."""
        return [self, *(_Writer(one, self.names, givens=self.givens) for one in self.cue.further)]

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

    # Rules that rows keep.

    def overlap(self) -> None:
        e = self.entity()
        ends = [self.names.field(f)[1].name for name in ("from", "to") for f in self.slot(name)]
        if len(ends) != 2:
            ends = _range(e)
        per = [self._counted_by(e, f) for f in self.slot("per")]
        by = f" per {', '.join(dict.fromkeys(per))}" if per else ""
        self.say(e.name, f"no overlap ({ends[0]}, {ends[1]}){by}{self.where(e)}")

    def at_most(self) -> None:
        e, most = self.entity(), allowed(self.cue)
        per = list(dict.fromkeys(self._counted_by(e, f) for f in self.slot("per") if f.entity or f.role))
        periods = [_period(e, f) for f in self.slot("per") if not f.entity and not f.role]
        limits = [f for f in self.slot("n") if f.field]
        if most is None and limits and per and not periods and "owner" not in per:
            # As many as a field of what they belong to says.
            alike = [*(f"{way} = this.{way}" for way in per), *filter(None, [self.condition(e)])]
            self.say(e.name, f"check count({e.name} where {' and '.join(alike)}) <= {self.names.seen_from(e, limits[0])}")
            return
        if most is None or not (per or periods):
            raise Unsaid
        whose = [", ".join(per)] if per else []
        for by in [[*whose, f"{unit} of {moment}"] for unit, moment in periods] or [whose]:
            self.say(e.name, f"at most {number(most)} per {' per '.join(by)}{self.where(e)}")

    def _counted_by(self, e: Entity, filler: Filler) -> str:
        """A field or a reference of an entity, or whoever made the row."""
        if filler.role:
            return "owner"
        path = self.names.seen_from(e, filler) if filler.field else self.names.way(e, self.names.target(filler))
        if "." in path:
            raise Unsaid
        return path

    def compared(self) -> None:
        if (own := self._itself()) is not None:
            self.say(own[0].name, f"check {own[1]} != this")
            return
        ends = [f for name in ("from", "to") for f in self.slot(name) if f.field]
        if len(ends) != 2:
            raise Unsaid
        # One that has both, or refers to the other, or to both.
        for e in [*(self.names.entity(f) for f in ends), *self.names.blueprint.entities]:
            try:
                greater, lesser = (self.names.seen_from(e, f) for f in ends)
            except Unsaid:
                continue
            order = self._order(ends)
            # What refers to nothing is not the same.
            free = f"{greater} is empty or " if order == "!=" and {greater, lesser} <= {r.name for r in e.references if not r.required} else ""
            self.say(e.name, f"check {free}{greater} {order} {lesser}")
            return
        raise Unsaid

    def _itself(self) -> tuple[Entity, str] | None:
        """The reference of an entity to its own kind that is not to name the row itself; ``None`` where the cue says no such thing."""
        ends = [*self.slot("from"), *self.slot("to")]
        if self.cue.kind != "above" or len(ends) != 2 or not ends[0].entity or ends[0].entity != ends[1].entity or all(f.field for f in ends):
            return None
        e = self.names.entity(ends[0])
        named = [self.names.reference(f) for f in ends if f.field]
        way = named[0][1] if named and named[0] is not None else self.names.way(e, e.name) if not named else ""
        if not any((r.name, r.target) == (way, e.name) for r in e.references):
            raise Unsaid
        return e, way

    def _order(self, ends: list[Filler]) -> str:
        """How two fields are compared: of rows that are referred to none is the greater, so they are to be others."""
        if self.cue.kind != "above":
            return ">="
        return "!=" if all(self.names.reference(f) for f in ends) else ">"

    # Steps and times.

    def action(self) -> None:
        e = self.entity()
        if says_who_deletes(self.cue):
            for one in self.entities():
                rule = deleters([f.role for f in self.slot("by") if f.role], self.names.blueprint, one, MAKERS)
                if rule is not None:
                    self.say(one.name, f"delete {rule}")
                self._limited(one, ("delete",), rule)
            return
        if not has_outcome(self.cue) and lock_of(self.cue.words, mild=self._must_be_lock(e))[0]:
            self._locked(e)
            return
        made = self._made_of(e)
        effects = [*self._outcome(e, made), *self._given(e, made)]
        created = self._made(e)
        effects += self._raised(e, made)
        if not effects and not created:
            effects = self._ticked(e)
        if (not effects and not created) or self._stays():
            raise Unsaid
        who = self._who(e)
        body = [f"  by {who}"] if who is not None else []
        body += [f"  when {condition}" for condition in self._guards(e)]
        body += [f"  set {', '.join(effects)}"] if effects else []
        body += created
        name = step_name(self.cue.words)
        if not name[:1].isalpha():
            name = f"set_{effects[0].partition(' ')[0].rpartition('.')[2]}" if effects else f"add_{self.names.entity(self.slot('makes')[0]).name}"
        name = "_".join([name, *(self._aim() if self.apart else [])])
        if e.field(name) is not None or any(r.name == name for r in e.references):
            name = f"{name}_{e.name}"
        parameters = self.givens.lines()
        given = f"({', '.join(parameters)})" if parameters else ""
        self.say(e.name, "\n".join([f"action {name}{given}{later(self.cue)} {{", *body, "}"]))
        for said in self.all_said:
            said._limited(e, limited(name), who)
            self.out.lines += said.out.lines if said is not self else []

    def _limited(self, e: Entity, kinds: Sequence[str], who: Access | None) -> None:
        """How often a step may be taken, or rows may be changed or deleted, by one of those who may."""
        if (often := self.numbers.often) is not None:
            if not kinds or comparison(self.names.text, often).startswith(">") or is_length(self.names.text, often, self.slot("per")):
                raise Unsaid
            rule = who if who is not None else self.names.blueprint.write_access(e)
            self.say(e.name, f"limit {', '.join(kinds)} {rate(number_in(often.words), self.unit())} per {counted_by(rule)}")

    def _measured(self, e: Entity) -> list[Figure]:
        """What a number of the step says of the only figure of its row that it can mean, where no field of the text is compared with it."""
        spare = self.numbers.spare
        if not spare:
            return []
        value, sign = number_in(spare[0].words), comparison(self.names.text, spare[0])
        if len(spare) > 1 or value is None or not sign or self.slot("below") or self.slot("over"):
            raise Unsaid
        return [Figure(only_number(e), sign, value)]

    def _aim(self) -> list[str]:
        """What a step leads to, in the words of a name; nothing where the text names no outcome."""
        told = sorted(self.slot("set"), key=self._is_given)
        for filler in told:
            return [self.names.field_name(filler.field) or filler.entity] if self._is_given(filler) else _spoken(self.names.field(filler)[1], filler)
        for filler in self.slot("unset"):
            return ["not", self.names.field(filler)[1].name]
        for filler in (*self.slot("to"), *self.slot("plus"), *self.slot("minus")):
            return [self.names.field(filler)[1].name]
        return [self.names.entity(filler).name for filler in self.slot("makes")[:1]]

    def _locked(self, e: Entity) -> None:
        """Until when rows are changed and deleted."""
        if self.cue.further or any(is_kept_off(f) for f in self.slot("unless")):
            raise Unsaid
        verbs, allowed = lock_of(self.cue.words, mild=True)
        if any(self.names.file(f) is not None for f in (*self.slot("when"), *self.slot("unless"))):
            raise Unsaid  # an upload changes its row, too
        states = [*self._states(e, self.of_row(e, "when"), allowed), *self._states(e, self.of_row(e, "unless"), not allowed)]
        others = Others(self.names, e)
        states += [*others.states(self.slot("when"), True, holds=allowed), *others.states(self.slot("unless"), False, holds=allowed)]
        conditions = [*states, *filter(None, [self._early(e)])]
        write, who = self.names.blueprint.write_access(e), takers(self.cue)
        alone = who is not None and not who.is_like(write)
        if alone and verbs == ("delete",) and conditions and (rule := deleters([f.role for f in self.slot("by")], self.names.blueprint, e, (MAKER, *MAKERS))):
            # Who alone deletes rows has a rule of its own.
            self.say(e.name, f"delete {rule}")
            alone = False
        if allowed:
            self._limited(e, [WRITES[verb] for verb in verbs], None)
        if allowed and not any(self.slot(name) for name in ("when", "unless", "from", "to", "below", "over")) and not self.numbers.spare:
            # What whoever may write does with rows is no step, and no lock.
            if not alone or {f.role for f in self.slot("by")} <= {*write.roles}:
                return
        if not conditions or alone or self.slot("below") or self.slot("over") or self.numbers.spare:
            raise Unsaid
        free = f" except role {', '.join(freed)}" if (freed := free_of_lock(self.cue)) else ""
        for verb in verbs:
            self.say(e.name, f"{verb} when {' and '.join(conditions)}{free}")

    def _ticked(self, e: Entity) -> list[str]:
        """The outcome of a step of which the text names none: the state that is called like it, else a tick (``cancelled``)."""
        said = self._after()
        if not said:
            return []
        for f in e.fields:
            if f.type is FieldType.ENUM and (state := chosen(f.values, said)) is not None:
                return [f"{f.name} = {quote(state)}"]
        known = e.field(said)
        if (known is not None and known.type is not FieldType.BOOLEAN) or any(r.name == said for r in e.references):
            return []
        if known is None:
            if not is_said(self.cue.words) or is_rule(self.cue.words, conditional=self._conditional()):
                return []
            self.say(e.name, f"{said}{TICK}")
        return [f"{said} = true"]

    def _after(self) -> str:
        """What a row is after the step, in the text's own word where that says it already; empty where the words are no verb."""
        typed = [mended(word) for word in words(self.cue.words)]
        own = len(typed) == 1 and typed[0].endswith("ed") and step_name(self.cue.words) not in PARTICIPLES
        return typed[0] if own else participle(self.cue.words)

    def _conditional(self) -> bool:
        """Whether a step has a condition, and nobody who alone takes it."""
        return not self.slot("by") and any(not f.role for name in ("when", "unless", "from") for f in self.slot(name))

    def _must_be_lock(self, e: Entity) -> bool:
        """Whether a verb that can be a step is none: it has a condition, and rows have no state that is called like it."""
        said = self._after()
        stands = e.field(said) is not None or any(f.type is FieldType.ENUM and chosen(f.values, said) is not None for f in e.fields)
        return self._conditional() and not stands

    def _is_given(self, filler: Filler) -> bool:
        """Whether whoever takes the step gives what a filler of ``set`` names: a field without a value, be it one that refers to a row."""
        if filler.words or not filler.entity or self.names.file(filler) is not None:
            return False
        return not filler.field or self.names.reference(filler) is not None or self.names.field(filler)[1].type is not FieldType.BOOLEAN

    def _raised(self, e: Entity, made: Collection[str]) -> list[str]:
        """The assignments of ``plus`` and ``minus``."""
        told = [(filler, sign) for name, sign in (("plus", "+"), ("minus", "-")) for filler in self.slot(name)]
        if any(not self.names.field(filler)[1].type.is_number for filler, _ in told):
            raise Unsaid
        amount = self._by_how_much(e, self.names.field(told[0][0])[1], made) if told else ""
        return [f"{self.names.seen_from(e, filler)} = {self.seen(e, filler)} {sign} {amount}" for filler, sign in told]

    def _by_how_much(self, e: Entity, counted: Field, made: Collection[str]) -> str:
        """What a step adds or takes off: a number, another field, or what is given with it, else one."""
        fields, numbers = [f for f in self.slot("n") if f.field], self.numbers
        if fields:
            entity, f = self.names.field(fields[0])
            if not f.type.is_number:
                raise Unsaid
            if entity.name not in made and (entity, f) not in self._given_members(e):
                return self.seen(e, fields[0])
            name = self.givens.member(entity, f)
        elif numbers.given is not None:
            name = self.figure = self.givens.figure(numbers.given.words, counted)
        else:
            return number(numbers.counted) if numbers.counted is not None else "1"
        self.givens.is_positive(name)
        return name

    def _stays(self) -> bool:
        """Whether a step leads to where it starts, and so is none."""
        told = ([f for f in self.slot(name) if f.field and not self._is_given(f)] for name in ("when", "set"))
        before, after = ({(f.entity, f.field, f.words.lower()) for f in fillers} for fillers in told)
        return bool(before & after)

    def _made_of(self, e: Entity) -> list[str]:
        """The entities of which a step makes rows."""
        found = [self.names.entity(filler).name for filler in self.slot("makes")]
        if e.name in found:
            raise Unsaid
        return found

    def _given_members(self, e: Entity) -> list[tuple[Entity, Field | Reference]]:
        """What is given with a step of the fields and references of rows: of its own row first, in the order in which rows have them."""
        found = []
        for filler in filter(self._is_given, self.slot("set")):
            named = self.names.reference(filler) if filler.field else (e, self.names.way(e, self.names.target(filler)))
            entity, name = named if named is not None else (self.names.entity(filler), self.names.field(filler)[1].name)
            m = next((m for m in _members(entity) if m.name == name), None)
            if m is None:
                raise Unsaid
            found.append((entity, m))
        every = self.names.blueprint.entities
        return sorted(found, key=lambda one: (one[0].name != e.name, every.index(one[0]), _members(one[0]).index(one[1])))

    def _given(self, e: Entity, made: Collection[str]) -> list[str]:
        """The assignments of what is given with a step to the row itself, or to one that it refers to."""
        out = []
        for entity, m in self._given_members(e):
            if entity.name not in made:
                path = m.name if entity.name == e.name else f"{self.names.way(e, entity.name)}.{m.name}"
                out.append(f"{path} = {self.givens.member(entity, m)}")
        return out

    def _made(self, e: Entity) -> list[str]:
        """The lines that make rows: they refer to the row of the action, and are as the step says; what is given with it, and what they
        must have besides, are parameters."""
        lines = []
        given = [(entity.name, m.name) for entity, m in self._given_members(e)]
        for filler in self.slot("makes"):
            other = self.names.entity(filler)
            back = self.names.back(other, e)
            told = {self.names.field(f)[1].name: value for f, value in self._told(partial(eq, other))}
            values = [f"{back} = this"]
            members: tuple[Field | Reference, ...] = (*other.references, *other.fields)
            for m in members:
                needed = m.required and (isinstance(m, Reference) or m.default is None)
                if m.name in told:
                    values.append(f"{m.name} = {told[m.name]}")
                elif m.name != back and (needed or (other.name, m.name) in given):
                    values.append(f"{m.name} = {self.givens.member(other, m)}")
            lines.append(f"  create {other.name} ({', '.join(values)})")
        return lines

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

    def _outcome(self, e: Entity, made: Collection[str] = ()) -> list[str]:
        """The assignments of ``set``, ``unset`` and ``to``, of the row itself or of one that it refers to. What is given with a step has
        assignments of its own, and so has what rows of ``made`` are to be."""
        return [f"{self.names.seen_from(e, f)} = {value}" for f, value in self._told(lambda entity: entity.name not in made)]

    def _told(self, of: Callable[[Entity], bool]) -> Iterator[tuple[Filler, str]]:
        """What the text itself says fields of some entities are to be."""
        for name in ("unset", "set", "to"):
            for filler in self.slot(name):
                if (name == "set" and self.cue.kind in STEPS and self._is_given(filler)) or not of(self.names.entity(filler)):
                    continue
                f = self.names.field(filler)[1]
                if name == "unset" and f.type is not FieldType.BOOLEAN:
                    raise Unsaid
                if f.type is FieldType.BOOLEAN and name != "to":
                    yield filler, "true" if name == "set" and is_true(filler) else "false"
                else:
                    yield filler, now_of(f) if name == "to" else constant_of(f, filler.words)

    def every(self) -> None:
        e, age = self.entity(), self.age()
        effects = [] if self.runs else self._outcome(e)
        if not (effects or self.runs) or any("." in effect.partition(" ")[0] for effect in effects):
            raise Unsaid
        conditions = [self.condition(e), *passed(e, [self.names.own(e, f) for f in self.slot("from")], age)]
        # What has the outcome already is left alone.
        conditions += [effect.replace(" = ", " != ", 1) for effect in effects if '"' in effect]
        where = " and ".join(dict.fromkeys(c for c in conditions if c))
        if not where:
            # So are yes/no fields, where nothing else tells which rows are meant.
            where = " and ".join(unticked((name, value) for name, _, value in (effect.partition(" = ") for effect in effects)))
        if not (where or self.runs):
            raise Unsaid
        work = [f"update {e.name} set {', '.join(effects)} where {where}"] if effects else [running(e, run, where) for run in self.runs]
        for time in times(self._times(age), self.cue.words):
            self.say(SERVICE, "\n".join([f"every {time} {{", *(f"  {one}" for one in work), "}"]))

    def _times(self, age: Age | None) -> list[str]:
        """The words for times at which something is done: the numbers and times that are of no age."""
        told = [*self.slot("per"), *(f for f in self.slot("n") if number_in(f.words) is not None)]
        return [self._with_part(f) for f in told if f.words and not f.entity and not any(f is one for one in (age.fillers if age is not None else ()))]

    def _with_part(self, f: Filler) -> str:
        """The words for a time with the part of the day that stands right behind them: "Sunday evening"."""
        part = re.match(PART_OF_DAY, behind(self.names.text, f.at)) if f.at is not None else None
        return f.words + (part[0] if part is not None else "")

    def expire(self) -> None:
        e, age = self.entity(), self.age()
        fillers = [f for f in self.slot("from") if self.names.field_name(f.field) != "created_at"]
        ends = [(self.names.seen_from(e, f), self.names.field(f)[1]) for f in fillers[:1]]
        if (not ends and (age is None or not e.timestamps)) or (re.search(KEPT, self.cue.words.lower()) and not e.soft_delete):
            raise Unsaid
        name, moment = (ends[0][0], now_of(ends[0][1])) if ends else ("created_at", "now")
        if age is not None:
            many, unit = in_days(age.many, age.unit, ends[0][1]) if ends else (age.many, age.unit)
            if unit not in LENGTHS:
                raise Unsaid
            moment = f"{moment} - {unit}s({number(many)})"
        condition = " and ".join(c for c in (f"{name} < {moment}", self.condition(e)) if c)
        if told := self._times(age):
            often = times(told, self.cue.words)
        else:
            often = [usual_time(("hour" if age.unit in ("minute", "hour") else "day") if age is not None else period_of(self.cue.words) or "day")]
        for time in often:
            self.say(SERVICE, f"every {time} {{\n  delete {e.name} where {condition}\n}}")

    def notify(self) -> None:
        e = self.entity()
        to = receivers(self.cue, self.names, e).to
        condition, when = self.condition(e), reminded(self.cue, self.names, e, self.age)
        for one in to:
            if when:
                self.say(e.name, f"remind {one} {when}{f' when {condition}' if condition else ''}")
            else:
                self.say(e.name, f"notify {one} {f'when {condition}' if condition else 'on created'}")

    # Figures.

    def report(self) -> None:
        """Of the rows from which all that it names can be reached."""
        slots = ("of", "from", "when", "unless", "below", "over", "per")
        told = [self.names.entity(f) for name in slots for f in self.slot(name) if f.entity and (f.field or name != "per" or self.slot("of"))]
        for e in dict.fromkeys(told):
            try:
                return self._report(e)
            except Unsaid:
                continue
        raise Unsaid

    def _report(self, e: Entity) -> None:
        show, name = "count", f"number_of_{plural(e.name)}"
        if self.cue.kind != "count":
            measured = [f for f in self.slot("from") if f.field]
            path = self.names.seen_from(e, measured[0]) if measured else only_number(e)
            function = {"sum": "sum", "average": "avg", "highest": "max", "lowest": "min"}[self.cue.kind]
            label = {"sum": "total", "average": "average", "highest": "highest", "lowest": "lowest"}[self.cue.kind]
            show, name = f"{function}({path})", f"{label}_{path.replace('.', '_')}"
        groups, labels = [], []
        for filler in self.slot("per"):
            group, label = self._group(e, filler)
            if label not in labels:
                groups.append(group)
                labels.append(label)
        name = "_".join([name, *self._which()])
        if labels:
            name += f"_by_{'_and_'.join(labels)}"
        lines = [f"report {name[:60].rstrip('_')} {{", f"  from {e.name}{self.where(e)}"]
        if groups:
            lines.append(f"  group by {', '.join(groups)}")
        self.say(SERVICE, "\n".join([*lines, f"  show {show}", "}"]))

    def _which(self) -> Iterator[str]:
        """What a figure's rows are called by its conditions: ``not_paid``, ``open``, ``over_100``."""
        told = [(filler, wanted) for name, wanted in (("when", True), ("unless", False)) for filler in sorted(self.slot(name), key=self._place)]
        for filler, wanted in told:
            f = self.names.field(filler)[1]
            said = _spoken(f, filler)
            meant = wanted if f.type is not FieldType.BOOLEAN else is_true(filler) is wanted
            yield "_".join(said if meant else ["not", *said])
        for name, word in (("below", "under"), ("over", "over")):
            most = self.amount()
            for filler in self.slot(name):
                yield f"{self.names.field_name(filler.field)}_{word}" + (f"_{int(most)}" if most is not None and most == int(most) and most >= 0 else "")

    def _place(self, filler: Filler) -> int:
        """Where a field stands in its entity."""
        e, f = self.names.field(filler)
        return e.fields.index(f)

    def _group(self, e: Entity, filler: Filler) -> tuple[str, str]:
        """A column to group by, and what it is called."""
        if filler.field:
            path = self.names.seen_from(e, filler)
        elif filler.entity:
            path = self.names.way(e, self.names.target(filler))
        else:
            period, moment = _period(e, filler)
            return f"{period}({moment}) as {period}", period
        label = path.rpartition(".")[2]
        return (f"{path} as {label}" if "." in path else path), label

    # Fields that follow from others.

    def computed(self) -> None:
        e, f = self._result()
        terms = [self.names.seen_from(e, x) for name in ("from", "to") for x in self.slot(name) if x.field]
        if len(terms) < 2 or f.name in terms or (self.cue.kind == "less" and len(terms) != 2):
            raise Unsaid
        sign = {"times": " * ", "added": " + ", "less": " - "}[self.cue.kind]
        if self.cue.kind != "less":
            # In the order of the fields, whichever the text named first.
            own = [x.name for x in e.fields]
            terms.sort(key=lambda t: (own.index(t) if t in own else len(own), t))
        self.out.computed[e.name, f.name] = sign.join(dict.fromkeys(terms))

    def gathered(self) -> None:
        told = [self.names.entity(x) for name in ("of", "from", "when", "unless") for x in self.slot(name) if x.entity]
        if self.cue.kind == "number-of" and not self.slot("set"):
            self._counted(told)
            return
        e, f = self._result()
        other = next((x for x in told if x.name != e.name), None)
        if other is None:
            raise Unsaid
        condition = f"{self.names.back(other, e)} = this" + (f" and {more}" if (more := self.condition(other)) else "")
        summed = next((self.names.field(x)[1].name for x in self.slot("from") if x.field and self.names.entity(x).name == other.name), "")
        if self.cue.kind == "total-of" and not summed:
            raise Unsaid
        what = f"sum({other.name}.{summed}" if self.cue.kind == "total-of" else f"count({other.name}"
        self.out.computed[e.name, f.name] = f"{what} where {condition})"

    def _counted(self, told: list[Entity]) -> None:
        """How many rows there are for each row of ``per``, where no word of the text is the name of that field."""
        whose = [self.names.entity(x) for x in self.slot("per") if x.entity and not x.field]
        if not told or not whose:
            raise Unsaid
        other, e = told[0], whose[0]
        name = f"{other.name}_count"
        if e.field(name) is not None:
            raise Unsaid
        condition = f"{self.names.back(other, e)} = this" + (f" and {more}" if (more := self.condition(other)) else "")
        self.say(e.name, f"{name}: integer = count({other.name} where {condition})")

    def _result(self) -> tuple[Entity, Field]:
        for filler in self.slot("set"):
            if filler.field and not filler.words:
                return self.names.field(filler)
        raise Unsaid

    # What entities can do besides.

    def plain(self) -> None:
        line = _PLAIN[self.cue.kind]
        for e in self.entities():
            self.say(e.name, line)

    def transferred(self) -> None:
        said = self.cue.words.lower()
        formats = [name for name, sign in (("csv", r"csv|excel|spreadsheet"), ("ndjson", r"ndjson|json ?l")) if re.search(sign, said)]
        for e in self.entities():
            self.say(e.name, f"{self.cue.kind} {', '.join(formats or ['csv'])}")

    def bulk(self) -> None:
        for e in self.entities():
            self.say(e.name, f"bulk create {number(self.amount() or Decimal(100))}")

    def audit(self) -> None:
        who = ", ".join(dict.fromkeys(f.role for f in self.slot("by") if f.role))
        for e in self.entities():
            # Of users only it is known whose tenant they belong to.
            self.say(e.name, f"audit read role {who}" if who else "audit read user" if self.names.apart else "audit")

    def from_field(self) -> None:
        fields = [self.names.field(f) for f in self.slot("from") if f.field]
        if self.cue.kind == "slug":
            about = [e for e, _ in fields] or [self.entity()]
            self.out.brought |= {(e.name, "slug") for e in about}
            fields = [(e, f) for e, f in fields if f.name != "slug"]
        for e, f in fields:
            self.say(e.name, f"slug from {f.name}" if self.cue.kind == "slug" else f"markdown {f.name}")
        if not fields:
            texts = (FieldType.LONG_TEXT,) if self.cue.kind == "markdown" else (FieldType.TEXT,)
            e = self.entity()
            first = next((f.name for f in e.fields if f.type in texts and f.name != "slug"), None)
            if first is None:
                raise Unsaid
            self.say(e.name, f"slug from {first}" if self.cue.kind == "slug" else f"markdown {first}")

    def _of_all(self) -> None:
        """Raises where a wish is of single paths, which gateways alone have."""
        if self.slot("from"):
            raise Unsaid

    def cache(self) -> None:
        self._of_all()
        many, unit = self.amount() or Decimal(1), self.unit() or "minute"
        if unit not in ("second", "minute", "hour"):
            raise Unsaid
        for e in self.entities():
            self.say(e.name, f"cache {number(many)} {unit}{'s' if many != 1 else ''}")

    def webhook(self) -> None:
        kind = self.cue.kind.partition("-")[2]
        events = kind or "created, updated, deleted"
        watched = " and ".join(f"{e.name} {events}" for e in self.entities())
        self.say(SERVICE, f"webhook {f'{kind}_events' if kind else 'changes'} on {watched}")

    def summary(self) -> None:
        told = [self.names.field(f) for f in self.slot("from") if f.field]
        for e, f in told or [self._longest_text(self.entity())]:
            self.say(e.name, f"assistant summary of {f.name}")

    def classify(self) -> None:
        e = self.entity()
        told = [self.names.field(f) for f in self.slot("set") if f.field and not f.words]
        _, target = told[0] if told else (e, only(e, FieldType.ENUM))
        read = [self.names.field(f) for f in self.slot("from") if f.field]
        source = next((f for owner, f in read if owner.name == e.name), None) or self._longest_text(e)[1]
        self.say(e.name, f"assistant classify {source.name} as {target.name}")

    def _longest_text(self, e: Entity) -> tuple[Entity, Field]:
        """The text that a model reads where none is named: the first long one, else the first."""
        for kind in (FieldType.LONG_TEXT, FieldType.TEXT):
            found = next((f for f in e.fields if f.type is kind and not f.write_only), None)
            if found is not None:
                return e, found
        raise Unsaid

    # The service as a whole.

    def limit(self) -> None:
        self._of_all()
        line = f"{rate(self.amount(), self.unit() or 'minute')} per {self.cue.kind.partition('-')[2]}"
        told = [self.names.entity(f) for f in self.slot("of") if f.entity]
        named = [e for e in self.names.blueprint.entities if e in told]
        kinds = writes_of(self.cue.words)
        counted = named or self.entities() if kinds else named
        if kinds and len(counted) > 1:
            # One count for the rows of all of them.
            self.say(SERVICE, f"limit {', '.join(kinds)} {line}{' on ' if named else ''}{', '.join(e.name for e in named)}")
            return
        for e in counted:
            self.say(e.name, f"limit {', '.join(kinds or ('create',))} {line}")
        if not counted:
            self.say(SERVICE, f"limit {line}")

    def login_limit(self) -> None:
        tries = [n for f in self.slot("n") if (n := number_in(f.words)) is not None]
        unit = self.unit() if self.unit() in ("minute", "hour") else "minute"
        many = number(tries[1]) if len(tries) > 1 else "15" if unit == "minute" else "1"
        window = f"{many} {unit}s" if many != "1" else unit
        self.say(USERS, f"login limit {number(tries[0]) if tries else '5'} per {window}")

    def cors(self) -> None:
        origins = [f.words.strip("\"'“”‘’ .,/") for f in self.slot("n")]
        origins = [o if "://" in o else f"https://{o}" for o in origins if "." in o or "localhost" in o]
        self.say(SERVICE, f"cors {', '.join(quote(o) for o in dict.fromkeys(origins)) or 'any'}")

    def sessions(self) -> None:
        many, unit = self.amount(), self.unit()
        days = {"day": 1, "week": 7, "month": 30}.get(unit)
        self.say(USERS, f"sessions {number(many * days)} days" if many is not None and days else "sessions")

    def tenants(self) -> None:
        self.say(SERVICE, f"tenants {self.entity().name}")

    def incoming(self) -> None:
        sender = self.cue.kind.partition("-")[2]
        header = next((f.words.strip("\"'“”‘’ ") for f in self.slot("n") if "-" in f.words), "X-Signature")
        self.say(SERVICE, f"incoming {sender if sender != 'hmac' else 'events'} from {sender}" + (f" in {quote(header)}" if sender == "hmac" else ""))

    def once(self) -> None:
        where, line = _ONCE[self.cue.kind]
        self.say(where, line)


def _members(e: Entity) -> list[Field | Reference]:
    """The fields and references of an entity, in their order."""
    return [*e.fields, *e.references]


def _spoken(f: Field, filler: Filler) -> list[str]:
    """What a value is called in a name: by its words, one of a yes/no field by the field."""
    return [f.name] if f.type is FieldType.BOOLEAN or not filler.words else re.findall("[a-z0-9]+", "_".join(words(filler.words)))


def _period(e: Entity, filler: Filler) -> tuple[str, str]:
    """A period of the text, and the field that tells in which one a row lies."""
    period = period_of(filler.words)
    kinds = _TEMPORAL if period != "hour" else (FieldType.DATETIME,)
    moment = next((f.name for f in e.fields if f.type in kinds), "created_at" if e.timestamps else "")
    if period not in PERIODS or not moment:
        raise Unsaid
    return period, moment


def amount(cue: DraftCue) -> Decimal | None:
    """The number in the slot ``n`` of a cue."""
    found = numbered(cue)
    return number_in(found.words) if found is not None else None


def numbered(cue: DraftCue) -> Filler | None:
    """What that number is said with."""
    return next((f for f in cue.slots.get("n", []) if number_in(f.words) is not None), None)


def allowed(cue: DraftCue) -> Decimal | None:
    """How many rows a rule allows, where that is a number: one where it names none (once, not twice, only one)."""
    most = amount(cue)
    if most is None and not any(f.field for f in cue.slots.get("n", [])) and not _BOUNDS & set(words(cue.words)):
        return Decimal(1)
    return most


def is_unique(cue: DraftCue) -> bool:
    """Whether a rule for so many rows allows one, at any time and in whatever state: things that are unique together."""
    per = cue.slots.get("per", [])
    always = not cue.slots.get("when") and not cue.slots.get("unless") and all(f.entity for f in per)
    return cue.kind == "at-most" and always and len(per) > 1 and allowed(cue) == 1


def _range(e: Entity) -> list[str]:
    """The two fields that a row's range lies between, where the text does not name them."""
    for kinds in ((FieldType.DATETIME,), (FieldType.DATE,), (FieldType.TIME,)):
        found = [f.name for f in e.fields if f.type in kinds and f.computed is None]
        if len(found) == 2:
            return found
    raise Unsaid


#: Words that want a number: where the text has none, it is no one that was meant.
_BOUNDS = frozenset(["most", "max", "maximum", "up", "more", "limit", "limited", "exceed", "fewer", "less", "least", "over", "above", "cap"])


_PLAIN = {"live": "live", "room": "room", "versions": "versions", "restore": "restore", "publish": "publish", "ask": "assistant search"}
_ONCE = {
    "request-log": (SERVICE, "request log"), "metrics": (SERVICE, "metrics"), "idempotency": (SERVICE, "idempotency keys"),
    "cookies": (USERS, "cookies"), "user-keys": (USERS, "api keys"), "confirm-email": (USERS, "confirm email"), "reset-password": (USERS, "reset password"),
    "jwks": (USERS, "jwks"), "change-password": (USERS, "change password"), "manage-roles": (USERS, "manage roles"), "custom-code": (SERVICE, "custom code"),
}  # fmt: skip
_WRITERS: dict[str, Callable[[_Writer], None]] = {
    "overlap": _Writer.overlap, "at-most": _Writer.at_most, "above": _Writer.compared, "at-least": _Writer.compared,
    "notify": _Writer.notify, "action": _Writer.action, "job": _Writer.action, "every": _Writer.every, "expire": _Writer.expire,
    **dict.fromkeys(("count", "sum", "average", "highest", "lowest"), _Writer.report),
    **dict.fromkeys(("times", "added", "less"), _Writer.computed),
    **dict.fromkeys(("total-of", "number-of"), _Writer.gathered),
    **dict.fromkeys(("export", "import"), _Writer.transferred), "bulk": _Writer.bulk, "audit": _Writer.audit,
    **dict.fromkeys(_PLAIN, _Writer.plain), **dict.fromkeys(_ONCE, _Writer.once),
    "summary": _Writer.summary, "classify": _Writer.classify, "slug": _Writer.from_field, "markdown": _Writer.from_field, "cache": _Writer.cache,
    **dict.fromkeys(("webhook", "webhook-created", "webhook-updated", "webhook-deleted"), _Writer.webhook),
    **dict.fromkeys(("limit-user", "limit-address", "limit-key"), _Writer.limit), "login-limit": _Writer.login_limit,
    "cors": _Writer.cors, "sessions": _Writer.sessions, "tenants": _Writer.tenants,
    **dict.fromkeys(("incoming-stripe", "incoming-github", "incoming-hmac"), _Writer.incoming),
}  # fmt: skip
