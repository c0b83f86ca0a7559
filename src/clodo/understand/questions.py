"""What to ask where a text is not enough, and what to tell where the text left a choice open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from clodo.blueprint.secrecy import is_secret
from clodo.blueprint.values import Blueprint, ServiceType
from clodo.understand.compiler import bare_entities, held_by
from clodo.understand.cues import ACCESS, PICTURE, is_picture
from clodo.understand.decoding import LEAST_ENTITY
from clodo.understand.draft import Draft, DraftEntity, Span
from clodo.understand.mail_notes import notes_on_mails
from clodo.understand.quoting import listed, plain, quoted
from clodo.understand.storeless import is_gateway
from clodo.understand.upload_notes import notes_on_uploads

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

#: Questions that quote the text, with ``{}`` for each quotation.
_QUOTING = {
    "fields": "What do you want to know about {}? Name the fields, such as a name and a date.",
    "more": "What else should the service keep of {}, besides {}?",
    "owner": "What is {} of? Name the things that the service should keep.",
    "owners": "What are {} of? Name the things that the service should keep.",
    "wish": "What things does the wish {} concern, and what should happen to them?",
    "unsupported": "What should the service keep for {}? Name the things and their fields.",
    "topic": "This does not describe a service. Should one keep {}, and what do you want to know of each?",
    "topics": "This does not describe a service. Should one keep {}, and of what things?",
    "clash": "{} seems to exclude another rule. Which of them should hold?",
    "within": "{} seems to exclude itself. Which part of it should hold?",
}
#: How many words are quoted of a sentence or a wish, how many of a name, and how many names at most.
_WORDS, _NAME_WORDS, _NAMES = 12, 3, 3
_MOST = 3

#: Types of service that are whole without anything stored.
_WHOLE = (ServiceType.GATEWAY, ServiceType.STATIC)


def questions_for(draft: Draft, blueprint: Blueprint | None) -> tuple[str, ...]:
    """One to three questions where a blueprint would be a guess, in the text's own words where the model heard any; none where it
    is not."""
    if draft.verdict == "contradictory":
        return _on_clash(draft)
    if draft.verdict == "not-a-service":
        return _on_no_service(draft)
    if blueprint is None and draft.verdict == "clear" and is_gateway(draft):
        return _QUESTIONS["api-gateway"]
    if draft.verdict == "vague" or blueprint is None:
        return _on_vague(draft)
    if not blueprint.entities and blueprint.users is None and blueprint.type not in _WHOLE:
        return _on_vague(draft)
    if blueprint.entities and not any(e.fields or e.references or e.links for e in blueprint.entities):
        return (_asked("fields", [_word_of(e.name, draft) for e in blueprint.entities]),)
    return ()


def _on_clash(draft: Draft) -> tuple[str, ...]:
    """A question on the sentence that contradicts another, or itself where there is no other."""
    general = _QUESTIONS["contradictory"]
    if draft.clash is None:
        return general
    start, end = draft.clash
    kind = "clash" if plain(draft.text[:start]) or plain(draft.text[end:]) else "within"
    return _filled(kind, quoted(draft.text[start:end], _WORDS)), *general[1:]


def _on_no_service(draft: Draft) -> tuple[str, ...]:
    """A question on what the text seems to be about: the things, else the fields that were heard."""
    if things := [word for word, _ in _things(draft)]:
        return (_asked("topic", things),)
    loose = _loose(draft)
    return (_asked("topics", loose),) if loose else _QUESTIONS["not-a-service"]


def _on_vague(draft: Draft) -> tuple[str, ...]:
    """Questions on what was heard: things without fields, fields without things, wishes; the general ones where nothing was."""
    things = _things(draft)
    wished = _on_wish(draft)
    what, which, who = _QUESTIONS["vague"]
    bare = [word for word, e in things if not e.fields]
    if bare:
        first: tuple[str, ...] = (_asked("fields", bare),)
    elif things:
        word, e = things[0]
        first = (_asked("more", [word], [_words(draft, f.evidence.spans, f.name) for f in e.fields.values()]),)
    elif loose := _loose(draft):
        first = (_asked("owner" if len(loose) == 1 else "owners", loose),)
    else:
        first = (what,) if wished else (what, which)
    return (*first, *wished, *((who,) if draft.access == "unstated" else ()))[:_MOST]


def _on_wish(draft: Draft) -> tuple[str, ...]:
    """A question on the first wish that cannot be built, or of which the text does not say what it is about."""
    wishes = [(span, "unsupported") for span in draft.unsupported]
    aimless = (cue for cue in draft.cues if not any(f.entity for fillers in cue.slots.values() for f in fillers))
    wishes += [(cue.evidence.spans[0], "wish") for cue in aimless if cue.evidence.spans]
    said = [(draft.text[a:b], kind) for (a, b), kind in sorted(wishes) if plain(draft.text[a:b])]
    return tuple(_filled(kind, quoted(text, _WORDS)) for text, kind in said[:1])


def _things(draft: Draft) -> list[tuple[str, DraftEntity]]:
    """The things that the model is sure to have heard, in the text's words."""
    sure = [e for e in draft.entities.values() if e.evidence.confidence >= LEAST_ENTITY]
    return [(_words(draft, e.evidence.spans, e.name), e) for e in sure]


def _word_of(name: str, draft: Draft) -> str:
    """The text's word for an entity of the blueprint."""
    said = draft.entities.get(name)
    return _words(draft, said.evidence.spans if said is not None else (), name)


def _words(draft: Draft, spans: Sequence[Span], name: str) -> str:
    """The text's words for what it names so; the name itself where the text has none."""
    return next((draft.text[a:b] for a, b in spans if plain(draft.text[a:b])), name.replace("_", " "))


def _loose(draft: Draft) -> list[str]:
    """Fields without a thing that say something, each once."""
    first: dict[str, str] = {}
    for word in (draft.text[a:b] for a, b in draft.loose):
        first.setdefault(plain(word).lower(), word)
    return [word for said, word in first.items() if said]


def _asked(kind: str, *quotations: Sequence[str]) -> str:
    """A question with lists of names in its places."""
    return _filled(kind, *(listed([quoted(name, _NAME_WORDS) for name in names[:_NAMES]]) for names in quotations))


def _filled(kind: str, *quotations: str) -> str:
    first, *rest = _QUOTING[kind].split("{}")
    return first + "".join(said + after for said, after in zip(quotations, rest, strict=True))


def notes_on(draft: Draft, blueprint: Blueprint | None, stands: Draft) -> tuple[str, ...]:
    """The choices that were made for the author, in plain sentences. ``stands`` is what of the draft stands in its blueprint."""
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
    notes += notes_on_mails(draft, blueprint, stands)
    notes += notes_on_uploads(draft, blueprint, stands)
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
