"""From a step of a text to an action of the language: who takes it, under which conditions, and what it does; or a lock, where it only says until when rows are changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from operator import eq

from clodo.blueprint.text import number, quote
from clodo.blueprint.values import Access, Entity, Field, FieldType, Reference
from clodo.understand.choices import chosen
from clodo.understand.cue_conditions import CueReader
from clodo.understand.cue_names import Unsaid
from clodo.understand.deleters import deleters, says_who_deletes
from clodo.understand.draft import Filler
from clodo.understand.irregular_verbs import PARTICIPLES
from clodo.understand.jobs import STEPS, later
from clodo.understand.locks import free_of_lock, has_outcome
from clodo.understand.naming import words
from clodo.understand.numbers import number as number_in
from clodo.understand.others import Others
from clodo.understand.rates import WRITES, counted_by, is_length, limited, rate
from clodo.understand.schedules import now_of
from clodo.understand.states import constant_of, is_true
from clodo.understand.step_numbers import comparison
from clodo.understand.takers import MAKER, MAKERS, is_kept_off, takers
from clodo.understand.verbs import (
    is_rule,
    is_said,
    lock_of,
    mended,
    participle,
    step_name,
)

#: A field that a step ticks, behind its name.
TICK = ": boolean default false"


class StepWriter(CueReader):
    """Writes what steps come to."""

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

    def _aim(self) -> list[str]:
        """What a step leads to, in the words of a name; nothing where the text names no outcome."""
        told = sorted(self.slot("set"), key=self._is_given)
        for filler in told:
            return [self.names.field_name(filler.field) or filler.entity] if self._is_given(filler) else spoken(self.names.field(filler)[1], filler)
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


def _members(e: Entity) -> list[Field | Reference]:
    """The fields and references of an entity, in their order."""
    return [*e.fields, *e.references]


def spoken(f: Field, filler: Filler) -> list[str]:
    """What a value is called in a name: by its words, one of a yes/no field by the field."""
    return [f.name] if f.type is FieldType.BOOLEAN or not filler.words else re.findall("[a-z0-9]+", "_".join(words(filler.words)))
