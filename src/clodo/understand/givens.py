"""What is given with a step: the parameters of its action, for which whoever takes the step has the values."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

from clodo.blueprint.text import field_line
from clodo.blueprint.values import Bound, Entity, Field, Reference
from clodo.understand.cue_names import Unsaid
from clodo.understand.naming import field_name

#: What a figure is called whose words make no name.
FIGURE = "amount"
#: What expressions call by these names no parameter is called.
TAKEN = ("now", "today", "this", "caller", "owner", "empty", "true", "false")
NAME = r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*"


class Givens:
    """The parameters of an action, in the order in which they are asked for."""

    def __init__(self) -> None:
        self._given: dict[str, Field | Reference] = {}
        self._names: dict[tuple[str, str], str] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._given

    def member(self, e: Entity, m: Field | Reference) -> str:
        """The name of the parameter for a field or reference of a row.

        Raises:
            Unsaid: only the body of a request can give it.
        """
        if isinstance(m, Field) and m.hashed:
            raise Unsaid
        key = e.name, m.name
        if key not in self._names:
            name = self._names[key] = self._free(m.name, e.name)
            self._given[name] = _parameter(replace(m, name=name))
        return self._names[key]

    def figure(self, words: str, like: Field) -> str:
        """The name of the parameter for a number that the text calls by these words; it is of the type of a field."""
        said = field_name(words)
        name = self._free(said if re.fullmatch(NAME, said) and len(said) < 60 else FIGURE, FIGURE)
        self._given[name] = Field(name, like.type, required=True)
        return name

    def is_positive(self, name: str) -> None:
        """A parameter is more than nothing: what is added is not taken off by it."""
        given = self._given[name]
        if isinstance(given, Field) and (given.minimum is None or Decimal(str(given.minimum.value)) <= 0):
            self._given[name] = replace(given, minimum=Bound(Decimal(0), exclusive=True))

    def lines(self) -> list[str]:
        """The parameters as the language has them."""
        return [field_line(p) if isinstance(p, Field) else f"{p.name}: -> {p.target} required" for p in self._given.values()]

    def _free(self, name: str, of: str) -> str:
        """A name that no other parameter has; ``of`` tells it from one that has."""
        name = f"{name}_given" if name in TAKEN else name
        while name in self._given:
            name = f"{of}_{name}"
        return name


def _parameter(m: Field | Reference) -> Field | Reference:
    """What a parameter says of the member of a row that it is for: its type and its bounds."""
    if isinstance(m, Reference):
        return m
    return Field(m.name, m.type, m.values, required=True, minimum=m.minimum, maximum=m.maximum)
