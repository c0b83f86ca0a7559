"""Steps of one verb: one that is said twice is one step, and several of one verb are told apart by their outcomes.

What is said of one step in several places is one step as well, with all of its conditions: "managers approve claims … directors approve
those over 1,000". A word that is no verb of its own says more of the step that it stands for, or beside: "claims over 500 *need* an admin",
"*never* their own".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from clodo.understand.creators import says_who_creates
from clodo.understand.deleters import says_who_deletes
from clodo.understand.draft import DraftCue, Filler, Span
from clodo.understand.jobs import OUTCOMES, STEPS
from clodo.understand.locks import has_outcome
from clodo.understand.verbs import step_name, uploads

#: Words that name no step: they stand for one, or beside one.
ASIDE = frozenset(
    ["need", "needs", "needed", "require", "requires", "required", "do", "does", "done", "must", "has", "have", "to", "may", "can", "could", "be", "is", "are", "it", "so", "at",
     "least", "most", "more", "less", "than", "over", "above", "beyond", "below", "under", "up", "only", "never", "not", "cannot", "no", "nobody", "nor", "and", "or", "but", "except",
     "unless", "without", "own", "their", "his", "her", "its", "else", "other", "others", "also", "too", "by", "with", "if", "when"]
)  # fmt: skip


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
    once, said = _joined(once, said)
    named = Counter(_name(cue) for cue in once if cue.kind in STEPS)
    return [(cue, cue.kind in STEPS and named[_name(cue)] > 1, spans) for cue, spans in zip(once, said, strict=True)]


def _joined(cues: list[DraftCue], said: list[tuple[Span, ...]]) -> tuple[list[DraftCue], list[tuple[Span, ...]]]:
    """The cues with those that say more of a step within it. The step is the first of them that has an outcome, else the first."""
    wholes: list[list[int]] = []
    for i, cue in enumerate(cues):
        whole = next((w for w in wholes if _is_one(cues[w[0]], cue) and all(_agree(cues[j], cue) for j in w)), None) if not _is_aside(cue) else None
        if whole is None:
            wholes.append([i])
        else:
            whole.append(i)
    for whole in [w for w in wholes if _is_aside(cues[w[0]])]:
        beside = _beside(cues, whole[0], [w for w in wholes if w is not whole and not _is_aside(cues[w[0]])])
        if beside is not None:
            wholes.remove(whole)
            beside += whole
    out: list[DraftCue] = []
    spans: list[tuple[Span, ...]] = []
    for whole in wholes:
        parts = [cues[i] for i in sorted(whole)]
        first = next((cue for cue in parts if not _is_aside(cue) and has_outcome(cue)), cues[whole[0]])
        out.append(replace(first, further=tuple(cue for cue in parts if cue is not first)))
        spans.append(tuple(span for i in sorted(whole) for span in said[i]))
    return out, spans


def _beside(cues: list[DraftCue], i: int, wholes: list[list[int]]) -> list[int] | None:
    """The step that a word stands for or beside: the last one in front of it, else the first one behind it."""
    fine = [w for w in wholes if _can_be_joined(cues[w[0]]) and _entity(cues[w[0]]) == _entity(cues[i]) and all(_agree(cues[j], cues[i]) for j in w)]
    said = [(_start(cues[j]), w) for w in fine for j in w]
    ahead = [one for one in said if one[0] < _start(cues[i])]
    found = max(ahead, key=lambda one: one[0], default=min(said, key=lambda one: one[0], default=None))
    return found[1] if found is not None else None


def _is_aside(cue: DraftCue) -> bool:
    said = re.findall("[a-z]+", cue.words.lower())
    return cue.kind in STEPS and bool(said) and ASIDE.issuperset(said) and bool(_entity(cue))


def _is_one(a: DraftCue, b: DraftCue) -> bool:
    """Whether two cues speak of one step, and neither is a rule on changing, adding or deleting rows, or an upload."""
    return a.kind == b.kind and _name(a) == _name(b) and _can_be_joined(a) and _can_be_joined(b)


def _can_be_joined(cue: DraftCue) -> bool:
    if cue.kind not in STEPS or says_who_creates(cue) or says_who_deletes(cue):
        return False
    return any(f.words for f in cue.slots.get("set", [])) or not uploads(cue.words)


def _agree(a: DraftCue, b: DraftCue) -> bool:
    """Whether two cues lead to the same, as far as they say to what."""
    ours, theirs = ({(name, f) for name in OUTCOMES for f in cue.slots.get(name, [])} for cue in (a, b))
    return not ours or not theirs or ours == theirs


def _entity(cue: DraftCue) -> str:
    return next((f.entity for f in cue.slots.get("of", [Filler()])), "")


def _start(cue: DraftCue) -> int:
    return cue.evidence.spans[0][0] if cue.evidence.spans else 0


def _name(cue: DraftCue) -> tuple[object, ...]:
    return step_name(cue.words), *(f.entity for f in cue.slots.get("of", []))


def _is_again(a: DraftCue, b: DraftCue) -> bool:
    """Whether two cues say one step, whoever may take it."""
    if a.kind not in STEPS or a.kind != b.kind or _name(a) != _name(b):
        return False
    return all(set(a.slots.get(slot, [])) == set(b.slots.get(slot, [])) for slot in {*a.slots, *b.slots} - {"by"})
