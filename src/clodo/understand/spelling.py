"""Slips of the pen in names: ``custmer nmae`` → ``customer name``.

A word that nobody writes, one slip away from a word that names things, is that word. Which words name
something stays the model's decision; here only their spelling is mended, and what was mended is told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container
from functools import cache
from importlib.resources import files
from typing import Any

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_LEAST = 4
_RARE = 1e-7

#: Mends the words of a phrase.
Spell = Callable[[str], str]


@cache
def name_words() -> frozenset[str]:
    """Words that names of entities and fields are made of (``names.txt``, written by
    ``clodo.training.lexicon``)."""
    text = files("clodo.understand").joinpath("names.txt").read_text("utf-8")
    return frozenset(text.split())


class Speller:
    """Mends names, given the words of the language (``known``, lower case)."""

    def __init__(self, known: Container[str]) -> None:
        self._words = known
        self.mended: dict[str, str] = {}

    def __call__(self, phrase: str) -> str:
        """The phrase with its slips mended; ``mended`` keeps what was changed."""
        return re.sub(r"[A-Za-z]+", lambda m: self._word(m[0]), phrase)

    def _known(self, word: str) -> bool:
        if word in name_words():
            return True
        usage = _usage(word)
        # Of what the dictionary lists, rare words are mostly slips ("oder"); what it does not list
        # may still be a word of the trade ("isbn").
        return usage > _RARE if usage else word in self._words

    def _word(self, word: str) -> str:
        lower = word.lower()
        if len(word) < _LEAST or word not in (lower, lower.capitalize()) or self._known(lower):
            return word
        if lower.endswith("s") and self._known(lower[:-1]):
            return word
        found = nearest(lower)
        if found is None and lower.endswith("s"):
            single = nearest(lower[:-1])
            found = single and f"{single}s"
        if found is None:
            return word
        self.mended[lower] = found
        return found


@cache
def _dictionary() -> Any:
    from spellchecker import SpellChecker

    return SpellChecker(distance=1).word_frequency


def _usage(word: str) -> float:
    """How often a word is used, as a share of all words; 0 where the dictionary does not list it."""
    found = _dictionary()
    return float(found[word]) / float(found.total_words)


def load() -> None:
    """Loads the dictionary, so that the first name takes no longer than the next."""
    _dictionary()


@cache
def nearest(word: str) -> str | None:
    """The one name word that is a single slip away: two letters swapped before one left out or
    doubled before one mistaken, and the same first letter before another; ``None`` for a draw."""
    swapped = {word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(len(word) - 1)}
    missing = {word[:i] + c + word[i:] for i in range(len(word) + 1) for c in _LETTERS}
    surplus = {word[:i] + word[i + 1 :] for i in range(len(word))}
    mistaken = {word[:i] + c + word[i + 1 :] for i in range(len(word)) for c in _LETTERS}
    for first_too in (True, False):
        for slips in (swapped, missing | surplus, mistaken):
            found = {w for w in slips & name_words() if (w[0] == word[0]) == first_too}
            if len(found) == 1:
                return found.pop()
            if found:
                return None
    return None
