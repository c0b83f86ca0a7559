"""Lengths of time in the words of a text: ``90 days``, ``a year``, ``half a year``, ``the day before``, and not ``once a week`` or ``every 15 minutes``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from clodo.understand.draft import Span
from clodo.understand.nearby import before, behind, sentence
from clodo.understand.numbers import number
from clodo.understand.periods import LENGTHS, UNITS, said_unit

#: What a unit may be by the words around it: a length of time, a time at which something is done, a length of which the text does not
#: say how long it is, units of which there are several, or none of these.
LENGTH, OFTEN, VAGUE, SEVERAL, BARE = "length", "often", "vague", "several", ""
#: Units of which the language has no lengths: how many of another each of them is.
LONG = {"fortnight": (2, "week"), "quarter": (3, "month")}
#: What half of a unit is.
HALVES = {"year": (6, "month"), "fortnight": (1, "week"), "week": (84, "hour"), "day": (12, "hour"), "hour": (30, "minute")}
#: Words for units that are as long as they say, and not times of a day or of a week (``nightly``, ``Monday``).
WORDS = (*LENGTHS, *LONG, "min", "d", "h", "hr", "wk", "yr")
_LONG_WORDS, _SHORT = "|".join((*LENGTHS, *LONG)), "(?:hrs?|wks?|yrs?|mins?)"
#: A unit where it is looked for among all words; short ones only behind a number.
UNIT = rf"\b(?:{_LONG_WORDS})s?\b|(?<=[0-9])(?:d|h|{_SHORT})\b|(?<=[0-9] ){_SHORT}\b"
#: The word for a unit at the end of what is marked.
LAST = r"[a-z]+[^a-z]*$"
_BELOW_TWENTY = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen"
_TENS = "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
_COUNTS = (
    rf"(?:(?:(?:{_TENS})[\s-]+)?(?:{_BELOW_TWENTY})|{_TENS}|an?)\s+(?:dozen|hundred|thousand)(?:\s+(?:and\s+)?(?:(?:{_TENS})(?:[\s-]+(?:{_BELOW_TWENTY}))?|{_BELOW_TWENTY}))?"
    rf"|(?:{_TENS})[\s-]+(?:{_BELOW_TWENTY})|{_TENS}|{_BELOW_TWENTY}|an?"
)
HALF = r"(?:an?\s+)?half(?:\s+an?)?"
#: How many there are of a unit, right in front of it.
COUNT = (
    rf"(?<![\w.,])({HALF}|(?:a\s+)?quarter\s+of\s+an?|(?:an?\s+)?couple(?:\s+of)?|[0-9][0-9,]*(?:\.[0-9]+)?|{_COUNTS})"
    r"(?:\s+(?:more|full|whole|entire|complete|long|calendar))*[\s-]*$"
)
#: One, by an article or a number.
SINGLE = r"(?:an?|one)"
#: What in front of a unit, or of its number, makes it a time at which something is done; and what does so in front of one unit alone.
AGAIN = (
    r"\b(?:every|each|per)\s+(?:(?:other|single)\s+)?$"
    r"|\b(?:first|last|day|end|start|begin|beginning|middle|[0-9]{1,2}(?:st|nd|rd|th))\s+of\s+(?:(?:the|an?|each|every)\s+)?$"
)
ONCE = r"\b(?:once|twice|thrice|times)\s+(?:in\s+)?$"
#: What makes a number less than all that is said of a length: "a year and a half", "one and a half years", "1 year and 6 months".
MORE = (r"\band\s+$", rf"^\s*(?:and|,)?\s*(?:(?:a\s+)?(?:half|quarter)\b|(?:[0-9]+|{_BELOW_TWENTY}|an?)\s+(?:{_LONG_WORDS})s?\b)")
#: A unit of which there is one, before or after something else: "the day before".
ONE = (r"\b(?:the|that)\s+$", r"^\s+(?:before|after|prior|ahead|earlier|later)\b")
#: What tells of a unit that it is a length, though not of how many: "weeks old", "last year's".
UNTOLD = (
    r"\b(?:last|previous|prior|preceding|past|few|several|some|many|for)\s+$",
    r"^(?:['’]s?)?[\s-]+(?:old|ago|before|after|earlier|later|past|back|since)\b",
)
#: Days that have names of their own are no lengths: "the last day".
LAST_DAY = r"\b(?:last|previous|prior|preceding)\s+$"


@dataclass(frozen=True)
class Told:
    """What a unit of time is in a text (``LENGTH``, ``OFTEN``, ``VAGUE``, ``SEVERAL``, ``BARE``), and where it stands with its number; of a length how many
    of which unit of ``periods.LENGTHS`` it is. ``stands``: it is one whatever it is said with."""

    kind: str
    at: Span
    many: Decimal = Decimal(0)
    unit: str = ""
    stands: bool = True


def told_at(text: str, at: Span, end: int = -1) -> Told:
    """What the word for a unit of time at a place is, which may be marked with its number. Right behind ``end``, where the words of a schedule
    end, a number and its unit are a time of it."""
    own = text[slice(*at)].lower()
    last = re.search(LAST, own)
    word = said_unit(last[0]) if last is not None else ""
    if last is None or word not in WORDS:
        return Told(OFTEN if word else BARE, at)
    front, back = before(text, at) + own[: last.start()], behind(text, at)
    counted = re.search(COUNT, front)
    place = (at[0] + last.start() - (len(front) - counted.start() if counted is not None else 0), at[1])
    ahead = front[: counted.start()] if counted is not None else front
    is_one = counted is None or re.fullmatch(SINGLE, counted[1]) is not None
    # "Told each 14 days before" tells each, and not each 14 days.
    again = re.search(AGAIN, ahead) and not (ahead.endswith("each ") and re.search(ONE[1], back))
    if again or (is_one and re.search(ONCE, ahead)) or (0 <= end <= place[0] and not text[end : place[0]].strip()):
        return Told(OFTEN, place)
    unit = UNITS[word]
    if counted is not None:
        is_more = ("half" in counted[1] and re.search(MORE[0], ahead)) or re.search(MORE[1], back)
        return Told(VAGUE, place) if is_more else _length(counted[1], unit, place)
    if re.search(ONE[0], front) and re.search(ONE[1], back):
        return Told(LENGTH, place, Decimal(1), unit, stands=False)
    if (re.search(UNTOLD[0], front) and not (word == "day" and re.search(LAST_DAY, front))) or re.search(UNTOLD[1], back):
        return Told(VAGUE, place)
    return Told(SEVERAL if last[0].rstrip(" -").endswith("s") else BARE, place)


def _length(words: str, unit: str, at: Span) -> Told:
    if "quarter" in words:
        return Told(VAGUE, at)
    if re.fullmatch(HALF, words):
        half = HALVES.get(unit)
        return Told(LENGTH, at, Decimal(half[0]), half[1]) if half is not None else Told(VAGUE, at)
    many = number(words)
    return Told(LENGTH, at, *in_units(many, unit)) if many is not None else Told(VAGUE, at)


def in_units(many: Decimal, unit: str) -> tuple[Decimal, str]:
    """A length in a unit that the language has, where it is in one that it can be said in."""
    each, of = LONG.get(unit, (1, unit))
    return many * each, of


def told_beside(text: str, at: Span, schedule: int = -1) -> Iterator[tuple[Span, Told]]:
    """All words for units in the sentence of a stretch, and what they are; ``schedule`` is where the words of one end, as in ``told_at``."""
    start, end = sentence(text, at)
    for m in re.finditer(UNIT, text[start:end].lower()):
        place = (start + m.start(), start + m.end())
        yield place, told_at(text, place, schedule)
