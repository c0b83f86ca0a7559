"""Answers that go round in circles, as those of small models do that have lost the thread."""

from __future__ import annotations

#: So often the same text in a row, of at least so many characters.
_ROUNDS = 4
_SHORTEST = 24


def goes_round(text: str) -> bool:
    """Whether a text ends in four times the same passage of 24 characters or more: what follows would only say it again.

    Lines of spaces or of one sign, as tables and rules have them, are no passages.
    """
    tail = text[-_SHORTEST:]
    before = text.rfind(tail, 0, len(text) - 1)
    if len(tail) < _SHORTEST or before < 0 or len(set(tail)) == 1:
        return False
    period = len(text) - _SHORTEST - before
    period *= -(-_SHORTEST // period)
    return len(text) >= _ROUNDS * period and text.endswith(text[-period:] * _ROUNDS)
