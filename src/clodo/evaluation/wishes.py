"""Lines of bricks compared by what they say: how a thing is called as freely as fields are, what has no order without one.

Roles, conditions, values of a list, what is set at once or given with a step, groups and steps from state to state have no order; a range,
an expression and a difference have one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[A-Za-z_]\w*')
_LISTS = (
    re.compile(r"(?<=\bin \()[^()]*(?=\))"),
    re.compile(r"(?<=\bper )[^(){}]+?(?= where\b| within\b|$)"),
    re.compile(r"(?<=\brole )[^(){}]+$"),
    re.compile(r"(?<=\bgroup by ).+$"),
    re.compile(r"(?<=^set ).+$"),
)
#: What an action is given, and what a row that it makes is to be.
_GIVEN = re.compile(r"^((?:action|create) \w+ ?\()(.+)(\)(?: later)?(?: \{)?)$")
#: Lines that end with a list, by what they begin with, and what stands in front of it.
_ENDS = {"limit ": " on ", "change when ": " except role ", "delete when ": " except role "}
#: Lines of sites, in which everything is text.
_QUOTING = ("title ", "redirect ", "header ", "policy ")
#: Conditions that must all hold.
_ALL_OF = re.compile(r"(?<=\b(?:where|.when) )(?!.* or )[^(){}]+$|(?<=^when )(?!.* or )[^(){}]+$")


def same_names(text: str, named: Callable[[str], str]) -> str:
    """A line, its words by other names, but for what is quoted and for states, which are values."""
    if text.startswith("transitions "):
        field, colon, states = text.removeprefix("transitions ").partition(":")
        return f"transitions {named(field)}{colon}{states}"
    return _TOKEN.sub(lambda m: named(m[0]) if m[0][0].isidentifier() else m[0], text)


def canonical(text: str) -> str:
    """The lines of a part, in one order of the many that say the same."""
    head, *body = (_in_order(line.strip()) for line in text.split("\n"))
    end = body.pop() if body and body[-1] == "}" else None
    return "\n".join([head, *sorted(body), *([end] if end else [])])


def as_called(text: str, owner: str, names: Mapping[tuple[str, str], str]) -> str:
    """The lines of a part of an entity (``""``: of the service) with some fields under other names."""
    # A row that an action makes has fields of its own, for which the action has parameters.
    made = re.findall(r"^\s*create (\w+) \(", text, re.MULTILINE)
    own = {name: new for (entity, name), new in names.items() if entity in made}
    own |= {name: new for (entity, name), new in names.items() if owner in ("", entity)}
    others = {name: new for (_, name), new in names.items()}

    def line_renamed(line: str) -> str:
        # What a line begins with is a word of the language, but for a computed field.
        keyword, space, rest = ("", "", line) if re.match(r"\w+ = ", line) else line.partition(" ")
        rest = same_names(rest, lambda word: own.get(word, word))
        return keyword + space + re.sub(r"(?<=\.)[A-Za-z_]\w*", lambda m: others.get(m[0], m[0]), rest)

    return canonical("\n".join(line_renamed(line) for line in text.split("\n")))


def _in_order(line: str) -> str:
    if line.startswith("transitions "):
        name, chains = line.split(": ", 1)
        steps = {step for chain in chains.split(", ") for step in _steps(chain.split(" -> "))}
        return f"{name}: {', '.join(sorted(steps))}"
    if line.startswith(_QUOTING):
        return line  # what they say is text
    for keyword, end in _ENDS.items():
        if line.startswith(keyword) and end in line:
            front, _, names = line.rpartition(end)
            return f"{_in_order(front)}{end}{', '.join(sorted(_apart(names)))}"
    line = _GIVEN.sub(lambda m: m[1] + ", ".join(sorted(_apart(m[2]))) + m[3], line)
    for pattern in _LISTS:
        line = pattern.sub(lambda m: ", ".join(sorted(_apart(m[0]))), line)
    return _ALL_OF.sub(lambda m: " and ".join(sorted(m[0].split(" and "))), line)


def _steps(chain: list[str]) -> list[str]:
    return [f"{a} -> {b}" for a, b in zip(chain, chain[1:], strict=False)]


def _apart(listed: str) -> list[str]:
    """What commas separate, those within brackets or quotes aside."""
    found, depth, quoted = [""], 0, False
    for character in listed:
        quoted ^= character == '"'
        depth += 0 if quoted else (character in "([") - (character in ")]")
        if character == "," and not depth and not quoted:
            found.append("")
        else:
            found[-1] += character
    return [f.strip() for f in found]
