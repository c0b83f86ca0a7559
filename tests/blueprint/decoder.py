"""A grammar for decoders as a parser, or a rule of it as a pattern, to ask what it admits."""

from __future__ import annotations

import json
import re

from lark import Lark


def by_character(grammar: str) -> Lark:
    """A GBNF grammar as a Lark grammar that knows no tokens, only characters, as a decoder does."""
    rules = []
    for line in grammar.splitlines():
        name, _, body = line.partition(" ::= ")
        pieces = re.split(r'("(?:[^"\\]|\\.)*"|\[(?:[^\]\\]|\\.)*\])', body)
        for i, piece in enumerate(pieces):
            if piece == '""':
                pieces[i] = ""
            elif piece.startswith("["):
                pieces[i] = f"/{piece.replace('/', chr(92) + '/')}/"
            elif not piece.startswith('"'):
                words = re.sub(r"\b[nrt]-[a-z0-9-]+", lambda m: m[0].replace("-", "_"), piece)
                pieces[i] = re.sub(r"\{(\d+),(\d+)\}", r"~\1..\2", words)
        name = "start" if name == "root" else name.replace("-", "_")
        rules.append(f"{name}: {''.join(pieces)}")
    return Lark("\n".join(rules), parser="earley", lexer="dynamic_complete")


def pattern(grammar: str, rule: str) -> re.Pattern[str]:
    """A rule of a GBNF grammar that does not come back to itself, as a regular expression."""
    bodies = dict(line.split(" ::= ") for line in grammar.splitlines())

    def piece(m: re.Match[str]) -> str:
        if m[0].startswith('"'):
            return f"(?:{re.escape(json.loads(m[0]))})"
        return f"(?:{_PIECES.sub(piece, bodies[m[0]])})" if m[0] in bodies else m[0].strip()

    return re.compile(piece(re.match(".*", rule)))  # type: ignore[arg-type]


#: What a body is made of: texts, classes of characters, names of rules, and signs.
_PIECES = re.compile(r'"(?:[^"\\]|\\.)*"|\[(?:[^\]\\]|\\.)*\]|[a-z]-[a-z-]+|\s+|.')
