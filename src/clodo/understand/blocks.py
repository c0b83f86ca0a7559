"""Blocks of a service that several cues make together: a route with its limit and its headers, a site with its redirects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

#: A block by its first line, and what tells it from another that begins alike.
Block = tuple[str, str]
#: A line within a block; the empty one is the block itself.
Member = tuple[Block, str]

#: Blocks in the order in which they stand, and the lines of a block in theirs.
KINDS = ("upstream", "route", "site")
ORDER = ("timeout", "retry", "methods", "allow", "limit", "cache", "set", "remove", "answer set", "answer remove", "title", "folder", "single page", "not found", "redirect", "header", "never send")


def written(wishes: Iterable[Sequence[Member]]) -> list[str] | None:
    """The blocks of some wishes; ``None`` where one of them is about blocks of which none stands."""
    made: dict[Block, dict[str, None]] = {}
    wanted = [members for members in wishes if members]
    for members in wanted:
        for block, line in members:
            if not line:
                made.setdefault(block, {})
    for members in wanted:
        if not any(block in made for block, _ in members):
            return None
        for block, line in members:
            if line and block in made:
                made[block][line] = None
    ordered = sorted(made, key=lambda block: KINDS.index(block[0].partition(" ")[0]))
    return ["\n".join(_lines(block[0], sorted(made[block], key=_place))) for block in ordered]


def _lines(head: str, members: list[str]) -> list[str]:
    if not members and head != "site":
        return [head]
    return [f"{head} {{", *(f"  {line}" for line in members), "}"]


def _place(line: str) -> int:
    return next(i for i, start in enumerate(ORDER) if line.startswith(start))
