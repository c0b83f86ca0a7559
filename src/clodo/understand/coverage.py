"""What no part of the understanding accounts for: numbers and quoted words of the text.

They are shown, never silently dropped. A number in chatter ("we are 12 people") is shown too: the
model has not said what it is for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from clodo.understand.port import Span

_TELLING = re.compile(r"(?<![\w.])\d[\d.,]*(?:%|\b)|\"[^\"\n]{1,60}\"|“[^”\n]{1,60}”")


def unexplained(text: str, spans: Sequence[Span], read_to: int) -> list[tuple[int, int]]:
    """The spans that nothing accounts for; all of the text behind ``read_to`` is one of them."""
    found = []
    for m in _TELLING.finditer(text):
        start, end = m.start(), m.end()
        while end > start and text[end - 1] in ".,":
            end -= 1
        if end <= read_to and not any(s.start < end and s.end > start for s in spans):
            found.append((start, end))
    if read_to < len(text.rstrip()):
        found.append((read_to, len(text.rstrip())))
    return found
