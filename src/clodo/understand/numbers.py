"""Numbers as people write them, as decimals."""

from __future__ import annotations

import re
from decimal import Decimal

#: Numbers and the words for them, the one that counts things first.
_NAMES = {
    0: "zero nought nil nothing none negative nonnegative positive non minus",
    1: "one once single a an first",
    2: "two twice both couple second",
    3: "three third",
    4: "four fourth",
    5: "five fifth",
    6: "six sixth",
    7: "seven seventh",
    8: "eight eighth",
    9: "nine ninth",
    10: "ten tenth",
    11: "eleven",
    12: "twelve dozen",
    13: "thirteen",
    14: "fourteen",
    15: "fifteen",
    16: "sixteen",
    17: "seventeen",
    18: "eighteen",
    19: "nineteen",
    20: "twenty",
    30: "thirty",
    40: "forty",
    50: "fifty",
    60: "sixty",
    70: "seventy",
    80: "eighty",
    90: "ninety",
}
_WORDS = {word: Decimal(value) for value, names in _NAMES.items() for word in names.split()}
#: Words that say how many stand before what is counted ("ten days").
CARDINALS = frozenset({"a", "an", *(names.split()[0] for value, names in _NAMES.items() if value)})
#: Words that hardly mean anything but how many: not one, first, second, both.
COUNTS = (*(names.split()[0] for value, names in _NAMES.items() if value > 1), "dozen", "couple", "half", "hundred", "thousand", "million")
_SCALES = {"hundred": 100, "thousand": 1_000, "k": 1_000, "million": 1_000_000, "m": 1_000_000}
_DIGITS = re.compile(r"-?\d[\d,' ]*(?:\.\d+)?|-?\.\d+")


def number(surface: str) -> Decimal | None:
    """The number in some words: ``"1,000"``, ``"5k"``, ``"twenty-five"``, ``"two hundred"``,
    ``"non-negative"`` (its bound, 0). ``None`` where there is none."""
    text = surface.lower().strip()
    found = _DIGITS.search(text)
    if found:
        digits = re.sub(r"[,' ]", "", found[0])
        rest = re.match(r"\s*(k|m|thousand|million|hundred)\b", text[found.end() :])
        below = re.search(r"\bminus\s*$", text[: found.start()]) is not None
        return Decimal(digits) * (_SCALES[rest[1]] if rest else 1) * (-1 if below else 1)
    words = re.findall(r"[a-z]+", text)
    below = words[0] == "minus" if len(words) > 1 else False
    value = _in_words(words[1:] if below else words)
    return -value if below and value is not None else value


def _in_words(words: list[str]) -> Decimal | None:
    total = current = Decimal(0)
    seen = False
    for word in words:
        article = word in ("a", "an") and len(words) > 1  # "a dozen" is twelve
        if word in _WORDS and not article and not (seen and _WORDS[word] in (0, 1) and word not in ("one", "zero")):
            current, seen = current + _WORDS[word], True
        elif word in _SCALES and len(word) > 1 and (seen or words[0] in ("a", "an")):
            current, seen = (current or Decimal(1)) * _SCALES[word], True
            if _SCALES[word] > 100:
                total, current = total + current, Decimal(0)
    return total + current if seen else None
