"""How much of the corpus a model without mistakes would get right: marks → scores → draft → blueprint.

What is lost here is lost by the labels, the decoding or the compiler, and no training brings it back.
``python -m clodo.training.ceiling [valid|train]`` prints the share and each difference.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clodo.corpus.format import Record
from clodo.corpus.splits import load_split
from clodo.evaluation.cases import from_records
from clodo.evaluation.scoring import Score, meaning
from clodo.training.examples import Example, example
from clodo.understand import labels as L
from clodo.understand.compiler import compile_draft
from clodo.understand.decoding import LinkScores, TextScores, decode
from clodo.understand.draft import Draft
from clodo.understand.reading import known_words, load_tokenizer
from clodo.understand.spelling import Speller

_SURE = 10.0
_INDEX = {label: i for i, label in enumerate(L.PAIRS)}

Array = NDArray[Any]


def perfect_draft(e: Example, spell: Speller) -> Draft:
    """The draft of a model that takes every decision of the example.

    Raises:
        ValueError: the marks of the example do not come back as mentions.
    """
    wanted = [tuple(s) for s in e.spans]

    def link(spans: list[tuple[int, int]], kinds: list[int], features: Array) -> LinkScores:
        if [tuple(s) for s in spans] != wanted:
            raise ValueError("other mentions than the marks")
        return _link_scores(e)

    return decode(e.reading, _text_scores(e), link, spell)


def differences(records: Iterable[Record], tokenizer: Any) -> dict[str, list[str]]:
    """By id of each record that is not right as a whole: what is wrong."""
    spell = Speller(known_words(tokenizer))
    out: dict[str, list[str]] = {}
    for record in records:
        if record.verdict:
            continue
        wanted = from_records([record])[0].meaning
        assert wanted is not None
        try:
            said, _ = compile_draft(perfect_draft(example(record, tokenizer), spell))
        except ValueError as error:
            out[record.id] = [str(error)]
            continue
        faults = Score().add(meaning(said), wanted) if said is not None else ["nothing is left"]
        if faults:
            out[record.id] = faults
    return out


def _text_scores(e: Example) -> TextScores:
    words = len(e.reading.words)
    tags = np.full((words, len(L.TAGS)), -_SURE, np.float32)
    tags[np.arange(words), np.maximum(e.tags, 0)] = _SURE
    access, verdict, service = (_one(len(n), int(i)) for n, i in zip((L.ACCESS, L.VERDICTS, L.SERVICE_TYPES), e.whole, strict=True))
    return TextScores(tags, access, verdict, service, np.zeros(words, np.float32))


def _one(count: int, at: int) -> Array:
    out = np.full(count, -_SURE, np.float32)
    out[at] = _SURE
    return out


def _link_scores(e: Example) -> LinkScores:
    n = len(e.spans)
    pairs = np.full((n, n, len(L.PAIRS)), -_SURE, np.float32)
    single: dict[str, Array] = {
        name: np.full((n, count), -_SURE, np.float32)
        for name, count in (("types", len(L.CLASSES)), ("field", len(L.FIELD_FLAGS)), ("entity", len(L.ENTITY_FLAGS)))
    }
    fields, entities = _members(e.in_field), _members(e.in_entity)

    def say(rows: Array, columns: Array, label: str) -> None:
        pairs[np.ix_(rows, columns, np.array([_INDEX[label]]))] = _SURE

    for i, owner in zip(*np.nonzero(e.owners), strict=True):
        say(np.array([i]), entities[owner], "owner")
    for f, members in enumerate(fields):
        single["types"][members, e.types[f]] = _SURE
        single["field"][np.ix_(members, np.flatnonzero(e.field_flags[f]))] = _SURE
        if e.targets[f] >= 0:
            say(members, entities[e.targets[f]], "target")
            for k in np.flatnonzero(e.target_flags[f]):
                say(members, entities[e.targets[f]], f"ref-{L.REFERENCE_FLAGS[k]}")
        for i in np.flatnonzero(e.values[:, f]):
            say(np.array([i]), members, f"value-{L.VALUE_ROLES[e.values[i, f] - 1]}")
    for a, members in enumerate(entities):
        single["entity"][np.ix_(members, np.flatnonzero(e.entity_flags[a]))] = _SURE
        for i, k in zip(*np.nonzero(e.roles[:, a]), strict=True):
            say(np.flatnonzero(e.in_role[i]), members, ("role-read", "role-write")[k])
        for b in np.flatnonzero(e.relations[a]):
            say(members, entities[b], ("belongs", "many")[e.relations[a, b] - 1])
            for k in np.flatnonzero(e.relation_flags[a, b]):
                say(members, entities[b], f"ref-{L.REFERENCE_FLAGS[k]}")
    for i in np.flatnonzero(e.cues >= 0):
        single["types"][i, e.cues[i]] = _SURE
    groups = [*entities, *fields, *(np.array([i]) for i in range(n))]
    for i, j, k in zip(*np.nonzero(e.slots == 1), strict=True):
        say(np.array([i]), groups[j], f"cue-{L.SLOTS[k]}")
    states = _members(e.states)
    for a, b in zip(*np.nonzero(e.steps == 1), strict=True):
        say(states[a], states[b], "next")
    for surfaces, alias in ((e.surfaces, e.alias), (e.field_surfaces, e.field_alias)):
        groups = _members(surfaces)
        for a, b in zip(*np.nonzero(alias == 1), strict=True):
            say(groups[a], groups[b], "alias")
    both = [*fields, *entities]
    for a, b in zip(*np.nonzero(e.together), strict=True):
        say(both[a], both[b], "together")
    return LinkScores(pairs, single["types"], single["field"], single["entity"])


def _members(membership: Array) -> list[Array]:
    return [np.flatnonzero(row) for row in membership]


def main() -> None:
    """The command."""
    records = load_split(sys.argv[1] if len(sys.argv) > 1 else "valid")
    found = differences(records, load_tokenizer(Path(__file__).parents[1] / "models" / "clodo-1"))
    for id, faults in found.items():
        print(id, *faults[:4], sep="  ")
    clear = sum(not r.verdict for r in records)
    print(f"{clear - len(found)} of {clear} records come back whole: {1 - len(found) / max(1, clear):.1%}")


if __name__ == "__main__":
    main()
