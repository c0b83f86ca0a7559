"""Units of time in everyday words."""

from __future__ import annotations

from difflib import get_close_matches

from clodo.understand.draft import DraftCue
from clodo.understand.naming import words

#: Words for units, in the singular, and the unit that each of them means.
UNITS = {
    "second": "second", "minute": "minute", "min": "minute", "hour": "hour", "hourly": "hour", "day": "day", "daily": "day", "night": "day", "nite": "day", "overnight": "day", "nightly": "day",
    "morning": "day", "midnight": "day", "noon": "day", "midday": "day", "evening": "day", "afternoon": "day", "week": "week", "weekly": "week", "month": "month", "monthly": "month", "year": "year", "yearly": "year", "annual": "year", "annually": "year",
    "monday": "monday", "tuesday": "tuesday", "wednesday": "wednesday", "thursday": "thursday", "friday": "friday", "saturday": "saturday", "sunday": "sunday",
    "sec": "second", "d": "day", "h": "hour", "hr": "hour", "wk": "week", "yr": "year", "fortnight": "fortnight", "quarter": "quarter", "quarterly": "quarter",
}  # fmt: skip
#: Words for the shortest unit, which only servers have a use for.
MILLISECONDS = frozenset(["millisecond", "milliseconds", "ms", "msec"])
#: Units of which the language has lengths of time.
LENGTHS = ("minute", "hour", "day", "week", "month", "year")
#: Their plurals, by which misspelt ones are known.
PLURALS = {f"{unit}s": unit for unit in LENGTHS}


def period_of(surface: str) -> str:
    """The unit of time in some words, in the singular; empty where there is none."""
    return UNITS.get(said_unit(surface), "")


def said_unit(surface: str) -> str:
    """The word for a unit of time in some words, as ``UNITS`` has it; empty where there is none."""
    said = [w if w in UNITS else w.rstrip("s") for w in words(surface)]
    meant = [w if w in UNITS or len(w) < 4 else next(iter(get_close_matches(w, UNITS, 1, 0.75)), w) for w in said]
    # Short units are known by their plurals too: dyas, weks.
    meant += [PLURALS[near[0]] for w in words(surface) if len(w) > 3 and (near := get_close_matches(w, PLURALS, 1, 0.75))]
    return next((w for w in meant if w in UNITS), "")


def unit_of(cue: DraftCue) -> str:
    """The unit of time of the slot ``per`` of a cue, else of its own words; empty where there is none."""
    said = [f.words for f in cue.slots.get("per", []) if f.words and not f.entity]
    for text in [*said, cue.words]:
        if MILLISECONDS & set(words(text)):
            return "millisecond"
        if unit := period_of(text):
            return unit
    return ""
