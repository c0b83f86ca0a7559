"""Slips of the pen in names: ``custmer nmae`` → ``customer name``.

A word that nobody writes, one slip away from a word that names things, is that word. Which words name
something stays the model's decision; here only their spelling is mended, and what was mended is told.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Container
from functools import cache, lru_cache
from importlib.resources import files
from itertools import accumulate, chain
from typing import Any

from clodo.understand.naming import ABBREVIATIONS, singular

_LEAST = 3
RARE = 1e-7
_MUCH_USED = 60

#: Letters that are heard alike: one for the other costs half a slip.
_ALIKE = frozenset(
    frozenset(p)
    for p in ("ck", "cs", "sz", "iy", "fv", "dt", "gj", "qk", "ie", "ea", "ou", "ai", "ei", "ay", "oa", "uw", "bp", "mn")
)
_VOWELS = frozenset("aeiouy")

#: Mends the words of a phrase.
Spell = Callable[[str], str]


@cache
def name_words() -> dict[str, int]:
    """Words that names of entities and fields are made of, and how many names have them (``names.txt``, written
    by ``clodo.training.lexicon``)."""
    text = files("clodo.understand").joinpath("names.txt").read_text("utf-8")
    return {word: int(count) for word, count in (line.split() for line in text.splitlines())}


class Speller:
    """Mends names, given the words of the language (``known``, lower case)."""

    def __init__(self, known: Container[str]) -> None:
        self._words = known
        self.mended: dict[str, str] = {}

    def __call__(self, phrase: str) -> str:
        """The phrase with its slips mended; ``mended`` keeps what was changed."""
        return re.sub(r"[A-Za-z]+", lambda m: self._word(m[0]), phrase)

    def _known(self, word: str) -> bool:
        if word in ABBREVIATIONS or name_words().get(word, 0) > (2 if len(word) == _LEAST else 0):
            return True
        used = usage(word)
        # Of what the dictionary lists, rare words are mostly slips ("oder"); what it does not list
        # may still be a word of the trade ("isbn").
        rare = 50 * RARE if len(word) == _LEAST else RARE
        return used > rare if used else word in self._words

    def _derived(self, word: str) -> bool:
        """Whether the word is made from one that is known: ``inviter``, ``mouldy``."""
        stems = {word.removesuffix(e) for e in ("er", "ee", "or", "y")} | {word.removesuffix("r")} - {word}
        return any(len(stem) > _LEAST and self._known(stem) for stem in stems)

    def _word(self, word: str) -> str:
        lower = word.lower()
        if len(word) < _LEAST or word not in (lower, lower.capitalize()) or self._known(lower):
            return word
        if lower.endswith("s") and self._known(singular(lower)):
            return word
        single = nearest(lower[:-1]) if lower.endswith("s") and not lower.endswith("ss") else None
        found = f"{single}s" if single else nearest(lower)
        # Three letters are mostly some abbreviation, and a derived word mostly means what it says.
        doubtful = len(word) == _LEAST or self._derived(lower)
        if found is None or (doubtful and name_words().get(found, 0) < _MUCH_USED):
            return word
        self.mended[lower] = found
        return found


@cache
def _dictionary() -> Any:
    from spellchecker import SpellChecker

    return SpellChecker(distance=1).word_frequency


def usage(word: str) -> float:
    """How often a word is used, as a share of all words; 0 where the dictionary does not list it."""
    found = _dictionary()
    return float(found[word]) / float(found.total_words)


def load() -> None:
    """Loads the dictionary, so that the first name takes no longer than the next."""
    _dictionary()


@lru_cache(maxsize=2**13)
def nearest(word: str) -> str | None:
    """The name word that the word most likely stands for: few and small slips away, and much used;
    ``None`` where nothing is near, or two are as likely."""
    limit = 1.0 if len(word) < 6 else 1.6
    letters, found = _letters(word), []
    apart = 3 if limit == 1.0 else 5
    for name, count, theirs in chain.from_iterable(_shapes().get(len(word) + more, ()) for more in range(-2, 3)):
        # A slip changes two letters of the set at most.
        if (letters ^ theirs).bit_count() <= apart and (len(name) > 3 or len(word) > 3):
            cost = slips(word, name, limit)
            # Two slips in a word are believed only where the word meant is a common one.
            if cost <= (limit if count >= _MUCH_USED else 1.0):
                found.append((cost - 0.16 * math.log(count), name))
    found.sort()
    if not found or (len(found) > 1 and found[1][0] - found[0][0] < 0.03):
        return None
    return found[0][1]


@cache
def _shapes() -> dict[int, list[tuple[str, int, int]]]:
    """By how long they are, the words of names, how many have them, and their letters."""
    found: dict[int, list[tuple[str, int, int]]] = {}
    for name, count in name_words().items():
        found.setdefault(len(name), []).append((name, count, _letters(name)))
    return found


def _letters(word: str) -> int:
    """The set of a word's letters, as bits."""
    return sum(1 << (ord(c) - 97) for c in set(word.lower()) if "a" <= c <= "z")


def slips(typed: str, meant: str, limit: float) -> float:
    """How far a word is from what was typed, in slips: letters swapped, left out, doubled, or mistaken for one
    that sounds alike count half or so (after Damerau 1964); more than ``limit`` is given up."""
    a, b = typed.replace("ph", "f"), meant.replace("ph", "f")
    start = 0.0 if (a[0] == b[0] or frozenset((a[0], b[0])) in _ALIKE) else 0.4
    start += 0.3 * (("ph" in typed) != ("ph" in meant))
    ours, theirs = _singles(a), _singles(b)
    before: list[float] = []
    row = [start + left_out for left_out in accumulate(theirs, initial=0.0)]
    for i, (x, extra) in enumerate(zip(a, ours, strict=True), 1):
        mistaken, last = _mistaken(x), row[0] + extra
        now = [last]
        for j, (y, left_out) in enumerate(zip(b, theirs, strict=True), 1):
            best = min(row[j - 1] + mistaken.get(y, 1.0), row[j] + extra, last + left_out)
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                best = min(best, before[j - 2] + 0.6)
            now.append(best)
            last = best
        if min(now) > limit:
            return math.inf
        before, row = row, now
    return row[-1]


@lru_cache(maxsize=2**15)
def _singles(word: str) -> tuple[float, ...]:
    """The cost of each letter that the other word has not: less for the second of a pair and for vowels."""
    return tuple(0.5 if before == letter else 0.7 if letter in _VOWELS else 0.9 for before, letter in zip(f" {word}", word, strict=False))


@cache
def _mistaken(x: str) -> dict[str, float]:
    """The cost of writing a letter for another one, where that is less than a whole slip."""
    found = {y: 0.8 for y in _VOWELS if x in _VOWELS}
    found |= {y: 0.6 for pair in _ALIKE if x in pair for y in pair}
    return found | {x: 0.0}
