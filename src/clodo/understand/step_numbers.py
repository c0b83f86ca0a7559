"""Which number of a step is for what: one that a field is compared with, how long before a moment it must be taken, how often it may be,
by how much a figure changes. What is for none of these is compared with the only figure that it can mean."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from clodo.understand.cue_names import Unsaid
from clodo.understand.draft import DraftCue, Filler
from clodo.understand.nearby import before, behind, sentence
from clodo.understand.numbers import number

#: Words in front of a number that compare with it; those that are part of others come later.
FRONT = {
    ">=": r"(?:at least|at or (?:above|over)|(?:no|not) (?:less|fewer|lower) than|not (?:under|below)|min(?:imum)?(?: of)?|from|≥|>=)",
    "<=": r"(?:at most|at or (?:below|under)|up to|(?:no|not) (?:more|higher) than|not (?:over|above)|not exceeding|max(?:imum)?(?: of)?|within|≤|<=)",
    ">": r"(?:over|above|more than|(?:great|high|larg)er than|exceed(?:s|ed|ing)?|beyond|>)",
    "<": r"(?:under|below|less than|fewer than|(?:low|small|cheap)er than|<)",
}
#: Words behind a number that do.
BACK = {
    ">=": r"(?:\s*(?:\+|\S*\s*(?:\S+\s+)?(?:or|and) (?:more|up|above|over|higher|upwards|greater|larger|bigger|longer|taller|heavier)\b)|\s*(?:[^\s,;.]+\s+){0,3}at (?:the )?least\b(?!\s+\d))",
    "<=": r"(?:\s*\S*\s*(?:\S+\s+)?(?:or|and) (?:less|below|under|fewer|lower|down|smaller|shorter|lighter|cheaper)\b|\s*(?:[^\s,;.]+\s+){0,3}at (?:the )?most\b(?!\s+\d))",
}
#: What may stand between the words and the number.
BETWEEN = r"\s*(?:(?:a|an|the)\s+)?(?:[€$£¥]|eur|usd|gbp)?\s*$"

#: Words that turn what stands beside a number into its opposite: which rule is meant is left open then.
NEGATED = r"\b(?:cannot|can not|(?:must|may|shall|should|will|is|are) not|never|nobody|unless|except)\b|n['’]t\b"


@dataclass(frozen=True)
class StepNumbers:
    """The numbers of a step by what they are for; ``measure``: the words of the one that is compared, ``second``: those of another, where
    ``below`` and ``over`` have one each, ``often``: those of how often it may be taken, ``given``: words for one that is given with the step,
    ``spare``: what is for nothing."""

    compared: Decimal | None
    early: Decimal | None
    counted: Decimal | None
    measure: Filler | None
    second: Filler | None
    often: Filler | None
    given: Filler | None
    spare: tuple[Filler, ...]


def step_numbers(cue: DraftCue) -> StepNumbers:
    """The numbers in the slot ``n`` of a step. That of its latest moment stands behind the others, and that of how often it may be taken
    next to the time."""
    given = cue.slots.get("n", [])
    left = [f for f in given if number(f.words) is not None]
    counts = bool(cue.slots.get("plus") or cue.slots.get("minus"))
    compares = bool(cue.slots.get("below") or cue.slots.get("over"))
    timed = any(f.field for f in cue.slots.get("from", []))
    early = left.pop() if timed and left and (len(left) > 1 or cue.slots.get("per") or not compares) else None
    often = _often(left, [f for f in cue.slots.get("per", []) if f.words and not f.entity]) if not timed else None
    left = [f for f in left if f is not often]
    compared = left.pop(0) if compares and left else None
    second = left.pop(0) if cue.slots.get("below") and cue.slots.get("over") and len(left) > counts else None
    by_field = [f for f in given if f.field and not f.words]
    counted = left.pop(0) if counts and left and not by_field else None
    other = [f for f in given if number(f.words) is None and not (counts and f in by_field)]
    worded = [f for f in other if f.words and not f.entity]
    given_with = worded[0] if counts and worded and counted is None and not by_field else None
    spare = (*left, *(f for f in other if f is not given_with))
    return StepNumbers(_value(compared), _value(early), _value(counted), compared, second, often, given_with, spare)


def number_for(cue: DraftCue, numbers: StepNumbers, name: str, text: str) -> Filler | None:
    """The number that the figures of ``below`` or ``over`` are compared with: of two the one of theirs, by the words around the numbers, or
    else by the order in which a sentence says numbers and figures.

    Raises:
        Unsaid: it is open whose number is which.
    """
    if numbers.measure is None or numbers.second is None:
        return numbers.measure
    first, second = sorted((numbers.measure, numbers.second), key=lambda f: f.at or (0, 0))
    told = "".join(comparison(text, f)[:1] or " " for f in (first, second))
    if told in ("<<", ">>"):
        # What stands in front of the second is not behind the first: "two trips and at most one meal".
        told = "".join(comparison(text, f, ahead=True)[:1] or " " for f in (first, second))
    if told == "  ":
        within = sentence(text, first.at) if first.at is not None else (0, 0)
        places = [[f.at for f in cue.slots.get(slot, []) if f.at is not None and within[0] <= f.at[0] < within[1]] for slot in ("below", "over")]
        if not all(places):
            raise Unsaid
        told = "<>" if min(places[0]) < min(places[1]) else "><"
    if told in ("<<", ">>"):
        raise Unsaid
    return first if (told[0] == "<" or told[1] == ">") is (name == "below") else second


def _often(numbers: Sequence[Filler], spans: Sequence[Filler]) -> Filler | None:
    """The number that stands next to a time; the last one where it is not known where they stand."""
    if not numbers or not spans:
        return None
    time = spans[0].at
    return min(reversed(numbers), key=lambda f: abs(f.at[0] - time[0]) if f.at is not None and time is not None else 0)


def _value(filler: Filler | None) -> Decimal | None:
    return number(filler.words) if filler is not None else None


def comparison(text: str, filler: Filler, *, ahead: bool = False) -> str:
    """The sign that the words around a number amount to; empty where there are no such words. ``ahead``: those in front of it alone."""
    if filler.at is None:
        return ""
    # Words that are marked with the number count as well: "over 500".
    front = before(text, filler.at) + re.split("[0-9]", filler.words.lower())[0] * bool(re.search("[0-9]", filler.words))
    if re.search(NEGATED, f"{front} {behind(text, filler.at)}"):
        return ""
    found = [sign for sign, said in BACK.items() if not ahead and re.match(said, behind(text, filler.at))]
    found += [sign for sign, said in FRONT.items() if re.search(rf"(?<!\w){said}{BETWEEN}", front)]
    return found[0] if found else ""
