"""Whose the rows of a thing are, as a text speaks of people: "customers see only their own orders"."""

from __future__ import annotations

import re

from clodo.understand.naming import singular
from clodo.understand.nearby import behind

#: Behind people, up to the words for what is theirs: "as a member, I move my bookings".
THEIRS = r"(?:\s*,?\s*i\b)?[^,;:]{0,40}?\b(?:their|his|her|my)\s+(?:own\s+)?(\w+)(?:\s+(\w+))?"


def are_theirs(text: str, role: str, thing: str) -> bool:
    """Whether a text says somewhere of the people of a ``role`` that rows of a ``thing`` are theirs; both by their names in a blueprint."""
    found = list(re.finditer(r"\w+", text))
    return any(_named(found, i, role) and _speaks_of(behind(text, m.span()), thing) for i, m in enumerate(found))


def _named(words: list[re.Match[str]], at: int, role: str) -> bool:
    first = [m[0].lower() for m in words[max(0, at - role.count("_")) : at]]
    return "_".join([*first, singular(words[at][0].lower())]) == role


def _speaks_of(rest: str, thing: str) -> bool:
    m = re.match(THEIRS, rest)
    return m is not None and any(word and singular(word) in thing.split("_") for word in m.groups())
