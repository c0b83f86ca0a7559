"""Words of a text as a sentence of ours quotes them: short, on one line, and of nothing that a terminal or a page obeys."""

from __future__ import annotations

import re
from collections.abc import Sequence

from clodo.understand.draft import Span
from clodo.understand.nearby import sentence

#: White space, signs that cannot be seen, and those that begin something in HTML or in a terminal.
ODD = "[\\s\x00-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ue000-\uf8ff\ufeff\ufff9-\ufffb\U000e0000-\U000e007f<>&`\\\\]+"
#: Quotation marks within a quotation.
QUOTES = '["“”„«»]'
#: What stands at the ends of a sentence and is no part of what it says.
ENDS = " .,;:!?-–—*•·"
#: How many characters a word has, of which a quotation of so many words has room.
WORD = 10


def plain(text: str) -> str:
    """A text without odd characters and what stands at its ends; it may come to nothing."""
    return re.sub(QUOTES, "'", re.sub(ODD, " ", text)).strip(ENDS)


def quoted(text: str, most: int) -> str:
    """The first words of a text in quotation marks, ``most`` of them."""
    words = plain(text).split(" ")
    short = " ".join(words[:most])[: most * WORD].rstrip(ENDS)
    return f"“{short}”" if short == " ".join(words) else f"“{short} …”"


def around(text: str, at: Span, most: int) -> str:
    """The sentence of a stretch in quotation marks, or ``most`` words of it, among which it stands."""
    start, end = sentence(text, at)
    words, front = plain(text[start:end]).split(" "), plain(text[start : at[0]])
    lead = len(front.split(" ")) if front else 0
    first = max(0, min(lead - most // 2, len(words) - most))
    said = quoted(" ".join(words[first:]), most)
    return f"“… {said[1:]}" if first else said


def listed(quotations: Sequence[str]) -> str:
    """Quotations as one list: a, b and c."""
    return " and ".join([", ".join(quotations[:-1]), quotations[-1]] if len(quotations) > 1 else quotations)
