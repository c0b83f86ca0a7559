"""What no part of the blueprint accounts for: numbers, in digits or words, quoted words, values and cues of rules.

They are shown, never silently dropped, but where the model is sure that they are chatter ("we are 12 people"). A value that it
heard and of which nothing was made is shown whatever it says. A cue is a word that mostly stands for a rule; it is accounted for
where a rule of its kind was understood from its own sentence or the one before. Cues only hold the
model's reading against the text: no rule is ever made from one.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from clodo.understand.draft import Draft
from clodo.understand.draft import Span as Stretch
from clodo.understand.numbers import COUNTS
from clodo.understand.port import Span

#: How sure the model must be that words are chatter for them to need no explanation (0 to 1); what is quoted hardly ever is. Set on
#: validation texts, so that one in twenty of those that are understood rightly has something shown.
LEAST_CHATTER, LEAST_QUOTED = 0.35, 0.9

_FIGURE = re.compile(r"(?<![\w.])\d[\d.,]*(?:%|\b)")
_QUOTED = re.compile(r"\"[^\"\n]{1,60}\"|“[^”\n]{1,60}”|«[^»\n]{1,60}»|(?<!\w)[‘'][^\s'’][^'’\n]{0,58}['’](?!\w)")
#: Numbers in words: where no model says which words are chatter they are not looked at.
_WORDED = re.compile(rf"\b(?:{'|'.join(COUNTS)})(?:[ -](?:{'|'.join(COUNTS)}))*\b", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?;](?=\s)|\n")

#: Kind of rule → words that mostly stand for it.
_CUES = {
    "unique": r"unique|uniqueness|duplicates?|twice",
    "required": r"required|mandatory|compulsory|obligatory",
    "default": r"defaults?(?: to)?|by default",
    "bound": r"at least|at most|no more than|not more than|maximum|minimum|max|min|negative",
    "search": r"search(?:able|ed|es)?",
    "deletion": r"delet(?:e|es|ed|ing)|cascad(?:e|es|ing)",
}
_PATTERNS = {kind: re.compile(rf"\b(?:{words})\b", re.IGNORECASE) for kind, words in _CUES.items()}
#: "Create, edit or delete" speaks of no rule of deletion: that is what every service does with its rows.
_EVERYDAY = re.compile(
    r"\b(?:create|add|read|list|view|edit|change|update|modify)(?:,? (?:and|or|nor) |, ?| ?[/+&] ?)delete\b"
    r"|\bdelete(?:,? (?:and|or|nor) |, ?| ?[/+&] ?)(?:create|add|read|list|view|edit|change|update|modify)\b",
    re.IGNORECASE,
)
_BOUNDS = frozenset(["min", "max", "xmin", "xmax", "minlen", "maxlen", "len"])
_FLAGS = {"unique": "unique", "required": "required", "optional": "required", "search": "search"}
_RIGHT = "right"
_DELETION = frozenset(["cascade", "restrict", "setnull"])


def unexplained(draft: Draft | None, text: str, spans: Sequence[Span], read_to: int) -> list[Stretch]:
    """The stretches that nothing accounts for; all of the text behind ``read_to`` is one of them.
    ``draft`` is what stands in the blueprint. Without one, which knows what each rule rests on, cues are not looked at."""
    quoted = [m.span() for m in _QUOTED.finditer(text)]
    # What stands within quotation marks is one with them.
    found = [s for s in _figures(text) if not any(meet(s, other) for other in quoted)]
    if draft is not None:
        found += [*(m.span() for m in _WORDED.finditer(text)), *_cues(draft, text, spans)]
        found = [s for s in found if _chatter(draft, s) < LEAST_CHATTER]
        quoted = [s for s in quoted if _chatter(draft, s) < LEAST_QUOTED]
    found = [s for s in (*found, *quoted) if s[1] <= read_to and not _covered(s, spans)]
    if draft is not None:
        found += [s for s in draft.heard if not _covered(s, spans) and not any(meet(s, other) for other in found)]
    if read_to < len(text.rstrip()):
        found.append((read_to, len(text.rstrip())))
    return found


def _chatter(draft: Draft, stretch: Stretch) -> float:
    """How sure the model is that all of a stretch is chatter; 0 where it says nothing of it."""
    return min((p for word, p in draft.chatter if meet(stretch, word)), default=0.0)


def _figures(text: str) -> Iterator[Stretch]:
    for m in _FIGURE.finditer(text):
        start, end = m.start(), m.end()
        while end > start and text[end - 1] in ".,":
            end -= 1
        yield start, end


def _covered(stretch: Stretch, spans: Sequence[Span]) -> bool:
    return any(meet(stretch, (s.start, s.end)) and s.role != "access" for s in spans)


def meet(one: Stretch, other: Stretch) -> bool:
    """Whether two stretches share a character."""
    return one[0] < other[1] and one[1] > other[0]


def _cues(draft: Draft, text: str, spans: Sequence[Span]) -> Iterator[Stretch]:
    ends = [m.end() for m in _SENTENCE_END.finditer(text)]
    known: dict[str, set[int]] = {kind: set() for kind in (*_CUES, _RIGHT)}
    for kind, stretch in _rules(draft):
        known[kind].add(bisect_right(ends, stretch[0]))
    everyday = [m.span() for m in _EVERYDAY.finditer(text)]
    for kind, pattern in _PATTERNS.items():
        for m in pattern.finditer(text):
            sentence = bisect_right(ends, m.start())
            near = {sentence - 1, sentence, sentence + 1}
            # "Admins may delete any" was understood where a right was.
            heard = known[kind] | (known[_RIGHT] if m[0].lower() == "delete" else set())
            if any(a <= m.start() < b for a, b in everyday):
                continue
            if not near & heard and not _covered(m.span(), spans):
                yield m.span()


def _rules(draft: Draft) -> Iterator[tuple[str, Stretch]]:
    """Every rule that was understood, by kind, at each stretch of the text that it rests on."""
    for e in draft.entities.values():
        if "softdelete" in e.flags:
            yield from (("deletion", s) for s in e.evidence.spans)
        if e.write_roles or e.flags & {"own", "own-write"}:
            yield from ((_RIGHT, s) for s in e.evidence.spans)
        together = {name for group in e.together for name in group}
        for f in e.fields.values():
            kinds = {_FLAGS[flag] for flag in f.flags if flag in _FLAGS}
            kinds |= {"unique"} if f.name in together else set()
            kinds |= {"deletion"} if f.reference_flags & _DELETION else set()
            yield from ((kind, s) for kind in kinds for s in f.evidence.spans)
            for v in f.values:
                kind = "bound" if v.role in _BOUNDS else "default" if "def" in v.role else ""
                if kind:
                    yield from ((kind, s) for s in v.evidence.spans)
    for r in draft.relations:
        spans = [s for n in (r.source, r.target) for s in draft.entities[n].evidence.spans]
        if r.flags & _DELETION:
            yield from (("deletion", s) for s in spans)
        if r.flags & {"required", "optional"}:
            yield from (("required", s) for s in spans)
        if "one" in r.flags:
            yield from (("unique", s) for s in spans)
