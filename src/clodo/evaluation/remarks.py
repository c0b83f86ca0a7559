"""Whether what a blueprint lacks is shown in the text, and whether only that is: how far the remarks of a model can be trusted.

A record of the corpus knows the words of each of its values and wishes. Of a text that is right as a whole every remark is
false, but for words that no blueprint can say. Of the others each value or wish that the blueprint lacks should carry one;
what is there but wrong cannot.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from clodo.corpus.format import Record
from clodo.corpus.gold import gold_draft
from clodo.evaluation.scoring import Fact, Meaning, Score, aligned, meaning, renames
from clodo.understand.choices import choice
from clodo.understand.compiler import compile_draft
from clodo.understand.coverage import meet
from clodo.understand.draft import Draft
from clodo.understand.draft import Span as Stretch
from clodo.understand.numbers import number
from clodo.understand.port import Understanding

#: Roles of spans that tell of something that is not in the blueprint.
REMARKS = ("unexplained", "unsupported")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_QUOTED = re.compile(r'"([^"]+)"')


@dataclass
class Remarks:
    """Counts over texts. ``right``: texts without a fault; ``disturbed``: those of them with a false remark; ``lacking``: texts
    that lack a value or a wish; ``told``: those of them that show all of it; ``lost`` and ``shown``: the same by value and wish."""

    right: int = 0
    disturbed: int = 0
    lacking: int = 0
    told: int = 0
    lost: int = 0
    shown: int = 0

    def to_json(self) -> dict[str, float]:
        """The counts and their shares; a share of nothing is left out."""
        shares = {"false": (self.disturbed, self.right), "told_texts": (self.told, self.lacking), "shown_parts": (self.shown, self.lost)}
        return {**vars(self), **{name: round(some / of, 4) for name, (some, of) in shares.items() if of}}


def remarks(understand: Callable[[str], Understanding], records: Iterable[Record], tell: Callable[[Record, str, list[str]], None] | None = None) -> Remarks:
    """How the remarks of a model fare on some records. ``tell`` is told of each text with a false remark (``false``) and of each
    that lacks something in silence (``silent``), with the words."""
    counts = Remarks()
    for record in records:
        if record.verdict:
            continue
        found = understand(record.text)
        if found.blueprint is None:
            continue  # it asks, and so is not silent
        gold = gold_draft(record)
        blueprint, left = compile_draft(gold)
        assert blueprint is not None
        wanted, said = meaning(blueprint), meaning(found.blueprint)
        wanted.access = record.access and wanted.access
        shown = [(s.start, s.end) for s in found.spans if s.role in REMARKS]
        words = record.text
        if not Score().add(said, wanted):
            counts.right += 1
            false = [words[a:b] for a, b in shown if not any(meet((a, b), s) for s in (*gold.unsupported, *left))]
            counts.disturbed += bool(false)
            if false and tell is not None:
                tell(record, "false", false)
            continue
        lost = list(_lost(record, gold, said, wanted))
        silent = [places for places in lost if not any(meet(p, s) for p in places for s in shown)]
        counts.lost += len(lost)
        counts.shown += len(lost) - len(silent)
        counts.lacking += bool(lost)
        counts.told += bool(lost) and not silent
        if silent and tell is not None:
            tell(record, "silent", [" … ".join(words[a:b] for a, b in places) for places in silent])
    return counts


def _lost(record: Record, gold: Draft, said: Meaning, wanted: Meaning) -> Iterator[list[Stretch]]:
    """The places of each value and wish of a record of which a blueprint has nothing at all; any of them may show it. What is
    there elsewhere, or said otherwise, is understood wrongly, and not lost."""
    said = aligned(said, renames(said, wanted))
    missing = (wanted.constraints - said.constraints) | (wanted.parts - said.parts)
    instead = {fact[:2] for fact in said.parts - wanted.parts}
    known = {w for fact in (*said.constraints, *said.parts) for w in _contents(fact)}
    for mark in record.marks:
        if mark.kind == "value" and mark.field and mark.role:
            words = mark.constant or record.text[mark.start : mark.end]
            facts = _facts_of(gold, _without_value(gold, mark.entity, mark.field, mark.role, words), wanted)
            if facts & missing and not {w for fact in facts for w in _contents(fact)} & _meant(words) <= known:
                yield [(mark.start, mark.end)]
    for cue in gold.cues:
        facts = _facts_of(gold, replace(gold, cues=[c for c in gold.cues if c is not cue]), wanted) & missing
        if not facts:
            continue
        fillers = [f for some in cue.slots.values() for f in some if f.at is not None and f.words]
        if not {fact[:2] for fact in facts} & instead:
            yield [cue.evidence.spans[0], *(f.at for f in fillers if f.at is not None)]
            continue
        contents = {w for fact in facts for w in _contents(fact)}
        for filler in fillers:
            if filler.at is not None and not contents & _meant(filler.words) <= known:
                yield [filler.at]


def _contents(fact: Fact) -> set[str]:
    """The numbers and values that a fact holds, as strings."""
    held = [w for x in fact[2:] for w in (x if isinstance(x, tuple) else (x,))]
    return {str(w).lower() for w in held} | set(_NUMBER.findall(" ".join(map(str, held)))) | set(_QUOTED.findall(" ".join(map(str, held)).lower()))


def _meant(words: str) -> set[str]:
    """What a fact may hold of some words of the text."""
    value = number(words)
    return {choice(words), words.lower().strip("\"'“”‘’ "), *([f"{value.normalize():f}"] if value is not None else [])}


def _without_value(draft: Draft, entity: str, field: str, role: str, words: str) -> Draft:
    e = draft.entities[entity]
    f = e.fields[field]
    rest = [v for v in f.values if (v.role, v.words) != (role, words)]
    return replace(draft, entities={**draft.entities, entity: replace(e, fields={**e.fields, field: replace(f, values=rest)})})


def _facts_of(draft: Draft, without: Draft, wanted: Meaning) -> set[Fact]:
    """The facts that a draft says and one without a part of it does not."""
    rest, _ = compile_draft(without)
    if rest is None:
        return wanted.constraints | wanted.parts
    other = meaning(rest)
    return (wanted.constraints - other.constraints) | (wanted.parts - other.parts)
