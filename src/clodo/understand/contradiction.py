"""The sentence by which a text contradicts itself, as the model's verdict has it.

Each sentence is left out in turn, and the rest is judged again: the one without which the verdict goes furthest from
contradictory towards clear is it. Of 53 validation texts of several sentences that the model finds contradictory 50 have it in
one of the two that exclude each other. The second of them is found in about half, by whatever was tried, so only one is told.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from clodo.understand.draft import Span
from clodo.understand.labels import VERDICTS
from clodo.understand.reading import Reading

#: The most word pieces that are read for it, in all: of longer texts no sentence is told.
MOST_READ = 4_000

#: Pieces of a text → the scores of its verdicts.
Judge = Callable[[list[int]], NDArray[np.float32]]


def clashing(reading: Reading, judge: Judge) -> Span | None:
    """The characters of the sentence, or ``None`` where none stands out. Where there is but one it is that."""
    sentences = _sentences(reading)
    if len(sentences) == 1:
        return _characters(reading, sentences[0])
    if not sentences or len(sentences) * len(reading.pieces) > MOST_READ:
        return None
    whole = _leaning(judge(reading.pieces))
    gains = [whole - _leaning(judge(_without(reading, s))) for s in sentences]
    best = int(np.argmax(gains))
    return _characters(reading, sentences[best]) if gains[best] > 0 else None


def _leaning(verdict: NDArray[np.float32]) -> float:
    """How far a verdict is from clear towards contradictory."""
    return float(verdict[VERDICTS.index("contradictory")]) - float(verdict[VERDICTS.index("clear")])


def _sentences(reading: Reading) -> list[Span]:
    """The first and last word of each sentence that says something."""
    runs: dict[int, list[int]] = {}
    for word, sentence in enumerate(reading.sentences):
        runs.setdefault(sentence, []).append(word)
    spans = [(words[0], words[-1]) for words in runs.values()]
    return [s for s in spans if any(c.isalpha() for c in reading.surface(*s))]


def _without(reading: Reading, sentence: Span) -> list[int]:
    return reading.pieces[: reading.first[sentence[0]]] + reading.pieces[reading.last[sentence[1]] + 1 :]


def _characters(reading: Reading, sentence: Span) -> Span:
    return reading.words[sentence[0]][0], reading.words[sentence[1]][1]
