"""Figures by mail: a schedule that mails the report which another cue of the text makes."""

from __future__ import annotations

from collections.abc import Iterator

from clodo.blueprint.text import quote
from clodo.understand.cue_conditions import SERVICE, Lines
from clodo.understand.cue_lines import lines_of
from clodo.understand.cue_names import Names, Unsaid
from clodo.understand.draft import Draft, DraftCue
from clodo.understand.periods import unit_of
from clodo.understand.times import times

#: Kinds of cue that reports are made of.
FIGURES = ("count", "sum", "average", "highest", "lowest")
#: Units of which a schedule has each.
UNITS = ("minute", "hour", "day", "week", "month", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def mailed(cue: DraftCue, draft: Draft, names: Names) -> Lines:
    """The schedule that a cue comes to.

    Raises:
        Unsaid: the text leaves open where to or when, or which of its figures is meant.
    """
    to = list(dict.fromkeys(f.words.strip("\"'“”‘’` <>.,") for f in cue.slots.get("n", []) if "@" in f.words))
    unit, found = unit_of(cue), list(dict.fromkeys(_reports(cue, draft, names)))
    if not to or unit not in UNITS or len(found) != 1:
        raise Unsaid
    work = [f"  mail report {found[0]} to {quote(one)}" for one in to]
    told = [f.words for f in cue.slots.get("per", []) if f.words]
    return Lines([(SERVICE, "\n".join([f"every {time} {{", *work, "}"])) for time in times(told, cue.words)])


def _reports(cue: DraftCue, draft: Draft, names: Names) -> Iterator[str]:
    """The names of the reports that may be meant: of the entity, and of the field where one is named."""
    about = {names.target(f) for f in cue.slots.get("of", []) if f.entity}
    fields = {(f.entity, f.field) for f in cue.slots.get("from", []) if f.field}
    for figure in draft.cues:
        if figure.kind not in FIGURES or fields - {(f.entity, f.field) for f in figure.slots.get("from", [])}:
            continue
        try:
            [(_, text)] = lines_of(figure, names).lines
        except Unsaid:
            continue
        head, source, *_ = text.split("\n")
        if not about or source.split()[1] in about:
            yield head.split()[1]
