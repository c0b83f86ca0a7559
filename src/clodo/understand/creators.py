"""Who adds rows, where a text says it of others than those who change them: "reporters open tickets, agents edit them".

What the rule ``create`` of an entity comes to, by who changes its rows and whom the text lets add them. Nobody loses a right by
it: whoever changes rows adds them too, as ``write`` has it.

=============================== ==================== ==========================================
who changes rows                who adds them        ``create``
=============================== ==================== ==========================================
everybody, any user, the owner  roles, any user      none: they may already
whoever has the key             roles, any user      none: a role has no key (left over)
roles W                         roles of W, admin    none: they may already
roles W                         roles R              ``role R, W``
roles W                         any user             ``user``
roles W, all others by a fact   roles, any user      as the fact says (left over where by key)
roles W, and not R reads them   roles R              without R (left over)
=============================== ==================== ==========================================
"""

from __future__ import annotations

from collections.abc import Iterable

from clodo.blueprint.values import USER, Access, Who
from clodo.understand.draft import Draft, DraftCue
from clodo.understand.verbs import makes_rows


def says_who_creates(cue: DraftCue) -> bool:
    """Whether a cue says who adds rows and nothing besides: a condition or an outcome makes it a step."""
    told = {name for name, fillers in cue.slots.items() if fillers}
    named = any(f.entity for f in cue.slots.get("of", [])) and any(f.role for f in cue.slots.get("by", []))
    return cue.kind == "action" and told == {"of", "by"} and named and makes_rows(cue.words)


def creators_of(draft: Draft) -> dict[str, tuple[str, ...]]:
    """The roles that cues let add rows, by entity of the draft, in the order in which they are said."""
    found: dict[str, dict[str, None]] = {}
    for cue in filter(says_who_creates, draft.cues):
        for of in cue.slots["of"]:
            found.setdefault(of.entity, {}).update((f.role, None) for f in cue.slots["by"] if f.role)
    return {entity: tuple(roles) for entity, roles in found.items()}


def creation(roles: Iterable[str], read: Access, write: Access, create: Access | None) -> Access | None:
    """The rule that lets these ``roles`` add rows, beside whoever may ``write``; ``None`` where there is nothing to say.
    ``create`` is what facts say. Whoever may not ``read`` rows adds none."""
    if create is not None or write.who is not Who.ROLE:
        return create
    seeing = [role for role in roles if read.who is not Who.ROLE or role in (*read.roles, "admin")]
    rule = USER if "user" in seeing else Access(Who.ROLE, tuple(dict.fromkeys((*seeing, *write.roles))))
    return None if rule.is_like(write) else rule


def lets_add(rule: Access, role: str) -> bool:
    """Whether a rule of creation lets a role in; whoever logs in adds rows that are to be their own."""
    return role in (*rule.roles, "admin") if rule.who is Who.ROLE else rule.who is not Who.KEY
