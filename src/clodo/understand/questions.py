"""What to ask where a text is not enough, and what to tell where the text left a choice open."""

from __future__ import annotations

from collections.abc import Iterator

from clodo.blueprint.secrecy import is_secret
from clodo.blueprint.values import Blueprint, ServiceType
from clodo.understand.compiler import bare_entities, held_by
from clodo.understand.cues import ACCESS, PICTURE, is_picture
from clodo.understand.draft import Draft
from clodo.understand.storeless import is_gateway

_QUESTIONS = {
    "vague": (
        "What things should the service keep? Name them, such as books and their reviews.",
        "What do you want to know about each of them? Name the fields, such as a title and a price.",
        "Who may read and change them: everybody, people who log in, or callers with an API key?",
    ),
    "not-a-service": (
        "This does not describe a service. What data should a service keep for you?",
        "Which fields does each of these things have?",
    ),
    "contradictory": (
        "Some of these rules exclude each other. Which of them should hold?",
        "Can you say the rule that matters in one sentence?",
    ),
    "api-gateway": (
        "Which paths should lead to which servers? Name each path and the address of its server, such as /orders and https://orders.example.",
    ),
}

#: Types of service that are whole without anything stored.
_WHOLE = (ServiceType.GATEWAY, ServiceType.STATIC)


def questions_for(draft: Draft, blueprint: Blueprint | None) -> tuple[str, ...]:
    """One to three questions where a blueprint would be a guess; none where it is not."""
    if draft.verdict != "clear":
        return _QUESTIONS[draft.verdict]
    if blueprint is None:
        return _QUESTIONS["api-gateway"] if is_gateway(draft) else _QUESTIONS["vague"][:2]
    if not blueprint.entities and blueprint.users is None and blueprint.type not in _WHOLE:
        return _QUESTIONS["vague"]
    if blueprint.entities and not any(e.fields or e.references or e.links for e in blueprint.entities):
        names = " and a ".join(e.name.replace("_", " ") for e in blueprint.entities[:3])
        return (f"What do you want to know about a {names}? Name the fields.",)
    return ()


def notes_on(draft: Draft, blueprint: Blueprint | None) -> tuple[str, ...]:
    """The choices that were made for the author, in plain sentences."""
    if blueprint is None:
        return ()
    notes = []
    told = any(cue.kind in ACCESS for cue in draft.cues) or (blueprint.type is ServiceType.STATIC and not blueprint.entities)
    if draft.access == "unstated" and blueprint.users is None and not told:
        notes.append("The text does not say who may use the service, so everybody may.")
    if draft.unsupported:
        notes.append("Some wishes cannot be built yet; they are marked in the text.")
    bare = sorted(bare_entities(draft))
    if bare:
        names = ", ".join(n.replace("_", " ") for n in bare)
        notes.append(f"The text names nothing to store of {names}, so nothing is.")
    referring = {e.name for e in blueprint.entities if e.references}
    given = [(name, held) for name, e in draft.entities.items() if name in referring and (held := held_by(e)) is not None]
    notes += [f"The text does not say what each {name} holds; it was given a {held.name}." for name, held in given]
    notes += [f"Each {name} was given an {PICTURE}, which the text does not name." for name, e in draft.entities.items() if is_picture(e)]
    notes += _on_secrets(blueprint)
    empty = [e.name for e in blueprint.entities if not (e.fields or e.references or e.links)]
    if empty:
        notes.append(f"The text names no fields of {', '.join(empty)}.")
    if draft.mended:
        words = ", ".join(f"{typed!r} as {meant}" for typed, meant in draft.mended.items())
        notes.append(f"Read {words}.")
    return tuple(notes)


def _on_secrets(b: Blueprint) -> Iterator[str]:
    """What becomes of fields that their names call secrets, whether or not the text says so."""
    holders = [(e.name, e.fields) for e in b.entities] + ([("user", b.users.fields)] if b.users is not None else [])
    for name, fields in holders:
        beside = [f.name for f in fields]
        for f in fields:
            words = f"The {f.name} of each {name}".replace("_", " ")
            if f.hashed:
                yield f"{words} is kept as a salted hash, and nobody can read it."
            elif f.write_only and is_secret(f.name, f.type, beside):
                yield f"{words} is never answered: its name says that it is a secret."
