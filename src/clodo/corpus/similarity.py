"""How alike texts are: the share of their word five-grams that they have in common (Broder 1997).

Every pair that has one in common is compared, by an index of them: none is missed, as a sketch such as MinHash would miss
some. What it does not see: the same description in other words.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Shingles = frozenset[tuple[str, ...]]
_WORDS = 5


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


def twins(left: Sequence[str], right: Sequence[str], least: float = 0.3, cut: Callable[[str], Shingles] = shingles) -> list[Twin]:
    """The pairs of a left and a right text, ``cut`` into shingles, that overlap by ``least`` or more (above 0), the closest first."""
    # The index is of the side that has fewer: it is what takes memory and time.
    turned = len(right) > len(left)
    few, many = (left, right) if turned else (right, left)
    sizes: list[int] = []
    places: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for i, text in enumerate(few):
        ours = cut(text)
        sizes.append(len(ours))
        for shingle in ours:
            places[shingle].append(i)
    found = []
    for j, text in enumerate(many):
        theirs = cut(text)
        shared = Counter(i for shingle in theirs for i in places.get(shingle, ()))
        for i, n in shared.items():
            share = n / (sizes[i] + len(theirs) - n)
            if share >= least:
                found.append(Twin(i, j, share) if turned else Twin(j, i, share))
    return sorted(found, key=lambda t: (-t.overlap, t.right, t.left))
