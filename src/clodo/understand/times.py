"""At what times something is done, in the words of a text: ``night`` and ``2 am``, ``15 minutes``, ``Mondays``.

The language knows steps of minutes that divide an hour, each hour, and a time of day (UTC) of each day, of a day of the week or
of the first day of a month. What a text marks is used as a whole or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from clodo.understand.cue_names import Unsaid
from clodo.understand.numbers import number
from clodo.understand.periods import period_of

#: Steps of minutes that divide an hour.
STEPS = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)
#: The time of day where the text says none, by the part of the day that it names.
USUAL = {"evening": "18:00", "afternoon": "15:00", "morning": "06:00", "": "03:00"}
#: A part of the day that stands right behind the day.
PART_OF_DAY = r"\s+(?:morning|afternoon|evening|night)s?\b"
#: Times of day that are words.
NAMED = {"noon": 12, "midday": 12, "midnight": 0}
#: Hours in words, as people say them: "two am".
HOURS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
HOUR = rf"\b(?:{'|'.join(HOURS)})\b"
#: A time of day: a word, an hour with its half of the day, hour and minutes, an hour with the words that make it one.
CLOCK = (
    r"\b(noon|midday|midnight)\b|\b([0-9]{1,2})(?:[:.h]([0-9]{2}))?\s*([ap])\.?\s?m\b\.?|\b([0-9]{1,2})[:.h]([0-9]{2})(?![0-9])"
    r"|\b([0-9]{1,2})\s*o['’]?\s?clock|\bat\s+([0-9]{1,2})(?![0-9:.h]|\s*[ap]\.?\s?m\b)"
)
#: Parts of an hour: how many minutes.
PARTS = {r"\bhalf\s+(?:an\s+)?hour": 30, r"\bquarter\s+(?:of\s+an\s+)?hour": 15}
#: Several days of the week in one word.
SPANS = {
    r"\b(?:week|work|working |business )days?\b": ("monday", "tuesday", "wednesday", "thursday", "friday"),
    r"\bweekends?\b": ("saturday", "sunday"),
}
#: Days of a month.
ORDINAL = r"\b[0-9]{1,2}(?:st|nd|rd|th)\b|\bfirst\b"
#: What changes a time in a way that is not read: another zone than UTC, "quarter past", "every other".
ODD = r"\b(?:[ecmpb]st|[ecmp]dt|ces?t|ees?t|[ij]st|aest|local|past|to|till|until|before|after|other|alternate|except|excluding|but|apart)\b"
#: Days of a month in words: only its first day is a time that the language has.
MONTH, FIRST = r"\bmonths?\b", r"\b(?:first|1st)\s+day\b"
#: Units of which several are meant.
SEVERAL = r"\b(?:days|nights|weeks|months)\b"
AFTERNOON = r"\b(?:evening|afternoon|tonight)"
NIGHT = r"\bni(?:ght|te)"


@dataclass(frozen=True)
class _Told:
    """What one stretch of words tells: times of day as minutes, a unit, and a number."""

    clocks: tuple[int, ...]
    unit: str
    many: Decimal | None
    is_day: bool = False


def times(told: Sequence[str], own: str) -> list[str]:
    """The times that the words of a wish amount to, as they stand behind ``every``; ``own`` are those of the wish itself, of which
    not all need to be a time.

    Raises:
        Unsaid: the language has no such times.
    """
    said = " ".join([*told, own]).lower()
    parts = [_read(text, said) for text in told]
    if any(not (p.clocks or p.unit or p.many is not None) for p in parts) or any(re.search(ODD, t.lower()) for t in told):
        raise Unsaid
    # Of its own words, a number counts where it is one of a unit: "hourly", "every two hours".
    mine = _read(own, said)
    parts.append(mine if mine.unit else replace(mine, many=None))
    clocks = sorted({minute for p in parts for minute in p.clocks})
    units = list(dict.fromkeys(p.unit for p in parts if p.unit))
    days = [day for pattern, span in SPANS.items() if re.search(pattern, said) for day in span]
    days = days or [unit for unit in units if unit.endswith("day") and unit != "day"]
    unit = days[0] if days else units[0] if units else "day"
    if unit != "month" and any(re.search(MONTH, t.lower()) for t in told):
        if days or not re.search(FIRST, said):
            raise Unsaid
        unit = "month"
    if unit in ("second", "minute", "hour"):
        numbers = [p.many for p in parts if p.many is not None]
        if clocks or len(numbers) > 1:
            raise Unsaid
        return [_step(unit, numbers[0] if numbers else Decimal(1))]
    for p in parts:
        if p.many is None or (p.many == 1 and (p.unit or p.is_day)):
            continue
        # A number that stands alone beside a day is an hour of it.
        if p.unit or p.is_day or clocks or unit == "month" or p.many != int(p.many) or re.search(SEVERAL, said):
            raise Unsaid
        clocks = [_minute(int(p.many), 0, said)]
    usual = next(time for word, time in USUAL.items() if word in said)
    heads = [f"{minute // 60:02}:{minute % 60:02}" for minute in clocks] or [usual]
    return [f'{_day(day)} at "{time}"' for day in days or [unit] for time in heads]


def usual_time(unit: str) -> str:
    """The time of what is done so often, where nothing is said of it."""
    if unit in ("minute", "hour"):
        return unit
    named = "monday" if unit in ("week", "fortnight") else unit if unit == "month" or unit.endswith("day") else "day"
    return f'{named} at "{USUAL[""]}"'


def _read(text: str, said: str) -> _Told:
    """What a stretch of words tells; ``said`` are all words, which tell the half of the day."""
    low = text.lower()
    for pattern, minutes in PARTS.items():
        if re.search(pattern, low):
            return _Told((), "minute", Decimal(minutes))
    figures = re.sub(HOUR, lambda m: str(HOURS.index(m[0]) + 1), low)
    clocks = []
    for word, hour, minute, half, hour_, minute_, full, at in re.findall(CLOCK, figures):
        if word:
            clocks.append(NAMED[word] * 60)
        elif half:
            if not 1 <= int(hour) <= 12:
                raise Unsaid
            clocks.append((int(hour) % 12 + (12 if half == "p" else 0)) * 60 + _sixty(minute or "0"))
        else:
            spelt = hour_ or full or at
            clocks.append(_minute(int(spelt), _sixty(minute_ or "0"), said, fixed=spelt.startswith("0")))
    rest = re.sub(CLOCK, " ", figures)
    day = re.search(ORDINAL, rest) is not None
    unit = "week" if any(re.search(pattern, rest) for pattern in SPANS) else period_of(rest)
    return _Told(tuple(clocks), unit, number(rest), day)


def _sixty(minute: str) -> int:
    if int(minute) > 59:
        raise Unsaid
    return int(minute)


def _minute(hour: int, minute: int, said: str, *, fixed: bool = False) -> int:
    """A time of day as a minute of it: hours up to twelve are of the half that the words tell of, where none is ``fixed``."""
    if not 0 <= hour <= 24 or hour * 60 + minute > 24 * 60:
        raise Unsaid
    if re.search(NIGHT, said) and hour == 12:
        hour = 0
    elif not fixed and hour < 12 and (re.search(AFTERNOON, said) or (re.search(NIGHT, said) and hour > 5)):
        hour += 12
    return (hour * 60 + minute) % (24 * 60)


def _step(unit: str, many: Decimal) -> str:
    if unit == "minute" and many in STEPS:
        return "minute" if many == 1 else f"{int(many)} minutes"
    if many == {"hour": 1, "minute": 60}.get(unit):
        return "hour"
    raise Unsaid


def _day(unit: str) -> str:
    if unit in ("fortnight", "quarter", "year"):
        raise Unsaid
    return "monday" if unit == "week" else unit
