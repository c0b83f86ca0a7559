"""The words around a stretch of a text, as far as its sentence goes."""

from __future__ import annotations

import re

from clodo.understand.draft import Span

#: Where what is said of something ends.
END = r"[.!?;](?=\s|$)|\n"
#: Characters, to either side, beyond which nothing is looked at however long the sentence is.
REACH = 400


def before(text: str, at: Span) -> str:
    """What its sentence says in front of a stretch, in small letters."""
    front = text[max(0, at[0] - REACH) : at[0]]
    starts = [m.end() for m in re.finditer(END, front)]
    return front[starts[-1] if starts else 0 :].lower()


def behind(text: str, at: Span) -> str:
    """What its sentence says behind a stretch, in small letters."""
    rest = text[at[1] : at[1] + REACH]
    end = re.search(END, rest)
    return rest[: end.start() if end else len(rest)].lower()
