"""Who takes a step, where a text names whoever made the row: "cancelled by its owner", "only the creator of a ticket closes it"."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace

from clodo.blueprint.values import Access, Who
from clodo.understand.creators import creators_of, says_who_creates
from clodo.understand.deleters import says_who_deletes
from clodo.understand.draft import Draft, DraftCue, DraftEntity, Filler
from clodo.understand.naming import singular
from clodo.understand.nearby import before, behind
from clodo.understand.whose import are_theirs

#: Words for whoever made a row, which a blueprint calls its owner.
MAKERS = frozenset(["owner", "creator", "author", "submitter", "reporter", "sender", "requester", "filer", "poster", "proposer", "initiator", "issuer", "asker"])
#: Stands for a role where whoever made the row is meant.
MAKER = "(maker)"
#: Whoever logs in.
USER = "user"
#: The word that as often means whose the whole is.
DOUBTFUL = "owner"
POSSESSIVE = r"\b(?:its|their|his|her|whose)\s+(?:(?:own|original)\s+)?$"
POSSESSED = r"\b(\w+)['’]s\s+(?:original\s+)?$"
BELONGING = r"\s+of\s+(?:(?:an?|the|this|that|each|every|any|such)\s+)?(\w+)"
DEFINITE = r"\bthe\s+(?:original\s+)?$"
#: Behind people who take a step with rows of theirs alone: "members cancel their own bookings".
OWNING = r"[^,;:]{0,60}?\b(?:their|his|her)\s+own\b"
#: In front of what is said to be a role.
CALLED = r"\broles?\s*:?\s+$"
IT = ("it", "one", "them", "these", "those")
#: Slots that tell which rows a step is about.
_ABOUT = ("of", "set", "unset", "from", "to", "when", "unless")
#: Cues that give nobody rights that they did not have.
_NO_RIGHTS = ("action", "notify", "at-most")
#: Flags by which a text says who writes.
STATED = frozenset(["own", "own-write", "write-login", "write-key", "write-public"])


def with_takers(draft: Draft, makers: Collection[str]) -> None:
    """Puts whoever made the row in the place of ``makers``, which are words for them, where they take a step: they are no roles
    with rights of their own, and the text speaks of the row's, or says that rows belong to whoever made them. Rows of which
    nothing is said of who writes them are theirs then. People of whom the text says that the rows are theirs, and who have no
    rights to others, are whoever made them, too."""
    rights = {role for e in draft.entities.values() for role in (*e.read_roles, *e.write_roles)}
    rights |= {f.role for cue in draft.cues if cue.kind not in _NO_RIGHTS for slot in cue.slots.values() for f in slot}
    rights |= {role for roles in creators_of(draft).values() for role in roles}
    cues = []
    for cue in draft.cues:
        e = _about(draft, cue)
        if e is not None and cue.kind == "action" and not says_who_deletes(cue) and not says_who_creates(cue):
            by = [replace(f, role=MAKER) if _is_maker(draft, e, f, makers, rights) else f for f in cue.slots.get("by", [])]
            if any(f.role == MAKER for f in by):
                cue = replace(cue, slots={**cue.slots, "by": by})
                if not (e.write_roles or e.flags & STATED or draft.access in ("key", "key-write")):
                    e.flags.add("own-write")
            if "own" in e.flags:
                # Whoever takes a step with rows of somebody else must see them.
                e.read_roles += [role for role in dict.fromkeys(f.role for f in by) if role not in ("", MAKER, USER, *e.read_roles)]
        cues.append(cue)
    draft.cues = cues


def takers(cue: DraftCue) -> Access | None:
    """The rule that lets in who takes a step; ``None`` where nobody is named."""
    roles = tuple(dict.fromkeys(f.role for f in cue.slots.get("by", [])))
    held = tuple(r for r in roles if r != MAKER)
    return Access(Who.ROLE if len(held) == len(roles) else Who.OWNER, held) if roles else None


def _about(draft: Draft, cue: DraftCue) -> DraftEntity | None:
    named = (f.entity for slot in _ABOUT for f in cue.slots.get(slot, []) if f.entity)
    return draft.entities.get(next(named, ""))


def _is_maker(draft: Draft, e: DraftEntity, filler: Filler, makers: Collection[str], rights: Collection[str]) -> bool:
    """Whether whoever made the row is meant by a role."""
    if filler.role in makers:
        return filler.role not in rights and _is_of_row(draft, e, filler)
    held = filler.role in (*e.read_roles, *e.write_roles)
    owned = bool(e.flags & {"own", "own-write"}) and not held and filler.at is not None
    if owned and filler.at is not None and re.match(OWNING, behind(draft.text, filler.at)) is not None:
        return True
    mine = bool(e.flags & {"own", "own-write"}) and filler.role not in rights
    return mine and are_theirs(draft.text, filler.role, e.name)


def _is_of_row(draft: Draft, e: DraftEntity, filler: Filler) -> bool:
    front = before(draft.text, filler.at) if filler.at is not None else ""
    if re.search(CALLED, front):
        return False
    if e.flags & {"own", "own-write"}:
        return True
    if filler.at is None:
        return False
    if re.search(POSSESSIVE, front) or (filler.role != DOUBTFUL and re.search(DEFINITE, front)):
        return True
    whose = [m[1] for m in (re.search(POSSESSED, front), re.match(BELONGING, behind(draft.text, filler.at))) if m]
    return any(word in IT or singular(word) in e.name.split("_") for word in whose)
