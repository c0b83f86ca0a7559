"""How old rows must be for what a text wishes of them, or how long before or after a moment it is.

A deletion that loses its age deletes what it should not. So a length of time that stands in the sentence of such a wish, and that nothing
else is said with, is its age where the model took it for a value, and else leaves the wish unsaid.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from clodo.understand.cue_names import Unsaid
from clodo.understand.draft import Draft, DraftCue, Evidence, Filler, Span
from clodo.understand.lengths import (
    BARE,
    LENGTH,
    OFTEN,
    SEVERAL,
    VAGUE,
    Told,
    in_units,
    told_at,
    told_beside,
)
from clodo.understand.nearby import before
from clodo.understand.numbers import number
from clodo.understand.periods import period_of

#: Wishes that are about rows of some age.
KINDS = ("every", "expire", "notify")
#: What an hour stands behind.
CLOCK = r"\bat\s+$"
#: Those of them that a time of the same sentence may be shared by.
SHARED = ("every", "expire")


@dataclass(frozen=True)
class Age:
    """A length of time: how many of which unit, and the fillers that say so."""

    many: Decimal
    unit: str
    fillers: tuple[Filler, ...] = ()


def age_of(cue: DraftCue, draft: Draft) -> Age | None:
    """The length of time that a cue speaks of.

    Raises:
        Unsaid: the text says one that is not understood, or one that nothing uses.
    """
    age = told_age(cue, draft.text)
    if age is None and _untaken(cue, draft):
        raise Unsaid
    return age


def told_age(cue: DraftCue, text: str) -> Age | None:
    """The same of what fills its slots alone: a number with the unit that it stands by, else with the only unit that there is.

    Raises:
        Unsaid: they have a unit of which it is not said how many there are, a number of no unit, or several lengths.
    """
    units = [(f, told) for f, told in _units(cue, text) if told.kind != OFTEN and not (told.kind == BARE and cue.kind == "every")]
    spare = [f for f in _numbers(cue) if not _is_of_time(f, cue, text)]
    if any(told.kind == VAGUE for _, told in units):
        raise Unsaid
    if not spare:
        lengths = {told.at: Age(told.many, told.unit, (f,)) for f, told in units if told.kind == LENGTH}
        if len(lengths) > 1 or (units and not lengths):
            raise Unsaid
        return next(iter(lengths.values()), None)
    return _counted(spare, units, text, cue)


def _counted(spare: list[Filler], units: list[tuple[Filler, Told]], text: str, cue: DraftCue) -> Age | None:
    """The length that one of some numbers is of."""
    known = {_base(f) for f, _ in units}
    beside = {told.at: (many, told) for many in spare if many.at is not None for told in _lengths_of(many.at, text)}
    beside = {at: (many, told) for at, (many, told) in beside.items() if not known or told.unit in known}
    if len(beside) == 1:
        [(many, told)] = beside.values()
        return Age(told.many, told.unit, (many, *(f for f, other in units if other.at == told.at or other.unit in ("", told.unit))))
    if not units and cue.kind == "every":
        return None
    if len(known) != 1 or len(spare) != 1 or beside:
        raise Unsaid
    value, unit = in_units(number(spare[0].words) or Decimal(0), period_of(units[0][0].words))
    return Age(value, unit, (spare[0], *(f for f, _ in units)))


def _base(unit: Filler) -> str:
    """The unit that lengths of a unit are said in."""
    return in_units(Decimal(1), period_of(unit.words))[1]


def with_ages(draft: Draft) -> None:
    """Fills in the lengths of time that the model took for values and no cue for its own, where the sentence of one has no other."""
    for at, cue in enumerate(draft.cues):
        if cue.kind not in KINDS or (cue.kind == "notify" and not cue.slots.get("from")):
            continue
        try:
            missing = told_age(cue, draft.text) is None
        except Unsaid:
            continue
        found = _untaken(cue, draft) if missing else []
        if len(found) != 1 or found[0][1].kind != LENGTH:
            continue
        (a, b), told = found[0]
        heard = [s for s in (*draft.heard, *_marked(draft.cues)) if _meet(s, told.at)]
        if heard:
            slots = {**cue.slots, "per": [*cue.slots.get("per", []), Filler(words=draft.text[a:b], at=(a, b))]}
            spans = [*cue.evidence.spans, *(s for s in dict.fromkeys(heard) if s not in cue.evidence.spans)]
            draft.cues[at] = replace(cue, slots=slots, evidence=Evidence(cue.evidence.confidence, spans))


def _numbers(cue: DraftCue) -> list[Filler]:
    return [f for f in cue.slots.get("n", []) if number(f.words) is not None and "@" not in f.words]


def _units(cue: DraftCue, text: str) -> list[tuple[Filler, Told]]:
    """The words for units of time that a cue has, and what they are; its own are one where they end with a length and nothing else does."""
    end = _end(cue)
    found = [f for f in cue.slots.get("per", []) if f.words and not f.entity and period_of(f.words)]
    if not found and not _numbers(cue) and cue.evidence.spans and told_at(text, cue.evidence.spans[0]).kind == LENGTH:
        found = [Filler(words=cue.words, at=cue.evidence.spans[0])]
    return [(f, told_at(text, f.at, end) if f.at is not None else Told(SEVERAL, (0, 0))) for f in found]


def _end(cue: DraftCue) -> int:
    """Where the words of a schedule end; of other wishes nowhere."""
    return cue.evidence.spans[0][1] if cue.kind == "every" and cue.evidence.spans else -1


def _lengths_of(many: Span, text: str) -> list[Told]:
    """The length that the number at a place is of, if any."""
    return [told for _, told in told_beside(text, many) if told.kind == LENGTH and told.at[0] <= many[0] < told.at[1]]


def _is_of_time(many: Filler, cue: DraftCue, text: str) -> bool:
    """Whether a number is one of a time at which something is done: "every 15 minutes", "at 2"."""
    if many.at is None:
        return False
    times = any(told.kind == OFTEN and told.at[0] <= many.at[0] < told.at[1] for _, told in _units(cue, text))
    return times or re.search(CLOCK, before(text, many.at)) is not None


def _untaken(cue: DraftCue, draft: Draft) -> list[tuple[Span, Told]]:
    """The lengths of time in the sentence of a cue that nothing else is said with."""
    if not cue.evidence.spans:
        return []
    taken = [*_things(draft), *_marked(c for c in draft.cues if c is not cue and not (c.kind in SHARED and cue.kind in SHARED))]
    beside = told_beside(draft.text, cue.evidence.spans[0], _end(cue))
    return [(at, told) for at, told in beside if told.kind in (LENGTH, VAGUE) and told.stands and not any(_meet(s, told.at) for s in taken)]


def _things(draft: Draft) -> Iterator[Span]:
    """The words for things, their fields, and the values of these."""
    for e in draft.entities.values():
        yield from e.evidence.spans
        for f in e.fields.values():
            yield from f.evidence.spans
            for v in f.values:
                yield from v.evidence.spans


def _marked(cues: Iterator[DraftCue] | list[DraftCue]) -> Iterator[Span]:
    """The numbers and times that cues are said with."""
    for cue in cues:
        yield from (f.at for name in ("n", "per") for f in cue.slots.get(name, []) if f.at is not None)


def _meet(one: Span, other: Span) -> bool:
    return one[0] < other[1] and one[1] > other[0]
