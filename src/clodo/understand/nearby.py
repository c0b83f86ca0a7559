"""The words around a stretch of a text, as far as its sentence goes."""

from __future__ import annotations

import re

from clodo.understand.draft import Span

#: Where what is said of something ends.
END = r"[.!?;](?=\s|$)|\n"
#: Characters, to either side, beyond which nothing is looked at however long the sentence is.
REACH = 400


def sentence(text: str, at: Span) -> Span:
    """Where the sentence of a stretch begins and ends, as far as it is looked at."""
    front, rest = text[max(0, at[0] - REACH) : at[0]], text[at[1] : at[1] + REACH]
    starts = [m.end() for m in re.finditer(END, front)]
    end = re.search(END, rest)
    return at[0] - len(front) + (starts[-1] if starts else 0), at[1] + (end.start() if end else len(rest))


def before(text: str, at: Span) -> str:
    """What its sentence says in front of a stretch, in small letters."""
    return text[sentence(text, at)[0] : at[0]].lower()


def behind(text: str, at: Span) -> str:
    """What its sentence says behind a stretch, in small letters."""
    return text[at[1] : sentence(text, at)[1]].lower()
