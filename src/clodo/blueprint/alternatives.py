"""Many words as one expression of GBNF: a tree of their beginnings, so that a decoder follows few of them at a time."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import groupby
from os.path import commonprefix


def alternatives(words: Iterable[str]) -> str:
    """The expression, in brackets where it needs them, that admits these words and nothing else; of none, the empty word."""
    return _branch(sorted(set(words))) or '""'


def _branch(words: list[str]) -> str:
    """The expression of sorted words."""
    may_end = bool(words) and words[0] == ""
    options = [_option(list(group)) for _, group in groupby(words[may_end:], key=lambda word: word[0])]
    joined = " | ".join(options)
    if may_end:
        return f"({joined})?" if options else ""
    return f"({joined})" if len(options) > 1 else joined


def _option(words: list[str]) -> str:
    """The expression of sorted words that begin with the same letter."""
    # Of sorted words the first and the last differ the earliest.
    shared = commonprefix([words[0], words[-1]])
    rest = _branch([word[len(shared) :] for word in words])
    return f"{json.dumps(shared)} {rest}".rstrip()
