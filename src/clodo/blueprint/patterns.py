"""The regular expressions of the language: what JavaScript reads as ``new RegExp(pattern, "u")``.

The Worker decides with JavaScript, and we with Python, so a pattern is read here and written anew for
Python: a dialect that is narrower than either, in which both mean the same.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

_SYNTAX = frozenset("^$\\.*+?()[]{}|/")
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v"}
_SPACES = r"\t\n\v\f\r\x20\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_CLASSES = {"d": "0-9", "w": "A-Za-z0-9_", "s": _SPACES}
_NOT_CLASSES = {"D": r"[^0-9]", "W": r"[^A-Za-z0-9_]", "S": f"[^{_SPACES}]"}
_LONG_NAMES = {
    "Letter": "L", "Mark": "M", "Number": "N", "Punctuation": "P", "Symbol": "S", "Separator": "Z", "Other": "C",
    "Uppercase_Letter": "Lu", "Lowercase_Letter": "Ll", "Decimal_Number": "Nd",
}  # fmt: skip
_MOST = 100_000  # no text is longer, so no larger count makes sense
_DEEPEST = 40
_LONGEST = 1000


class PatternError(ValueError):
    """A pattern that JavaScript, or this dialect, does not take. The text says why and what to write."""


def matches(pattern: str, text: str) -> bool:
    """Whether the text matches as it would in the Worker: anywhere, unless the pattern is anchored.

    Raises:
        PatternError: the pattern is not one of the dialect.
    """
    return compiled(pattern).search(text) is not None


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """The pattern for Python.

    Raises:
        PatternError: the pattern is not one of the dialect.
    """
    return _compile(translated(pattern))


@cache
def translated(pattern: str, *, ascii_only: bool = False) -> str:
    """The pattern in Python's words; with ``ascii_only``, properties such as ``\\p{L}`` stand for their
    ASCII characters, which is what examples are made from.

    Raises:
        PatternError: the pattern is not one of the dialect.
    """
    if len(pattern) > _LONGEST:
        raise PatternError(f"it is longer than {_LONGEST} characters")
    made = _Reader(pattern, ascii_only).read()
    _compile(made)
    return made


def _compile(source: str) -> re.Pattern[str]:
    try:
        return re.compile(source, re.ASCII)
    except (re.error, OverflowError) as error:
        raise PatternError(f"it cannot be checked here ({error})") from None


class _Reader:
    """Reads a pattern from left to right; each method gives what it read, for Python."""

    def __init__(self, text: str, ascii_only: bool) -> None:
        self.text, self.at, self.depth, self.ascii = text, 0, 0, ascii_only
        opened = re.findall(r"\\.|\[(?:\\.|[^\]\\])*\]|\((?!\?)|\(\?<(?![=!])([^>]*)>", text, re.DOTALL)
        plain = re.sub(r"\\.|\[(?:\\.|[^\]\\])*\]", "", text, flags=re.DOTALL)
        self.groups = len(re.findall(r"\((?!\?)|\(\?<(?![=!])", plain))
        self.names = [name for name in opened if name]

    def read(self) -> str:
        if len(set(self.names)) < len(self.names):
            raise PatternError("two of its groups have the same name")
        made = self._alternatives()
        if self.at < len(self.text):
            raise PatternError("a ')' closes nothing; write \\) for the sign itself")
        return made

    def _peek(self, size: int = 1) -> str:
        return self.text[self.at : self.at + size]

    def _take(self, size: int = 1) -> str:
        found = self._peek(size)
        self.at += size
        return found

    def _match(self, expression: str) -> re.Match[str] | None:
        found = re.compile(expression).match(self.text, self.at)
        if found is not None:
            self.at = found.end()
        return found

    def _alternatives(self) -> str:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise PatternError("its groups stand too deep in each other")
        made = self._sequence()
        while self._peek() == "|":
            self.at += 1
            made += "|" + self._sequence()
        self.depth -= 1
        return made

    def _sequence(self) -> str:
        made = ""
        while self.at < len(self.text) and self._peek() not in "|)":
            made += self._term()
        return made

    def _term(self) -> str:
        sign = self._peek()
        if sign == "^":
            self.at += 1
            return "^"
        if sign == "$":
            self.at += 1
            return r"\Z"
        if self._peek(2) in (r"\b", r"\B"):
            return self._take(2)
        for opening in ("(?=", "(?!", "(?<=", "(?<!"):
            if self.text.startswith(opening, self.at):
                self.at += len(opening)
                return opening + self._closed()
        return self._atom() + self._quantifier()

    def _quantifier(self) -> str:
        found = self._match(r"([*+?]|\{(\d+)(,(\d*))?\})(\??)")
        if found is None:
            return ""
        least, most = found[2], found[4]
        if least is not None:
            if int(least) > _MOST or (most and int(most) > _MOST):
                raise PatternError(f"a count in it is over {_MOST:,}")
            if most and int(most) < int(least):
                raise PatternError(f"the counts of {found[0]} are the wrong way round")
        return found[0]

    def _closed(self) -> str:
        made = self._alternatives()
        if self._take() != ")":
            raise PatternError("a '(' is not closed; write \\( for the sign itself")
        return made + ")"

    def _atom(self) -> str:
        sign = self._take()
        if sign == ".":
            return r"[^\n\r\u2028\u2029]"
        if sign == "(":
            return self._group()
        if sign == "[":
            return self._class()
        if sign == "\\":
            return self._escape()
        if sign in "*+?":
            raise PatternError(f"{sign!r} has nothing to repeat; write \\{sign} for the sign itself")
        if sign in "{}]":
            raise PatternError(f"a {sign!r} stands alone; write \\{sign} for the sign itself")
        return re.escape(sign)

    def _group(self) -> str:
        if self._peek(2) == "?:":
            self.at += 2
            return "(?:" + self._closed()
        if self._peek() != "?":
            return "(" + self._closed()
        found = self._match(r"\?<([A-Za-z_]\w*)>")
        if found is None:
            raise PatternError(f"JavaScript has no group '({self._peek(3)}'; use ( ), (?: ) or (?<name> )")
        return f"(?P<{found[1]}>" + self._closed()

    def _escape(self) -> str:
        """An escape outside of brackets, behind its backslash."""
        found = self._match(r"k<(\w+)>")
        if found is not None:
            if found[1] not in self.names:
                raise PatternError(f"\\k<{found[1]}> names no group")
            return f"(?P={found[1]})"
        found = self._match(r"[1-9]\d*")
        if found is not None:
            if int(found[0]) > self.groups:
                raise PatternError(f"\\{found[0]} refers to no group")
            return f"(?:\\{found[0]})"
        sign = self._peek()
        if sign in _NOT_CLASSES:
            self.at += 1
            return _NOT_CLASSES[sign]
        if sign == "P":
            return f"[^{self._property()}]"
        found_set = self._set()
        return f"[{found_set}]" if found_set else re.escape(self._character(_SYNTAX))

    def _set(self) -> str:
        """What ``\\d \\w \\s \\p{…}`` stand for within brackets, or nothing."""
        sign = self._peek()
        if sign in _CLASSES and sign:
            self.at += 1
            return _CLASSES[sign]
        return self._property() if sign == "p" else ""

    def _property(self) -> str:
        found = self._match(r"[pP]\{(?:(?:General_Category|gc)=)?(\w+)\}")
        name = "" if found is None else _LONG_NAMES.get(found[1], found[1])
        members = _category(name, ascii_only=self.ascii) if name else ""
        if not members:
            raise PatternError("it names a property that is not known here; \\p{L}, \\p{Lu} and \\p{N} are, say")
        return members

    def _character(self, signs: frozenset[str]) -> str:
        """The character of an escape; ``signs`` may be escaped though they are no letters."""
        found = self._match(r"x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\}")
        if found is not None:
            code = int(found[1] or found[2] or found[3], 16)
            if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
                raise PatternError(f"\\{found[0]} is no character")
            return chr(code)
        control = self._match(r"c([A-Za-z])")
        if control is not None:
            return chr(ord(control[1]) % 32)
        if self._match(r"0(?!\d)") is not None:
            return "\0"
        sign = self._take()
        if sign in _CONTROLS:
            return _CONTROLS[sign]
        if sign and sign in signs:
            return sign
        raise PatternError(
            f"JavaScript does not know '\\{sign}'; write {sign!r} without the backslash"
            if sign and not sign.isalnum()
            else f"JavaScript does not know '\\{sign}'"
        )

    def _class(self) -> str:
        negated = self._match(r"\^") is not None
        made = ""
        while True:
            if self.at >= len(self.text):
                raise PatternError("a '[' is not closed; write \\[ for the sign itself")
            if self._peek() == "]":
                self.at += 1
                break
            low = self._member()
            if self._peek() == "-" and self._peek(2) not in ("-]", "-"):
                self.at += 1
                high = self._member()
                if len(low) != 1 or len(high) != 1:
                    raise PatternError("a range in brackets starts or ends with a class; write the '-' last")
                if low > high:
                    raise PatternError(f"the range {low}-{high} is the wrong way round")
                made += f"{_in_class(low)}-{_in_class(high)}"
            else:
                made += _in_class(low) if len(low) == 1 else low
        if not made:
            return r"[\s\S]" if negated else "(?!)"
        return f"[{'^' if negated else ''}{made}]"

    def _member(self) -> str:
        """A character of a class, or (longer than one character) a set of them for Python."""
        sign = self._take()
        if sign != "\\":
            return sign
        if self._peek() == "b":
            self.at += 1
            return "\b"
        if self._peek() in ("D", "W", "S"):
            return {"D": r"\D", "W": r"\W", "S": r"\S"}[self._take()]
        if self._peek() == "P":
            raise PatternError("\\P stands in brackets; write it outside of them, or [^\\p{…}]")
        return self._set() or self._character(_SYNTAX | {"-"})


def _in_class(sign: str) -> str:
    # Signs by number mean themselves wherever they stand.
    code = ord(sign)
    return sign if sign.isalnum() else f"\\x{code:02x}" if code < 256 else f"\\U{code:08x}"


@cache
def _category(name: str, *, ascii_only: bool) -> str:
    """The characters of a Unicode category as the inside of a class; empty where there are none."""
    codes = [c for c in range(0x10000) if unicodedata.category(chr(c)).startswith(name) and not 0xD800 <= c < 0xE000]
    if ascii_only:
        codes = [c for c in codes if 32 <= c < 127] or codes
    ranges: list[list[int]] = []
    for code in codes:
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in ranges)
