"""Names and types to the letter: what ``exact`` asks for beyond ``usable``.

A name here is as it is written, by its entity and its own (``""``: the entity itself); beside it stands its type, of a
reference where it leads.
"""

from __future__ import annotations

from collections.abc import Mapping

#: What is named, and its type.
Names = Mapping[tuple[str, str], str]

#: Types of fields by the fewer words that plain sets have for them.
_PLAIN = {
    **dict.fromkeys(("date", "datetime", "time"), "date or time"), "money": "decimal",
    **dict.fromkeys(("longtext", "url", "uuid", "list", "file", "image"), "text"),
}  # fmt: skip


def exactly(said: Names, wanted: Names, *, plain: bool) -> bool:
    """Whether the same is named, letter by letter, with the same types. ``plain``: the set has its own, fewer types, and
    names no references. Users who log in are an entity only where the text describes them."""
    if ("user", "") not in wanted:
        said = {name: kind for name, kind in said.items() if name[0] != "user"}
    return _told(said, plain) == _told(wanted, plain)


def _told(names: Names, plain: bool) -> dict[tuple[str, str], str]:
    if not plain:
        return dict(names)
    return {name: _PLAIN.get(kind, kind) for name, kind in names.items() if not kind.startswith("->")}
