"""Secrets and names out of a text, and back into what is answered.

Found by form (an e-mail address, a card number with its check digit) or by what stands before it (``password=``, ``Dr.``);
``docs/providers.md`` says what this cannot find. Everything that is found becomes a placeholder, ``[EMAIL_1]``, the same for
the same words wherever they stand, so that a model can still tell one from the other. What was found by what stands before it
is hidden where that does not stand before it, too: an answer that goes back with its faults has the words alone.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from clodo.lm import redaction_patterns as patterns
from clodo.lm.first_names import FIRST_NAMES


@dataclass(frozen=True, slots=True)
class Finding:
    """Characters ``start`` to ``end`` of a text, and what they are: ``KEY PASSWORD EMAIL CARD IBAN PHONE ID NAME``."""

    start: int
    end: int
    kind: str


def _compiled(pattern: patterns.Pattern) -> re.Pattern[str]:
    return re.compile(pattern.source, re.IGNORECASE if pattern.any_case else 0)


_FORMS = tuple((p.kind, _compiled(p), p.group) for p in patterns.FORMS)
_NAME_CUES = tuple(_compiled(p) for p in patterns.NAME_CUES)
#: After ``=`` or in quotes a secret is taken as it stands, else only where it does not look like prose.
_SECRET = _compiled(patterns.SECRET)
_LONG, _UUID, _IBAN = map(_compiled, (patterns.LONG, patterns.UUID, patterns.IBAN))
_DIGITS, _AMERICAN, _DATE = map(_compiled, (patterns.DIGITS, patterns.AMERICAN, patterns.DATE))
_CALLED, _BOOKS = map(_compiled, (patterns.CALLED, patterns.BOOKS))
_CAPITALISED, _WORD = map(_compiled, (patterns.CAPITALISED, patterns.WORD))


def findings(text: str) -> tuple[Finding, ...]:
    """What is taken for a secret or a name, in the order of the text; none overlaps another."""
    taken: list[Finding] = []
    for found in (*_secrets(text), *_numbers(text), *_names(text)):
        # The surer kinds come first; a later one keeps what no earlier one has.
        if found.end > found.start and all(found.end <= t.start or found.start >= t.end for t in taken):
            taken.append(found)
    return tuple(sorted(taken, key=lambda f: f.start))


def _secrets(text: str) -> Iterator[Finding]:
    for kind, pattern, group in _FORMS:
        for m in pattern.finditer(text):
            yield Finding(*m.span(group), kind)
    for m in _SECRET.finditer(text):
        group = next(g for g in range(3, 8) if m[g] is not None)
        start, end = m.span(group)
        value = m[group].rstrip(".!?") if group == 7 else m[group]
        if m[2] or _unlike_prose(value):
            yield Finding(start, start + len(value) if group == 7 else end, "PASSWORD")
    for m in _LONG.finditer(text):
        if _random(m[0]) and not _UUID.fullmatch(m[0]):
            yield Finding(*m.span(), "KEY")


def _unlike_prose(value: str) -> bool:
    """Whether a word looks like a password rather than like the type or the rule of a field (``password: text``)."""
    kinds = sum(bool(re.search(p, value)) for p in (r"[a-z]", r"[A-Z]", r"\d", r"[^\w\s-]"))
    return len(value) >= 4 and " " not in value and (kinds >= 2 or value.isdigit()) and not re.fullmatch(r"[A-Z]?[a-z]+", value)


def _random(text: str) -> bool:
    """Whether a long run of characters looks drawn at random: many different ones, letters and digits mixed."""
    counts = Counter(text)
    bits = -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values())
    digits = sum(c.isdigit() for c in text)
    if re.fullmatch(r"[0-9a-fA-F]{32,}", text):
        return bits > 3 and 0 < digits < len(text)
    mixed = any(c.islower() for c in text) and any(c.isupper() for c in text)
    return bits > 3.7 and digits >= 2 and mixed


def _numbers(text: str) -> Iterator[Finding]:
    for m in _IBAN.finditer(text):
        if _iban(m[0].replace(" ", "")):
            yield Finding(*m.span(), "IBAN")
    for m in _DIGITS.finditer(text):
        digits = re.sub(r"\D", "", m[0])
        if 13 <= len(digits) <= 19 and _luhn(digits):
            yield Finding(*m.span(), "CARD")
        elif _telephone(m[0], digits, text[: m.start()]):
            yield Finding(*m.span(), "PHONE")


def _luhn(digits: str) -> bool:
    total = 0
    for at, c in enumerate(reversed(digits)):
        twice = int(c) * (1 + at % 2)
        total += twice - 9 if twice > 9 else twice
    return total % 10 == 0 and len(set(digits)) > 1


def _iban(text: str) -> bool:
    return 15 <= len(text) <= 34 and int("".join(str(int(c, 36)) for c in text[4:] + text[:4])) % 97 == 1


def _telephone(written: str, digits: str, before: str) -> bool:
    if not 6 <= len(digits) <= 15 or _BOOKS.search(before) or _DATE.fullmatch(written):
        return False
    if written.lstrip("(").startswith("+") and len(digits) >= 7:
        return True
    if _AMERICAN.fullmatch(written):
        return True
    if written.lstrip("(").startswith("0") and len(digits) >= 9:
        return True
    return bool(_CALLED.search(before))


def _names(text: str) -> Iterator[Finding]:
    for pattern in _NAME_CUES:
        for m in pattern.finditer(text):
            yield Finding(*m.span(1), "NAME")
    for m in _CAPITALISED.finditer(text):
        # A name may follow a capital that begins a sentence: "Does Anna Berg …".
        for word in _WORD.finditer(m[1]):
            # "Ann's diary" names Ann.
            plain = re.sub(r"['’]s$", "", word[0])
            if _folded(plain) in FIRST_NAMES or ("-" in plain and _folded(plain.split("-")[0]) in FIRST_NAMES):
                whole = plain if plain != word[0] else re.sub(r"['’]s$", "", m[1][word.start() :])
                start = m.start(1) + word.start()
                yield Finding(start, start + len(whole), "NAME")
                break


def _telling(kind: str, value: str) -> bool:
    """Whether found words give the secret away wherever they stand: ``text`` of ``password=text`` does not."""
    if kind == "NAME":
        return len(value) >= 3
    return len(value) >= 4 and not re.fullmatch(r"[A-Z]?[a-z]+", value) and "\0" not in value


def _alone(value: str) -> re.Pattern[str]:
    """Some words that are no part of longer ones."""
    edges = [r"(?<!\w)" if re.match(r"\w", value) else "", r"(?!\w)" if re.search(r"\w\Z", value) else ""]
    return re.compile(edges[0] + re.escape(value) + edges[1])


def _folded(name: str) -> str:
    """A name without its accents, in small letters."""
    plain = name.lower().translate(str.maketrans("łøđı", "lodi"))
    return "".join(c for c in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(c))


@dataclass(frozen=True, slots=True)
class Hidden:
    """A text without its secrets. ``moves`` are the replaced stretches: start and end there, start and end in the original."""

    text: str
    moves: tuple[tuple[int, int, int, int], ...]

    def original(self, at: int, *, end: bool = False) -> int:
        """Where a character of this text stands in the original; inside of a placeholder, its start or its end."""
        shift = 0
        for new_start, new_end, old_start, old_end in self.moves:
            if at <= new_start:
                break
            if at < new_end:
                return old_end if end else old_start
            shift = old_end - new_end
        return at + shift


class Redaction:
    """The placeholders of one conversation."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        """``texts`` are all texts of the conversation: no placeholder is made that one of them already has, and what is found
        in one is hidden in all."""
        listed = tuple(texts)
        self._present = "\n".join(listed)
        self._known: dict[tuple[str, str], str] = {}
        self._counts: Counter[str] = Counter()
        #: Words that are hidden wherever they stand → their kind.
        self._everywhere: dict[str, str] = {}
        for text in listed:
            self._found(text)

    @property
    def count(self) -> int:
        """How many different secrets and names were replaced."""
        return len(self._known)

    def hide(self, text: str) -> Hidden:
        """The text with placeholders for what was found."""
        out: list[str] = []
        moves = []
        at = length = 0
        for f in self._stretches(text):
            out.append(text[at : f.start])
            length += f.start - at
            placeholder = self._placeholder(f.kind, text[f.start : f.end])
            moves.append((length, length + len(placeholder), f.start, f.end))
            out.append(placeholder)
            length += len(placeholder)
            at = f.end
        return Hidden("".join([*out, text[at:]]), tuple(moves))

    def _found(self, text: str) -> list[Finding]:
        found = list(findings(text))
        for f in found:
            value = text[f.start : f.end]
            if _telling(f.kind, value):
                self._everywhere.setdefault(value, f.kind)
        return found

    def _stretches(self, text: str) -> list[Finding]:
        """What is found in a text, and what of it or of another text stands there once more."""
        found = self._found(text)
        rest = text
        for f in found:
            rest = rest[: f.start] + "\0" * (f.end - f.start) + rest[f.end :]
        for value in sorted((v for v in self._everywhere if v in rest), key=len, reverse=True):
            again = [Finding(*m.span(), self._everywhere[value]) for m in _alone(value).finditer(rest)]
            for f in again:
                rest = rest[: f.start] + "\0" * (f.end - f.start) + rest[f.end :]
            found += again
        return sorted(found, key=lambda f: f.start)

    def restore(self, text: str) -> str:
        """The text with what stood there in the place of placeholders, with or without their brackets."""
        originals = {placeholder[1:-1]: value for (_, value), placeholder in self._known.items()}
        if not originals:
            return text
        names = "|".join(map(re.escape, sorted(originals, key=len, reverse=True)))
        return re.sub(rf"\[({names})\]|\b({names})\b", lambda m: originals[m[1] or m[2]], text)

    def _placeholder(self, kind: str, value: str) -> str:
        if (kind, value) not in self._known:
            while True:
                self._counts[kind] += 1
                made = f"[{kind}_{self._counts[kind]}]"
                if made[1:-1] not in self._present:
                    break
            self._known[kind, value] = made
        return self._known[kind, value]
