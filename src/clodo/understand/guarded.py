"""Fields that a step sets which looks at whoever takes it: who may change a row could set them without it, and so past it.

They are read-only, and steps alone set them: ticks, and states of which each is where rows begin or what some step leads to. Of other
states the text does not say how rows come to them, so these stay open to whoever changes rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from clodo.blueprint.values import Blueprint, FieldType

_CALLER = re.compile(r"^  when .*\bcaller\b", re.MULTILINE)
_SET = re.compile(r'(?:^  set|,) (\w+) = (?:"([^"]*)"|true|false)(?=,|$)')


def guarded(b: Blueprint, lines: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """The fields, with their entities, that only steps are to set; ``lines`` with where they stand."""
    reached: dict[tuple[str, str], set[str]] = {}
    asked: set[tuple[str, str]] = set()
    for where, text in lines:
        for line in text.splitlines() if text.startswith("action ") else ():
            for name, value in _SET.findall(line) if line.startswith("  set ") else ():
                reached.setdefault((where, name), set()).add(value)
                asked |= {(where, name)} if _CALLER.search(text) else set()
    return {key for key in asked if _is_for_steps(b, key, reached[key])}


def _is_for_steps(b: Blueprint, key: tuple[str, str], reached: set[str]) -> bool:
    e = b.entity(key[0])
    f = e.field(key[1]) if e is not None else None
    if f is None or f.type is not FieldType.ENUM:
        return True
    return f.default is not None and {*f.values} <= {*reached, str(f.default)}
