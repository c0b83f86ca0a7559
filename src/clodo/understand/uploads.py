"""Steps that are taken with a file. A file is uploaded by a request of its own, so that the step only asks that it is there."""

from __future__ import annotations

from dataclasses import replace

from clodo.understand.cue_names import Names, Unsaid
from clodo.understand.draft import DraftCue
from clodo.understand.jobs import OUTCOMES, STEPS
from clodo.understand.verbs import lock_of, makes_rows


def with_uploads(cue: DraftCue, names: Names) -> DraftCue:
    """The cue with the files that are given with a step among its conditions.

    Raises:
        Unsaid: the step does nothing besides, and its verb may be what is done with the file itself ("changes the photo").
    """
    given = cue.slots.get("set", [])
    files = [f for f in given if not f.words and names.file(f) is not None]
    if cue.kind not in STEPS or not files:
        return cue
    made = replace(cue, slots={**cue.slots, "set": [f for f in given if f not in files], "when": [*cue.slots.get("when", []), *files]})
    if not any(made.slots.get(name) for name in OUTCOMES) and (lock_of(cue.words, mild=True)[0] or makes_rows(cue.words)):
        raise Unsaid
    return made
