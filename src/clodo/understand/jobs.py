"""Steps that are done in the background, after the answer."""

from __future__ import annotations

from clodo.understand.draft import DraftCue

#: What a blueprint says of such a step, behind its name and with a space before it.
LATER = " later"
#: Kinds of cue that are steps on a row.
STEPS = ("action", "job")
#: Slots that say what a step does.
OUTCOMES = ("set", "unset", "to", "plus", "minus", "makes")


def later(cue: DraftCue) -> str:
    """The words of the language for when a step is done."""
    return LATER if cue.kind == "job" else ""
