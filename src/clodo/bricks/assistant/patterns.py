"""The patterns of secrets and names as a module of the service: the table that the command line has, too."""

from __future__ import annotations

from functools import cache

from clodo.emit.typescript import literal
from clodo.lm import redaction_patterns as table
from clodo.lm.first_names import FIRST_NAMES
from clodo.lm.redaction_patterns import Pattern

_HEAD = """/** A regular expression with the flag `v`, in which `\\w`, `\\d`, `\\s` and `\\b` mean letters, digits and spaces of all scripts, and `\\Z` the end. */
export interface Pattern {
  readonly source: string;
  readonly anyCase: boolean;
}

/** One that finds something by itself: what it is, and in which group. */
export interface Form extends Pattern {
  readonly kind: string;
  readonly group: number;
}
"""
#: Name in the table → what the service is told of it.
_SINGLE = {
    "SECRET": "Words before a secret (1), the sign `=` (2), and the secret: in quotes (3 to 6), or bare (7).",
    "LONG": "A run of characters that may be drawn at random.",
    "UUID": "An identifier, which is no secret.",
    "DIGITS": "A run of digits that may be a card or a telephone.",
    "AMERICAN": "A telephone as it is written in America.",
    "CALLED": "What stands before a telephone.",
    "BOOKS": "What stands before a number of a book or a thing.",
    "DATE": "What is no telephone.",
    "IBAN": "An account number, before its check digits are tried.",
    "CAPITALISED": "Words with capitals (1) that may begin with a first name, or follow a word that begins a sentence.",
    "WORD": "One word of a name.",
}


@cache
def patterns_module() -> str:
    """The text of ``src/lib/assistant-patterns.ts``."""
    parts = [
        _HEAD,
        "/** What is found by its form alone. */",
        "export const FORMS: readonly Form[] = [",
        *(f"  {{ kind: {literal(p.kind)}, group: {p.group}, {_pattern(p)} }}," for p in table.FORMS),
        "];\n",
        "/** What stands before a name, and the name (1). */",
        "export const NAME_CUES: readonly Pattern[] = [",
        *(f"  {{ {_pattern(p)} }}," for p in table.NAME_CUES),
        "];\n",
    ]
    for name, words in _SINGLE.items():
        parts += [f"/** {words} */", f"export const {name}: Pattern = {{ {_pattern(getattr(table, name))} }};\n"]
    parts += [
        "/** First names that people are often called by, without accents; those that are everyday words too are left out. */",
        f"export const FIRST_NAMES =\n  {literal(' '.join(sorted(FIRST_NAMES)))};\n",
    ]
    return "\n".join(parts)


def _pattern(pattern: Pattern) -> str:
    assert "`" not in pattern.source and "${" not in pattern.source
    return f"anyCase: {literal(pattern.any_case)}, source: String.raw`{pattern.source}`"
