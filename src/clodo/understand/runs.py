"""Steps that are taken at times: a schedule runs the step of the text that it calls by its verb, with all that the step does and asks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from clodo.understand.ages import age_of
from clodo.understand.cue_conditions import Lines
from clodo.understand.cue_lines import lines_of
from clodo.understand.cue_names import Names, Unsaid
from clodo.understand.draft import Draft, DraftCue, Filler
from clodo.understand.jobs import STEPS
from clodo.understand.numbers import number
from clodo.understand.schedules import Run
from clodo.understand.steps import steps_apart
from clodo.understand.verbs import step_name

#: The head of an action, and what it sets fields of its own row to that leaves them so: a state, or a tick.
_HEAD = re.compile(r"action (\w+)")
_OUTCOME = re.compile(r'(?:^  set |, )(\w+) = ("[^"]*"|true|false)(?=,|$)', re.MULTILINE)


def scheduled(cue: DraftCue, draft: Draft, names: Names) -> Lines:
    """The schedule that a cue comes to.

    Raises:
        Unsaid: the text leaves open what a line would need, or has no step, or several, of a verb that the cue names.
    """
    return lines_of(cue, names, runs=[_run(words, cue, draft, names) for words in _verbs(cue)], age=partial(age_of, cue, draft))


def _verbs(cue: DraftCue) -> list[str]:
    """The words for steps: those in its slot ``n`` that are no number."""
    return [f.words for f in cue.slots.get("n", []) if f.words and number(f.words) is None]


def _run(words: str, cue: DraftCue, draft: Draft, names: Names) -> Run:
    found = list(dict.fromkeys(_meant(words, cue, draft, names)))
    if len(found) != 1:
        raise Unsaid
    return found[0]


def _meant(words: str, cue: DraftCue, draft: Draft, names: Names) -> Iterator[Run]:
    """The steps of that verb with the rows of the schedule; an outcome beside the verb tells those of one verb apart."""
    told = _told(cue)
    for step, apart, _ in steps_apart(draft.cues):
        if step.kind not in STEPS or step_name(step.words) != step_name(words):
            continue
        if told - _told(step) or names.about(step) != names.about(cue):
            continue
        for _, text in lines_of(step, names, apart=apart).lines:
            if (head := _HEAD.match(text)) is not None:
                yield Run(head[1], tuple(_OUTCOME.findall(text)))


def _told(cue: DraftCue) -> set[Filler]:
    """The states and ticks that a cue says rows have afterwards."""
    return {f for name in ("set", "unset") for f in cue.slots.get(name, [])}
