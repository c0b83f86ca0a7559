"""What of a draft stands in its blueprint: the words of that, and of nothing else, were understood.

A draft says what the model heard. Of it entities are left out that hold nothing, rules go that the checks refuse, lines fall
that lack a slot, and a second bound takes the place of the first. Here the blueprint is asked, part by part, whether it has
what the draft says.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from decimal import Decimal

from clodo.blueprint.keywords import ROW_KEYS
from clodo.blueprint.text import format_blueprint
from clodo.blueprint.values import Access, Blueprint, Entity, Field, OnDelete, Reference, Users
from clodo.understand.choices import chosen
from clodo.understand.compiler import applied, entity_called, field_called, reference_called
from clodo.understand.draft import (
    Draft,
    DraftCue,
    DraftEntity,
    DraftField,
    DraftRelation,
    DraftValue,
    Evidence,
    Span,
)
from clodo.understand.file_rules import FILES
from clodo.understand.naming import entity_name
from clodo.understand.numbers import number
from clodo.understand.periods import period_of
from clodo.understand.port import Span as Marked

#: What every account has besides its fields.
_OF_ACCOUNTS = frozenset({"email", "password", "role"})
#: What lengths of time can become on their way into a line: how many of another unit they are.
UNITS = {"fortnight": (2, 14), "week": (7,), "month": (30,), "year": (365,), "second": (60,), "minute": (60,)}
_DELETION = {"cascade": OnDelete.CASCADE, "setnull": OnDelete.SET_NULL, "restrict": OnDelete.RESTRICT}
_NUMBER = re.compile(r"(?<![A-Za-z0-9_.])[0-9]+(?:\.[0-9]+)?")


def standing(draft: Draft, blueprint: Blueprint | None, left: Collection[Span]) -> Draft:
    """The draft without what its blueprint lacks. ``left`` are the words that compiling left over: nothing rests on them.
    Where there is no blueprint nothing stands."""
    if blueprint is None:
        return replace(draft, entities={}, relations=[], cues=[], access="unstated", access_evidence=Evidence(), roles=[], name="")
    return _Standing(draft, blueprint, frozenset(left)).draft()


def taken(draft: Draft) -> list[Marked]:
    """What the words of a draft were taken for."""
    found: list[Marked] = []
    for e in draft.entities.values():
        found += [Marked(a, b, "entity") for a, b in e.evidence.spans]
        for f in e.fields.values():
            found += [Marked(a, b, "field") for a, b in f.evidence.spans]
            found += [Marked(a, b, "value") for v in f.values for a, b in v.evidence.spans]
    # Its own words come first, then those of values that it goes by.
    found += [Marked(a, b, "cue") for cue in draft.cues for a, b in cue.evidence.spans]
    found += [Marked(a, b, "unsupported") for a, b in draft.unsupported]
    found += [Marked(a, b, "role") for a, b in draft.roles]
    found += [Marked(a, b, "access") for a, b in draft.access_evidence.spans]
    at = draft.text.find(draft.name) if draft.name else -1
    return [*found, Marked(at, at + len(draft.name), "name")] if at >= 0 else found


class _Standing:
    def __init__(self, draft: Draft, blueprint: Blueprint, left: frozenset[Span]) -> None:
        self.said, self.b, self.left = draft, blueprint, left
        self.numbers = {Decimal(n) for n in _NUMBER.findall(format_blueprint(blueprint))}
        self.cues = [replace(c, evidence=self._of_cue(c)) for c in draft.cues if c.evidence.spans[:1] and c.evidence.spans[0] not in left]

    def draft(self) -> Draft:
        entities = {name: kept for name, e in self.said.entities.items() if (kept := self._entity(e)) is not None}
        relations = [found for r in self.said.relations if r.source in entities and (found := self._relation(r)) is not None]
        evidence = self._resting(self.said.access_evidence)
        roles = [s for s in self.said.roles if s not in self.left and self._is_known(s)]
        return replace(self.said, entities=entities, relations=relations, cues=self.cues, access_evidence=evidence, roles=roles)

    def _resting(self, evidence: Evidence) -> Evidence:
        return Evidence(evidence.confidence, [s for s in evidence.spans if s not in self.left])

    def _holder(self, name: str) -> Entity | Users | None:
        found = self.b.entity(entity_called(name))
        return self.b.users if found is None and name == "user" else found

    def _entity(self, e: DraftEntity) -> DraftEntity | None:
        holder = self._holder(e.name)
        if holder is None:
            return None
        fields = {name: kept for name, f in e.fields.items() if (kept := self._field(f, holder)) is not None}
        flags = e.flags if isinstance(holder, Entity) and holder.soft_delete else e.flags - {"softdelete"}
        return replace(e, fields=fields, flags=flags, evidence=self._resting(e.evidence))

    def _field(self, f: DraftField, holder: Entity | Users) -> DraftField | None:
        name = field_called(f.name)
        made = next((x for x in holder.fields if x.name == name), None)
        reference = _reference(holder, {name, reference_called(f.name, owned=False), reference_called(f.name, owned=True)})
        if made is None and reference is None and not self._is_kept(f, name, holder):
            return None
        values = [replace(v, evidence=self._resting(v.evidence)) for v in f.values if self._has(v, f, made, name)]
        rules = _deletion(f.reference_flags, reference)
        return replace(f, values=values, flags=_flags(f, name, made, reference, holder), reference_flags=rules, evidence=self._resting(f.evidence))

    def _is_kept(self, f: DraftField, name: str, holder: Entity | Users) -> bool:
        """Whether a field is kept, if not as a field or reference of its own."""
        if isinstance(holder, Users):
            return name in _OF_ACCOUNTS | ROW_KEYS
        brought = name == "slug" and any(cue.kind == "slug" for cue in self.cues)
        account = name == "password" and self.b.users is not None
        return f.type in FILES or name in ROW_KEYS or brought or account or any(link.name == name for link in holder.links)

    def _has(self, v: DraftValue, f: DraftField, made: Field | None, name: str) -> bool:
        if made is not None:
            # What a field says already changes nothing when it is said again.
            return applied(made, v) == made and (v.role not in ("enum", "enumdef") or chosen(made.values, v.words) is not None)
        if f.type in FILES:
            sizes = [number(x.words) for x in f.values if x.role in ("max", "xmax")]
            return v.role in ("max", "xmax") and number(v.words) in self.numbers and number(v.words) == sizes[0]
        return name in ROW_KEYS

    def _relation(self, r: DraftRelation) -> DraftRelation | None:
        holder, target = self._holder(r.source), entity_called(r.target)
        if not isinstance(holder, Entity):
            return None
        reference = next((x for x in holder.references if x.target == target), None)
        linked = any(link.target == target for link in holder.links)
        if reference is None and not linked and not any(cue.kind == "tenants" for cue in self.cues):
            return None
        flags = _deletion(r.flags, reference) - (frozenset() if reference is not None and reference.unique else {"one"})
        return replace(r, flags=flags, evidence=self._resting(r.evidence))

    def _of_cue(self, cue: DraftCue) -> Evidence:
        """The words of a wish but for numbers that its line does not have."""
        lost = {f.at for fillers in cue.slots.values() for f in fillers if f.words and not f.field and not self._is_written(f.words, cue)}
        return Evidence(cue.evidence.confidence, [s for s in cue.evidence.spans if s not in self.left and s not in lost])

    def _is_written(self, words: str, cue: DraftCue) -> bool:
        """Whether the blueprint has the number of some words of a wish, be it in another unit; one may go without saying."""
        value = number(words)
        if value is None or value <= 1:
            return True
        units = {period_of(said) for said in (cue.words, *(f.words for fillers in cue.slots.values() for f in fillers))}
        other = [value * many for unit in units for many in UNITS.get(unit, ())]
        if "hour" in units and value == int(value):
            other.append(Decimal(-(-int(value) // 24)))
        return any(n in self.numbers for n in (value, value.scaleb(-3), *other))

    def _is_known(self, role: Span) -> bool:
        """Whether a word for a kind of user is one of the blueprint's roles, or one of those whom its rule for all lets in."""
        return self.said.access != "unstated" or entity_name(self.said.text[slice(*role)]) in set(self._roles())

    def _roles(self) -> Iterator[str]:
        yield from ("user", "admin", *(self.b.users.roles if self.b.users is not None else ()))
        accesses: list[Access | None] = [a for e in self.b.entities for a in (e.read, e.write, e.create)]
        yield from (role for access in accesses if access is not None for role in access.roles)
        yield from (f.role for cue in self.cues for fillers in cue.slots.values() for f in fillers)


def _reference(holder: Entity | Users, names: set[str]) -> Reference | None:
    return next((r for r in holder.references if r.name in names), None) if isinstance(holder, Entity) else None


def _flags(f: DraftField, name: str, made: Field | None, reference: Reference | None, holder: Entity | Users) -> set[str]:
    """The flags of a field that its column has; of what has no column of its own they are so anyway."""
    stored = made if made is not None else reference
    if stored is None:
        return f.flags
    grouped = any({name, stored.name} & set(group) for group in holder.unique)
    gone = set() if stored.unique or grouped else {"unique"}
    gone |= set() if stored.required or (made is not None and made.read_only) else {"required"}
    gone |= set() if name in holder.search else {"search"}
    return f.flags - gone


def _deletion(flags: set[str], reference: Reference | None) -> set[str]:
    """The flags without what is said otherwise of rows that lose the one they refer to."""
    return {flag for flag in flags if flag not in _DELETION or (reference is not None and reference.on_delete is _DELETION[flag])}
