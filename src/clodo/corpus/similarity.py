"""How alike texts are: MinHash over shingles of words (Broder 1997).

Two texts are near-duplicates where they share a large part of their word five-grams. MinHash finds the
candidates; the exact overlap decides, so a finding is never an accident of hashing. What it does not
see: the same description in other words.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

Shingles = frozenset[tuple[str, ...]]
_WORDS = 5
_HASHES = 96
_BANDS = 32  # bands of three: a pair that shares a quarter of its shingles is met with 40 %, half with 98 %
_PRIME = (1 << 61) - 1


@dataclass(frozen=True)
class Twin:
    """Two texts, by their places in what was compared, and the share of shingles they have in common
    (Jaccard, 0 to 1)."""

    left: int
    right: int
    overlap: float


def shingles(text: str) -> Shingles:
    """The word five-grams of a text, case and punctuation apart; of a shorter text all its words."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    return frozenset(tuple(words[i : i + _WORDS]) for i in range(max(1, len(words) - _WORDS + 1)))


def overlap(a: Shingles, b: Shingles) -> float:
    """The Jaccard index of two sets of shingles."""
    return len(a & b) / max(1, len(a | b))


def twins(left: Sequence[str], right: Sequence[str], least: float = 0.3) -> list[Twin]:
    """The pairs of a left and a right text that overlap by ``least`` or more, the closest first."""
    ours, theirs = [shingles(t) for t in left], [shingles(t) for t in right]
    places: dict[tuple[int, bytes], list[int]] = {}
    for i, signature in enumerate(_signatures(ours)):
        for band, key in _bands(signature):
            places.setdefault((band, key), []).append(i)
    candidates = {
        (i, j)
        for j, signature in enumerate(_signatures(theirs))
        for band, key in _bands(signature)
        for i in places.get((band, key), ())
    }
    found = [Twin(i, j, overlap(ours[i], theirs[j])) for i, j in candidates]
    return sorted((t for t in found if t.overlap >= least), key=lambda t: -t.overlap)


def _signatures(sets: Iterable[Shingles]) -> list[np.ndarray]:
    rng = np.random.default_rng(20260901)
    a = rng.integers(1, 1 << 31, _HASHES, dtype=np.uint64)
    b = rng.integers(0, 1 << 31, _HASHES, dtype=np.uint64)
    out = []
    for s in sets:
        hashes = np.array([zlib.crc32(" ".join(x).encode()) for x in s], dtype=np.uint64)
        out.append(((hashes[:, None] * a + b) % np.uint64(_PRIME)).min(0))
    return out


def _bands(signature: np.ndarray) -> list[tuple[int, bytes]]:
    rows = _HASHES // _BANDS
    return [(i, signature[i * rows : (i + 1) * rows].tobytes()) for i in range(_BANDS)]
