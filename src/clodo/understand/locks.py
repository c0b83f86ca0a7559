"""Locks of which a text names people: who alone changes rows while they may be changed, and whom a lock does not hold up.

=========================================== ============== =======================================
what is said                                slots          comes to
=========================================== ============== =======================================
only clerks may edit it, while it is a      ``when``,      ``write role clerk``, and a lock that
draft                                       ``by``         holds for them, too
it can be edited until it is sent, after    ``unless``,    a lock ``except role admin``; those who
that only by admins                         ``to``         write otherwise write until then
=========================================== ============== =======================================
"""

from __future__ import annotations

from collections.abc import Collection

from clodo.understand.creators import creators_of
from clodo.understand.draft import Draft, DraftCue, DraftEntity
from clodo.understand.jobs import OUTCOMES
from clodo.understand.verbs import lock_of

#: Slots that say when rows are changed.
_CONDITIONS = ("when", "unless", "from")


def has_outcome(cue: DraftCue) -> bool:
    """Whether a step leads to something: people whom a lock lets through are no outcome."""
    return any(not f.role for name in OUTCOMES for f in cue.slots.get(name, []))


def free_of_lock(cue: DraftCue) -> tuple[str, ...]:
    """The roles that a lock does not hold up."""
    return tuple(dict.fromkeys(f.role for f in cue.slots.get("to", []) if f.role))


def with_writers(draft: Draft, e: DraftEntity, cue: DraftCue, makers: Collection[str], stated: Collection[str]) -> None:
    """Lets those write rows of whom a lock says that they alone do, or that it does not hold them up. ``makers`` are words for whoever
    made a row, ``stated`` the flags by which a text says who writes; what it says stays as it is."""
    verbs, allowed = lock_of(cue.words)
    if cue.kind != "action" or not verbs or has_outcome(cue) or not any(cue.slots.get(name) for name in _CONDITIONS):
        return
    free, alone = free_of_lock(cue), [f.role for f in cue.slots.get("by", []) if f.role]
    if free:
        _join(draft, e, free, stated)
    elif alone and allowed and verbs != ("delete",) and not {*alone} & {*makers}:
        _leave_to(draft, e, alone, stated)


def _join(draft: Draft, e: DraftEntity, roles: Collection[str], stated: Collection[str]) -> None:
    """Roles write rows beside whoever does: where that is everybody, people who log in, so that they can be told apart."""
    if "own" in e.flags:
        e.read_roles += [role for role in roles if role not in e.read_roles]
    if e.write_roles or e.flags & {"own", "own-write"}:
        e.write_roles += [role for role in roles if role not in e.write_roles]
    elif draft.access in ("unstated", "none") and not e.flags & {*stated}:
        e.flags.add("write-login")


def _leave_to(draft: Draft, e: DraftEntity, roles: Collection[str], stated: Collection[str]) -> None:
    """Roles alone change rows, and whoever could add some still does."""
    if e.write_roles or e.flags & {*stated} or draft.access in ("key", "key-write"):
        return
    e.write_roles += roles
    if e.name not in creators_of(draft):
        e.flags.add("write-public" if draft.access in ("unstated", "none") else "write-login")
