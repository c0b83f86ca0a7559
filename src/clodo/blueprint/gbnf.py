"""The grammar of blueprints as GBNF, made from the same ``grammar.lark`` that the parser uses.

It admits no text that the parser's grammar does not, given one space between words; what a decoder
makes of it is parsed and checked by our own parser all the same.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

from lark.grammar import Terminal

from clodo.blueprint.syntax import parser

# Regular expressions have no general translation; there are few, and a test holds them against
# the originals. Lengths are bounded so that a model cannot run away with one name.
_PATTERNS = {
    "KEY": '[a-z] [a-z0-9_]{0,40} ":"',
    "NAME": "[a-z] [a-z0-9_]{0,40}",
    "NUMBER": '"-"? [0-9]{1,12} ("." [0-9]{1,6})?',
    "STRING": r'"\"" ([^"\\\x00-\x1f] | "\\" ["\\/bfnrt]){0,80} "\""',
    "_NL": r'"\n" "\n"?',
}
_TIGHT = frozenset(",()")
_LINE_START = frozenset(
    ["service", "type", "read", "write", "users", "roles", "entity", "unique", "search", "soft", "no", "}"]
)


@cache
def gbnf() -> str:
    """The grammar; its first rule is ``root``."""
    lark = parser()
    lines = []
    by_name: dict[str, list[str]] = {}
    for rule in lark.rules:
        parts = " ".join(_symbol(s) for s in rule.expansion)
        by_name.setdefault(_rule_name(rule.origin.name), []).append(parts or '""')
    lines.append(f"root ::= {_rule_name('start')}")
    lines += [f"{name} ::= {_without_left_recursion(name, o)}" for name, o in by_name.items()]
    lines += [f"{_terminal_name(t.name)} ::= {_terminal(t)}" for t in lark.terminals if _used(t)]
    return "\n".join(lines) + "\n"


def _without_left_recursion(name: str, options: list[str]) -> str:
    """``x ::= a | x b`` as ``x ::= (a) (b)*``: decoders refuse the first form."""
    tails = [o[len(name) + 1 :] for o in options if o.startswith(f"{name} ")]
    heads = " | ".join(o for o in options if not o.startswith(f"{name} "))
    return f"({heads}) ({' | '.join(tails)})*" if tails else heads


def _used(terminal: Any) -> bool:
    return terminal.name not in parser().ignore_tokens and terminal.name != "COMMENT"


def _symbol(symbol: Any) -> str:
    if isinstance(symbol, Terminal):
        return _terminal_name(symbol.name)
    return _rule_name(symbol.name)


def _rule_name(name: str) -> str:
    return "r-" + re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _terminal_name(name: str) -> str:
    return "t-" + re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _terminal(terminal: Any) -> str:
    if terminal.name in _PATTERNS:
        space = {"KEY": '" "{0,2} ', "_NL": ""}.get(terminal.name, '" " ')
        return space + _PATTERNS[terminal.name]
    if terminal.pattern.type == "str":
        text = terminal.pattern.value
        return _space(text) + json.dumps(text)
    words = re.findall(r"[\w -]+|[-+*/&]", terminal.pattern.value.replace("(?:", "").replace("\\", ""))
    return f'" " ({" | ".join(json.dumps(w) for w in words)})'


def _space(text: str) -> str:
    if text in _TIGHT:
        return ""
    return '" "{0,2} ' if text in _LINE_START else '" " '
