"""What to tell of files that a text has some alone upload: files have no rights of their own, so that whoever changes a row uploads them."""

from __future__ import annotations

from collections.abc import Iterator

from clodo.blueprint.values import Access, Blueprint, Who
from clodo.understand.compiler import entity_called, field_called
from clodo.understand.cue_names import Names, Unsaid
from clodo.understand.draft import Draft, DraftCue
from clodo.understand.file_rules import FILES
from clodo.understand.quoting import listed, quoted
from clodo.understand.takers import MAKERS
from clodo.understand.uploads import is_upload

#: With ``{}`` for the thing, its file, and for whoever the text has upload it.
TOLD = {
    "others": "Whoever may change a {} uploads its {}, not {} alone: files have no rights of their own.",
    "shut out": "Whoever may change a {} uploads its {}: files have no rights of their own, and {} may not change it.",
}
#: How many words are quoted of a role, and how many notes there are at most.
NAME_WORDS, MOST = 3, 3


def notes_on_uploads(draft: Draft, blueprint: Blueprint, stands: Draft) -> Iterator[str]:
    """A note for each file that others upload as well, or that those do not whom the text means. ``stands`` is what of the draft stands in
    its blueprint."""
    files = [(e.name, f.name) for e in draft.entities.values() for f in e.fields.values() if f.type in FILES]
    names = Names(blueprint, entity_called, field_called, text=draft.text, files=files)
    told = dict.fromkeys(note for cue in stands.cues for note in _notes(cue, names))
    yield from list(told)[:MOST]


def _notes(cue: DraftCue, names: Names) -> Iterator[str]:
    who = list({f.role: f for f in cue.slots.get("by", []) if f.role}.values())
    try:
        if not who or not is_upload(cue, names):
            return
        e = names.about(cue)
    except Unsaid:
        return
    write = names.blueprint.write_access(e)
    missing = [f for f in who if not _may(f.role, write)]
    if not missing and _are_all({f.role for f in who}, write):
        return
    said = [quoted(names.text[slice(*f.at)] if f.at is not None else f.role.replace("_", " "), NAME_WORDS) for f in missing or who]
    for f in cue.slots["set"]:
        file = names.file(f) or f.field
        first, *rest = TOLD["shut out" if missing else "others"].split("{}")
        filled = (e.name.replace("_", " "), file.replace("_", " "), listed(said))
        yield first + "".join(one + after for one, after in zip(filled, rest, strict=True))


def _may(role: str, write: Access) -> bool:
    """Whether people of a role may change rows; who made a row may where it is theirs."""
    if write.who is Who.KEY:
        return False
    if write.who is Who.OWNER and role in MAKERS and role not in write.roles:
        return True
    return write.who in (Who.PUBLIC, Who.USER) or role in (*write.roles, "admin")


def _are_all(roles: set[str], write: Access) -> bool:
    """Whether nobody else may: an administrator may do what any role may."""
    if write.who is Who.USER:
        return "user" in roles
    made = write.who is not Who.OWNER or bool(roles & MAKERS - {*write.roles})
    return write.who in (Who.ROLE, Who.OWNER) and made and {*write.roles} <= roles
