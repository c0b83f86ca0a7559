"""Steps that are taken with a file, and uploads that are no steps. A file is uploaded by a request of its own, so that a step only asks that it
is there; where nothing but an upload is said ("the driver uploads the signed slip"), that request is all there is to it."""

from __future__ import annotations

from dataclasses import replace

from clodo.understand.cue_names import Names, Unsaid
from clodo.understand.draft import DraftCue
from clodo.understand.jobs import OUTCOMES, STEPS
from clodo.understand.verbs import uploads

#: The slots of an upload that is no step.
_ALONE = frozenset(["of", "set", "by"])


def is_upload(cue: DraftCue, names: Names) -> bool:
    """Whether a cue says that files of a row are uploaded, perhaps by whom, and nothing besides.

    Raises:
        Unsaid: it is not said of which rows.
    """
    told = {name for name, fillers in cue.slots.items() if fillers}
    files = cue.slots.get("set", [])
    if cue.kind != "action" or not files or told - _ALONE or not uploads(cue.words):
        return False
    return all(not f.words and names.file(f) is not None and names.entity(f) == names.about(cue) for f in files)


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
    if not any(made.slots.get(name) for name in OUTCOMES) and uploads(cue.words):
        raise Unsaid
    return made
