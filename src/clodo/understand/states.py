"""States and yes/no fields of a text as the language has them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from clodo.blueprint.text import choice_text, number, quote
from clodo.blueprint.values import Field, FieldType
from clodo.understand.choices import chosen
from clodo.understand.cue_names import Unsaid
from clodo.understand.draft import Filler
from clodo.understand.numbers import number as number_in

#: Words by which a yes/no field means no.
FALSE = re.compile(r"\b(?:no|not|never|un\w+|false|off|in\w*active)\b|n[’']t\b")


def is_true(filler: Filler) -> bool:
    """Whether a filler that names a yes/no field means yes."""
    return not (filler.words and FALSE.search(filler.words.lower()))


def constant_of(f: Field, surface: str) -> str:
    """A value of a field as a constant of the language.

    Raises:
        Unsaid: the field has no such value.
    """
    if f.type is FieldType.ENUM:
        wanted = chosen(f.values, surface)
        if wanted is None:
            raise Unsaid
        return quote(wanted)
    value = number_in(surface)
    if f.type.is_number and value is not None:
        return number(value)
    raise Unsaid


def transitions_line(f: Field, steps: Sequence[tuple[str, str]]) -> str:
    """The line that says which state may follow which.

    Raises:
        Unsaid: fewer than two of the states are values of the field, or one of its values could never be reached.
    """
    pairs = [(chosen(f.values, a), chosen(f.values, b)) for a, b in steps]
    found = {(a, b) for a, b in pairs if a is not None and b is not None and a != b}
    later = {after for _, after in found}
    # A state that nothing leads to comes first: rows begin with the first state of the first chain.
    ordered = sorted(found, key=lambda p: (p[0] in later, *(f.values.index(s) for s in p)))
    if not ordered or not _all_reached(f, ordered):
        raise Unsaid
    chains: list[list[str]] = []
    left = list(ordered)
    while left:
        chain = list(left.pop(0))
        while following := next((p for p in left if p[0] == chain[-1] and p[1] not in chain), None):
            left.remove(following)
            chain.append(following[1])
        chains.append(chain)
    return f"transitions {f.name}: " + ", ".join(" -> ".join(choice_text(s) for s in chain) for chain in chains)


def _all_reached(f: Field, pairs: Sequence[tuple[str, str]]) -> bool:
    reached = [str(f.default) if f.default is not None else pairs[0][0]]
    for state in reached:
        reached += [after for before, after in pairs if before == state and after not in reached]
    return len(reached) == len(f.values)
