"""What to tell of mails that go to the administrator, who may not be whom the text means: of whom no address is known, in its words."""

from __future__ import annotations

from collections.abc import Iterator

from clodo.blueprint.values import Blueprint
from clodo.understand.compiler import entity_called, field_called
from clodo.understand.cue_names import Names, Unsaid
from clodo.understand.draft import Draft, DraftCue, Filler
from clodo.understand.quoting import around, listed, plain, quoted
from clodo.understand.receivers import receivers

#: With ``{}`` for what is quoted, and for the thing that the mail is about.
TOLD = {
    "somebody": "The service knows no e-mail address of {} for each {}, so the mail goes to the administrator. "
    "To reach them, describe an e-mail field, or name an address.",
    "field": "{} of each {} is no e-mail address, so the mail goes to the administrator. To reach them, describe an e-mail field, or name an address.",
    "nobody": "The text names no address for {}, so the mail goes to the administrator. To reach somebody else, describe an e-mail field, or name an address.",
}
#: How many words are quoted of whom a mail is for, and of a sentence that names nobody; and how many notes there are of each kind at most,
#: and sentences in one.
NAME_WORDS, WORDS, MOST = 3, 12, 3


def notes_on_mails(draft: Draft, blueprint: Blueprint, stands: Draft) -> Iterator[str]:
    """A note for each whose mails go to the administrator, and one for all mails of which the text names nobody who gets them. ``stands``
    is what of the draft stands in its blueprint."""
    names = Names(blueprint, entity_called, field_called, text=draft.text)
    told: dict[str, None] = {}
    unnamed: dict[str, None] = {}
    for cue in stands.cues:
        missing = _missing(cue, names) if cue.kind == "notify" else None
        for filler in missing or ():
            kind = "field" if filler.field else "somebody"
            quotation = quoted(_words(draft, cue, filler), NAME_WORDS)
            told[_filled(kind, quotation, names.about(cue).name.replace("_", " "))] = None
        if missing == () and plain(cue.words):
            unnamed[around(draft.text, cue.evidence.spans[0], WORDS)] = None
    yield from list(told)[:MOST]
    if unnamed:
        yield _filled("nobody", listed(list(unnamed)[:MOST]))


def _missing(cue: DraftCue, names: Names) -> tuple[Filler, ...] | None:
    """Whose mails go to the administrator; none where the text names nobody, and ``None`` where it says to whom all go."""
    try:
        found = receivers(cue, names, names.about(cue))
    except Unsaid:
        return None
    return found.missing if found.missing or not found.known else None


def _words(draft: Draft, cue: DraftCue, filler: Filler) -> str:
    """The words of the text for somebody: of several, those that stand next to the cue."""
    if filler.at is not None:
        return draft.text[slice(*filler.at)]
    e = draft.entities.get(filler.entity)
    evidence = e.fields[filler.field].evidence if e is not None and filler.field in e.fields else e.evidence if e is not None else None
    start, end = cue.evidence.spans[0]
    near = sorted(evidence.spans if evidence is not None else [], key=lambda s: (max(s[0] - end, start - s[1]), s))
    name = filler.role or filler.field or filler.entity
    return next((draft.text[a:b] for a, b in near if plain(draft.text[a:b])), name.replace("_", " "))


def _filled(kind: str, *said: str) -> str:
    first, *rest = TOLD[kind].split("{}")
    return first + "".join(one + after for one, after in zip(said, rest, strict=True))
