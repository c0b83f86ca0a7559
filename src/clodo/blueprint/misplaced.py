"""Lines of entities that stand in the block ``users``, and the other way round: what to write instead."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from clodo.blueprint.constructs import Place, constructs
from clodo.blueprint.problems import Problem

_OPENED = re.compile(r"\s*(users|entity)\b[^\n#]*\{\s*(#.*)?$")
_SEEN = "Users see themselves; with the line 'manage roles' administrators list them too."
_REFERRING = "Write an entity that refers to them, such as one with 'user: -> user required unique'"
_RELATION = ("Users refer to nothing and are linked with nothing.", f"{_REFERRING}.")
#: What lines of an entity begin with that are part of the base grammar, and why users have none.
_OF_ENTITIES = {
    "read": ("Who reads users is not said in their block.", _SEEN),
    "write": ("Who changes users is not said in their block.", _SEEN),
    "create": ("Who registers is a user; there is no rule for it.", "Leave the line out."),
    "soft delete": ("Users are not deleted, so that there is no soft deletion of them.", "Leave the line out."),
    "no timestamps": ("Users always have created_at and updated_at.", "Leave the line out."),
    "->": _RELATION,
    "<->": _RELATION,
    "file": ("Users have no files.", f"{_REFERRING}, and give it the file."),
    "image": ("Users have no images.", f"{_REFERRING}, and give it the image."),
}


def misplaced(lines: Sequence[str], line: int, column: int) -> Problem | None:
    """The problem where what stands at a place (counted from 1) belongs into a block of another kind."""
    block = _block(lines[: line - 1])
    found = re.match(r"soft delete|no timestamps|<->|->|\w+", re.sub(r"[ \t]+", " ", lines[line - 1][max(column - 1, 0) :]))
    word = found[0] if found else ""
    first = word != "" and not lines[line - 1][: column - 1].strip()
    if block == "users" and word in _OF_ENTITIES and first is (word not in ("->", "<->", "file", "image")):
        return Problem(*_OF_ENTITIES[word], "", line, column)
    if block == "users" and first and word in _first_words("entity"):
        return Problem(f"{word!r} begins a line of an entity, and users have none such.", f"{_REFERRING}, and write it there.", "", line, column)
    if block == "entity" and first and word in {"roles", *_first_words("users")}:
        return Problem(f"{word!r} begins a line of users.", "Write it in the block 'users { … }'.", "", line, column)
    return None


def _block(lines: Sequence[str]) -> str:
    """The kind of the block that is open behind some lines."""
    for text in reversed(lines):
        if text.split("#")[0].strip() == "}":
            return ""
        if opened := _OPENED.match(text):
            return opened[1]
    return ""


@cache
def _first_words(place: Place) -> frozenset[str]:
    """The words that lines of bricks begin with in such a block."""
    starts = (re.search(rf'(?:^|\n)\s*{c.name}:\s*"([a-z-]+)"', c.grammar) for c in constructs() if c.place == place)
    return frozenset(found[1] for found in starts if found)
