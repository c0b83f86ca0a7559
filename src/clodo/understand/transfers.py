"""Formats of files that go out or come in, as the words around a cue say them: "exported as CSV and NDJSON"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from clodo.understand.draft import DraftCue, Filler
from clodo.understand.nearby import before, behind

FORMAT = r"(?:csv|excel|spreadsheets?|ndjson|jsonl|json lines?)\b"
_LIST = rf"{FORMAT}(?:\s*(?:,|/|&|\+|,?\s*\b(?:and|or)\b(?:\s+as)?)\s*{FORMAT})*"
#: Formats right behind a cue, in a list that it begins.
GOES_ON = rf"\s*(?:,|/|&|\+|,?\s*\b(?:and|or)\b(?:\s+as)?)\s*({_LIST})"
#: Formats that it leads to.
LEADS_TO = rf"[^,:]{{0,40}}?\b(?:as|in|to|into|from|by|via|for)\s+(?:an?\s+)?({_LIST})"
FOLLOWED = rf"\s*:?\s*({_LIST})"
#: Formats right before it; of a list that it ends.
BEFORE = rf"\b({_LIST})\s*$"
ENDED = rf"\b({_LIST})\s*(?:,|/|&|\+|\b(?:and|or)\b)\s*$"
KINDS = ("export", "import")


def with_formats(cues: Sequence[DraftCue], text: str) -> list[DraftCue]:
    """The cues, those of files with all formats among their words. One that only names another format is part of the one before it."""
    ends = sorted(cue.evidence.spans[0] for cue in cues if cue.evidence.spans)
    out: list[DraftCue] = []
    for cue in cues:
        if cue.kind in KINDS:
            cue = replace(cue, words=" ".join([cue.words, *_formats(cue, text, ends)]))
            first = next((i for i, other in enumerate(out) if other.kind == cue.kind and _of(other) == _of(cue)), None)
            if first is not None:
                out[first] = replace(out[first], words=f"{out[first].words} {cue.words}")
                continue
        out.append(cue)
    return out


def _of(cue: DraftCue) -> set[Filler]:
    return set(cue.slots.get("of", []))


def _formats(cue: DraftCue, text: str, cues: Sequence[tuple[int, int]]) -> list[str]:
    """The formats that stand beside a cue, no further than the next one."""
    if not cue.evidence.spans:
        return []
    at = cue.evidence.spans[0]
    stop = min((start for start, _ in cues if start >= at[1]), default=len(text))
    start = max((end for _, end in cues if end <= at[0]), default=0)
    rest, front = behind(text, at)[: stop - at[1]], before(text[start:], (at[0] - start, at[1] - start))
    named = re.search(rf"\b{FORMAT}", cue.words.lower()) is not None
    found = [re.match(pattern, rest) for pattern in ([GOES_ON] if named else [FOLLOWED, LEADS_TO])]
    return [m[1] for m in (*found, re.search(ENDED if named else BEFORE, front)) if m]
