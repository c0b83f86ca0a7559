"""Who gets the mails of a text: addresses in it, e-mail fields of rows, whoever made a row. The mails for others, of whom no address is
stored, go to the administrator."""

from __future__ import annotations

from dataclasses import dataclass

from clodo.blueprint.text import quote
from clodo.blueprint.values import Entity, FieldType, Who
from clodo.understand.cue_names import Names, Unsaid
from clodo.understand.draft import DraftCue, Filler
from clodo.understand.takers import MAKERS, USER
from clodo.understand.whose import are_theirs

#: What the language calls whoever made a row, and the administrator.
OWNER, ADMIN = "owner", "admin"


@dataclass(frozen=True)
class Receivers:
    """Who gets a mail. ``known`` are those that the text says, as the language has them, ``missing`` whom it names besides, of whom no
    address is stored."""

    known: tuple[str, ...]
    missing: tuple[Filler, ...]

    @property
    def to(self) -> tuple[str, ...]:
        """To whom it goes, as the language has it."""
        return tuple(dict.fromkeys((*self.known, *((ADMIN,) if self.missing or not self.known else ()))))


def receivers(cue: DraftCue, names: Names, e: Entity) -> Receivers:
    """Who gets a mail on rows of an entity.

    Raises:
        Unsaid: a field is named that neither is an address nor stands for somebody, or that no row leads to.
    """
    words = [f.words for name in ("n", "to") for f in cue.slots.get(name, []) if "@" in f.words]
    found = [(f, _address(names, e, f)) for f in cue.slots.get("to", []) if f.entity]
    found += [(f, _of_role(names, e, f.role)) for f in cue.slots.get("by", []) if f.role]
    addresses = [quote(address.strip("\"'“”‘’ <>.,")) for address in words]
    # Whoever is named beside an address of the text is reached by that.
    missing = [f for f, path in found if not path and not addresses]
    return Receivers((*addresses, *(path for _, path in found if path)), tuple(missing))


def _of_role(names: Names, e: Entity, role: str) -> str:
    if _is_theirs(names, e) and (role in MAKERS or role == USER or _are_theirs(names, e, role)):
        return OWNER
    return ADMIN if role == ADMIN else ""


def _address(names: Names, e: Entity, filler: Filler) -> str:
    """The path to an e-mail field, or to the account that a row refers to or belongs to; empty where no address is stored of whom a
    filler names: a thing, what a reference leads to, a text."""
    if not filler.field:
        return _of_thing(names, e, filler)
    if _is_account(names, filler.entity):
        return OWNER if _is_theirs(names, e) else f"{names.way(e, filler.entity)}.email"
    entity, name = names.reference(filler) or (e, "")
    if name:
        return _of_rows(names, next(r.target for r in entity.references if r.name == name), names.seen_from(e, filler))
    return "" if names.field(filler)[1].type is FieldType.TEXT else names.seen_from(e, filler)


def _are_theirs(names: Names, e: Entity, role: str) -> bool:
    """Whether the text says that rows are those of people who have no rights besides."""
    users = names.blueprint.users
    return users is not None and role not in (*users.roles, ADMIN) and are_theirs(names.text, role, e.name)


def _is_theirs(names: Names, e: Entity) -> bool:
    """Whether rows belong to whoever made them."""
    return Who.OWNER in (names.blueprint.read_access(e).who, names.blueprint.write_access(e).who)


def _is_account(names: Names, entity: str) -> bool:
    return entity == "user" and names.blueprint.users is not None


def _of_thing(names: Names, e: Entity, filler: Filler) -> str:
    if _is_account(names, filler.entity) and _is_theirs(names, e):
        return OWNER
    target = names.target(filler)
    try:
        way = "" if target == e.name else names.way(e, target)
    except Unsaid:
        return ""  # no row leads there
    return _of_rows(names, target, way)


def _of_rows(names: Names, target: str, way: str) -> str:
    """The path to the only e-mail field of rows of an entity, by the way that leads to them; empty where they have none.

    Raises:
        Unsaid: they have several.
    """
    if _is_account(names, target):
        return f"{way}.email"
    holder = names.blueprint.entity(target)
    found = [f.name for f in holder.fields if f.type is FieldType.EMAIL and not f.write_only] if holder is not None else []
    if len(found) > 1:
        raise Unsaid
    return ".".join(part for part in (way, *found) if part) if found else ""
