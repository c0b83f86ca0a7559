"""Steps that are done in the background, after the answer."""

from __future__ import annotations

from clodo.understand.draft import DraftCue, Span

#: What a blueprint says of such a step, behind its name and with a space before it; empty as long as it can say nothing of it, and
#: a step is one like any other.
LATER = ""
#: Kinds of cue that are steps on a row.
STEPS = ("action", "job")


def later(cue: DraftCue) -> str:
    """The words of the language for when a step is done."""
    return LATER if cue.kind == "job" else ""


def unsaid(cues: list[DraftCue]) -> list[Span]:
    """The words for what a blueprint cannot say: that it is done in the background."""
    return [span for cue in cues if cue.kind == "job" and not LATER for span in cue.evidence.spans[:1]]
