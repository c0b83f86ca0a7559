"""Steps of one verb: one that is said twice is one step, and several of one verb are told apart by their outcomes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from clodo.understand.draft import DraftCue, Span
from clodo.understand.jobs import STEPS
from clodo.understand.verbs import step_name


def steps_apart(cues: Iterable[DraftCue]) -> list[tuple[DraftCue, bool, tuple[Span, ...]]]:
    """The cues, a step that is said again joined to the first ("drivers close runs … planners close them, too"), whether
    another step has the verb and the entity of one ("mark as signed", "mark as posted"), and the own words of all that are joined."""
    once: list[DraftCue] = []
    said: list[tuple[Span, ...]] = []
    for cue in cues:
        first = next((i for i, other in enumerate(once) if _is_again(other, cue)), None)
        if first is None:
            once.append(cue)
            said.append(tuple(cue.evidence.spans[:1]))
            continue
        said[first] += tuple(cue.evidence.spans[:1])
        roles = [*once[first].slots.get("by", []), *cue.slots.get("by", [])]
        once[first] = replace(once[first], slots={**once[first].slots, **({"by": list(dict.fromkeys(roles))} if roles else {})})
    named = Counter(_name(cue) for cue in once if cue.kind in STEPS)
    return [(cue, cue.kind in STEPS and named[_name(cue)] > 1, spans) for cue, spans in zip(once, said, strict=True)]


def _name(cue: DraftCue) -> tuple[object, ...]:
    return step_name(cue.words), *(f.entity for f in cue.slots.get("of", []))


def _is_again(a: DraftCue, b: DraftCue) -> bool:
    """Whether two cues say one step, whoever may take it."""
    if a.kind not in STEPS or a.kind != b.kind or _name(a) != _name(b):
        return False
    return all(set(a.slots.get(slot, [])) == set(b.slots.get(slot, [])) for slot in {*a.slots, *b.slots} - {"by"})
