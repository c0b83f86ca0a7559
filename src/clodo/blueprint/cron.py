"""Lines of cron as Cloudflare reads them: days of the week are counted from 1, Sunday, to 7, Saturday, or are named; 0 is refused."""

from __future__ import annotations

import re

_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
#: What each part is called, its first and last number, and the names of its numbers.
_PARTS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 1, 7, _WEEKDAYS),
)
_ITEM = re.compile(r"(\*|\w+(?:-\w+)?)(?:/(\d+))?")
#: The last day or weekday, and those that are near or counted; they stay as they are written.
_SPECIAL = re.compile(r"L|W|LW|\d{1,2}W|(?:\d|[a-z]{3})(?:L|#\d)", re.IGNORECASE)

#: For each part of a line, its numbers; what no numbers can say is itself.
Times = tuple[frozenset[int | str], ...]


def times(line: str) -> Times:
    """The times of a line.

    Raises:
        ValueError: Cloudflare refuses the line; the message says which part.
    """
    given = line.split(" ")
    if len(given) != len(_PARTS):
        raise ValueError("It has not five parts.")
    return tuple(frozenset(n for item in text.split(",") for n in _numbers(item, *part)) for text, part in zip(given, _PARTS, strict=True))


def _numbers(item: str, what: str, first: int, last: int, names: tuple[str, ...]) -> list[int | str]:
    if what.startswith("day") and _SPECIAL.fullmatch(item):
        return [item.upper()]
    found = _ITEM.fullmatch(item)
    if found is None:
        raise ValueError(f"{item!r} is no {what}.")
    start, _, end = found[1].partition("-")
    low = first if start == "*" else _number(start, what, first, last, names)
    # A number with a step begins a row that goes on to the last.
    high = last if start == "*" or (found[2] and not end) else _number(end or start, what, first, last, names)
    step = int(found[2] or 1)
    if low > high or step < 1:
        raise ValueError(f"{item!r} is no {what}.")
    return list(range(low, high + 1, step))


def _number(text: str, what: str, first: int, last: int, names: tuple[str, ...]) -> int:
    if text.lower() in names:
        return first + names.index(text.lower())
    if not text.isdecimal() or not first <= int(text) <= last:
        counted = " Sunday is 1 and Saturday 7." if names is _WEEKDAYS else ""
        raise ValueError(f"{text!r} is no {what}.{counted}")
    return int(text)
