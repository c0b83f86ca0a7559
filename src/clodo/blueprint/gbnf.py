"""The grammar of blueprints as GBNF, made from the same ``grammar.lark`` that the parser uses.

It admits no text that the parser's grammar does not, given one space between words; what a decoder
makes of it is parsed and checked by our own parser all the same. What names and values may be can be narrowed
to some words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from lark import Lark
from lark.grammar import Terminal

from clodo.blueprint.syntax import whole_grammar

# Regular expressions have no general translation; there are few, and a test holds them against
# the originals. Lengths are bounded so that a model cannot run away with one name.
_PATTERNS = {
    "BOOLEAN": '("true" | "false")',
    "KEY": 'n-name ":"',
    "NAME": "n-name",
    "NUMBER": '"-"? [0-9]{1,12} ("." [0-9]{1,6})?',
    "STRING": r'"\"" ([^"\\\x00-\x1f] | "\\" ["\\/bfnrt]){0,80} "\""',
    "COMPARE": '("!=" | "<=" | "<" | ">=" | ">")',
    "VALUE": "n-value",
    "_NL": r'"\n" "\n"?',
}
#: What a name and a quoted value of an enum are where nothing narrows them.
_ANY = {"n-name": "[a-z] [a-z0-9_]{0,40}", "n-value": _PATTERNS["STRING"]}
_VALUE = Terminal("VALUE")
_OPENING = ("LPAR", "DOT")
_TIGHT = {",": "", ".": "", "(": '" "? ', ")": ""}

# Where a symbol stands decides on the space before it: at the start of a line an indent, after an
# opening bracket none, else one. Each place but the last is an ending of the symbol's name.
_PLACES = {"": '" " ', "-line": '" "{0,4} ', "-close": ""}


@cache
def _grammar() -> Lark:
    """The grammar with all that is known of it; the parser's own may come from tables."""
    return Lark(whole_grammar(), parser="lalr")


def gbnf(narrowed: Mapping[str, str] | None = None) -> str:
    """The grammar; its first rule is ``root``. ``narrowed`` are the bodies of rules that say what a name (``n-name``) and a quoted
    value of an enum (``n-value``) may be, and of those that these need, all named ``n-…``; each has to admit less than any name, or
    any text in quotes."""
    return "".join([_frame(), *(f"{name} ::= {body}\n" for name, body in (_ANY | dict(narrowed or {})).items())])


@cache
def _frame() -> str:
    """The grammar without the rules for names and values."""
    lark = _grammar()
    by_name: dict[str, list[str]] = {}
    for rule in lark.rules:
        for place in ("", "-close"):
            name = _rule_name(rule.origin.name) + place
            parts = " ".join(_symbols(_with_values(rule), place))
            by_name.setdefault(name, []).append(parts or '""')
    lines = {name: _without_left_recursion(name, options) for name, options in by_name.items()}
    for name, (body, space) in {**{t.name: _terminal(t) for t in filter(_used, lark.terminals)}, _VALUE.name: (_PATTERNS[_VALUE.name], None)}.items():
        for place, usual in _PLACES.items():
            lines[_terminal_name(name) + place] = (usual if space is None else space) + body
    reached = _reached(lines, _rule_name("start"))
    rules = [f"{name} ::= {body}" for name, body in lines.items() if name in reached]
    return "\n".join([f"root ::= {_rule_name('start')}", *rules]) + "\n"


def _with_values(rule: Any) -> list[Any]:
    """The symbols of a rule, texts that are values of an enum apart from other texts."""
    return [_VALUE if rule.origin.name == "choice" and symbol.name == "STRING" else symbol for symbol in rule.expansion]


def _symbols(expansion: Any, place: str) -> Iterator[str]:
    before = None
    for symbol in expansion:
        whole_line = expansion[-1].name == "_NL"
        if isinstance(symbol, Terminal):
            at_start = whole_line and (before is None or symbol.name == "RBRACE")
            ending = "-line" if at_start else "-close" if before in _OPENING else ""
            yield _terminal_name(symbol.name) + (ending or (place if before is None else ""))
        else:
            closes = before in _OPENING or (before is None and place)
            yield _rule_name(symbol.name) + ("-close" if closes else "")
        before = symbol.name


def _reached(lines: dict[str, str], start: str) -> set[str]:
    """The names of the rules that ``start`` needs."""
    found, left = {start}, [start]
    while left:
        for name in re.findall(r"\b[rt]-[a-z0-9-]+", re.sub(r'"(?:[^"\\]|\\.)*"', "", lines[left.pop()])):
            if name not in found:
                found.add(name)
                left.append(name)
    return found


def _without_left_recursion(name: str, options: list[str]) -> str:
    """``x ::= a | x b`` as ``x ::= (a) (b)*``: decoders refuse the first form."""
    tails = [o[len(name) + 1 :] for o in options if o.startswith(f"{name} ")]
    heads = " | ".join(o for o in options if not o.startswith(f"{name} "))
    return f"({heads}) ({' | '.join(tails)})*" if tails else heads


def _used(terminal: Any) -> bool:
    return terminal.name not in _grammar().ignore_tokens and terminal.name != "COMMENT"


def _rule_name(name: str) -> str:
    return "r-" + re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _terminal_name(name: str) -> str:
    return "t-" + re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _terminal(terminal: Any) -> tuple[str, str | None]:
    """A terminal, and the space before it where that does not depend on the place."""
    if terminal.name in _PATTERNS:
        return _PATTERNS[terminal.name], "" if terminal.name == "_NL" else None
    if terminal.pattern.type == "str":
        text = terminal.pattern.value
        return json.dumps(text), _TIGHT.get(text)
    words = re.findall(r"[\w -]+|[-+*/&]", terminal.pattern.value.replace("(?:", "").replace("\\", ""))
    return f"({' | '.join(json.dumps(w) for w in words)})", None
