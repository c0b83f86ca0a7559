"""States and yes/no fields of a text as the language has them."""

from __future__ import annotations

import re

from clodo.blueprint.text import number, quote
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
