"""Who deletes rows, where a text says it of some alone: "only admins delete products"."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from clodo.blueprint.values import USER, Access, Blueprint, Entity, Who
from clodo.understand.draft import DraftCue
from clodo.understand.verbs import lock_of


def says_who_deletes(cue: DraftCue) -> bool:
    """Whether a cue says who deletes rows, perhaps how often, and nothing besides: a condition makes it a lock, an outcome a step."""
    told = {name for name, fillers in cue.slots.items() if fillers}
    told -= {"n", "per"} if {"n", "per"} <= told else set()
    return cue.kind == "action" and told <= {"of", "by"} and any(f.role for f in cue.slots.get("by", [])) and lock_of(cue.words) == (("delete",), True)


def deleters(roles: Iterable[str], b: Blueprint, e: Entity, makers: Collection[str]) -> Access | None:
    """The rule that lets in these roles, of which ``makers`` are words for whoever made the row, where they are no roles that have
    rights to it; ``None`` where it lets in whoever may write, so that there is nothing to say."""
    named = dict.fromkeys(roles)
    known = {*b.read_access(e).roles, *b.write_access(e).roles}
    held = tuple(r for r in named if r not in makers or r in known)
    if "user" in named:
        rule = USER
    else:
        rule = Access(Who.ROLE if len(held) == len(named) else Who.OWNER, held)
    return None if rule.is_like(b.write_access(e)) else rule
