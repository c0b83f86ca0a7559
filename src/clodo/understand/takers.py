"""Who takes a step, where a text names whoever made the row: "cancelled by its owner", "only the creator of a ticket closes it"."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace

from clodo.blueprint.text import quote
from clodo.blueprint.values import Access, Blueprint, Entity, Who
from clodo.understand.creators import creators_of, says_who_creates
from clodo.understand.cue_names import Unsaid
from clodo.understand.deleters import says_who_deletes
from clodo.understand.draft import Draft, DraftCue, DraftEntity, Filler
from clodo.understand.naming import singular
from clodo.understand.nearby import before, behind
from clodo.understand.verbs import step_name
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
#: Words by which a text says whose rows a step is not taken with: "never their own", "of others", "by somebody else", "themselves".
OWN = frozenset(["own", "other", "others", "else", "somebody_else", "someone_else", "another", "self", "oneself", "themself", "themselves", "himself", "herself", "yourself"])
#: Behind people who take a step with rows of theirs alone: "members cancel their own bookings".
OWNING = r"(?:(?!\b(?:never|not|cannot|nor|except|unless|without)\b|n['’]t\b)[^,;:]){0,60}?\b(?:their|his|her)\s+own\b"
#: Behind people who take none with rows of theirs: "members may not approve their own bookings".
DISOWNING = r"[^;:]{0,80}?\b(?:their|his|her)\s+own\b"
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
            never = [replace(f, role=MAKER) if f.role and _is_kept_off(draft, f, makers, rights) else f for f in cue.slots.get("unless", [])]
            if any(f.role == MAKER for f in (*by, *never)):
                told = {name: fillers for name, fillers in (("by", by), ("unless", never)) if fillers}
                cue = replace(cue, slots={**cue.slots, **told})
                if not (e.write_roles or e.flags & STATED or draft.access in ("key", "key-write") or _names_person(draft, e)):
                    e.flags.add("own-write")
            if "own" in e.flags:
                # Whoever takes a step with rows of somebody else must see them.
                e.read_roles += [role for role in dict.fromkeys(f.role for f in by) if role not in ("", MAKER, USER, *e.read_roles)]
        cues.append(cue)
    draft.cues = cues


def takers(cue: DraftCue) -> Access | None:
    """The rule that lets in who takes a step; ``None`` where nobody is named."""
    roles = tuple(dict.fromkeys(f.role for one in (cue, *cue.further) for f in one.slots.get("by", [])))
    held = tuple(r for r in roles if r != MAKER)
    return Access(Who.ROLE if len(held) == len(roles) else Who.OWNER, held) if roles else None


def is_kept_off(filler: Filler) -> bool:
    """Whether a filler of ``unless`` says that whoever the row is of does not take the step."""
    return filler.role == MAKER


def known_takers(said: Access | None, write: Access, *, among: bool, kept_off: bool) -> Access | None:
    """Who takes a step that looks at whoever takes it: they have to log in. ``said``: whom the text names, ``among``: beside whoever may
    ``write`` the row, ``kept_off``: the row is nobody's of theirs. ``None`` where that is whoever may write.

    Raises:
        Unsaid: nobody can be told from others.
    """
    if not (among or kept_off):
        return said
    if kept_off and said is not None and said.who is Who.OWNER:
        raise Unsaid  # whoever made the row takes the step, and does not
    if said is not None and not among:
        return said
    if write.who is Who.KEY:
        raise Unsaid
    who, roles = (Who.USER, ()) if write.who is Who.PUBLIC else (write.who, write.roles)
    if kept_off and who is Who.OWNER:
        who = Who.ROLE if roles else Who.USER
    named = tuple(dict.fromkeys((*roles, *(said.roles if said is not None else ()))))
    return Access(who, named if who in (Who.ROLE, Who.OWNER) else ())


def off_theirs(b: Blueprint, e: Entity, surface: str) -> str:
    """The condition, with its words, that a row of ``e`` is not of whoever takes a step: not owned by them, or, where it has no owner, not
    referring to them.

    Raises:
        Unsaid: the row says of several users, or of none, that it is theirs.
    """
    named = ["owner"] if b.is_owned(e) else [r.name for r in e.references if r.target == "user"]
    if len(named) != 1 or (b.is_owned(e) and e.field("owner") is not None):
        raise Unsaid
    verb = step_name(surface)
    said = f"Nobody can {verb if verb[:1].isalpha() else 'change'} their own {e.name}.".replace("_", " ")
    return f"caller != {named[0]} {quote(said)}"


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


def _is_kept_off(draft: Draft, filler: Filler, makers: Collection[str], rights: Collection[str]) -> bool:
    """Whether whoever made the row is meant by a word for those who do not take a step with it."""
    if filler.role in OWN or (filler.role in makers and filler.role not in rights):
        return True
    return filler.at is not None and re.match(DISOWNING, behind(draft.text, filler.at)) is not None


def _names_person(draft: Draft, e: DraftEntity) -> bool:
    """Whether rows refer to a user, who is the one that they are of."""
    named = any(f.type == "ref" and f.target == "user" for f in e.fields.values())
    return named or any((r.source, r.target, r.kind) == (e.name, "user", "belongs") for r in draft.relations)


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
