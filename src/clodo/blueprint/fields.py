"""What can be wrong with a single field."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from clodo.blueprint.constants import SAFE_INTEGER, normal
from clodo.blueprint.constants import valid_constant as valid_constant
from clodo.blueprint.defaults import looked_at
from clodo.blueprint.patterns import PatternError, translated
from clodo.blueprint.problems import Problem
from clodo.blueprint.ranges import is_empty, is_within, lengths
from clodo.blueprint.samples import sample
from clodo.blueprint.values import (
    Bound,
    Field,
    FieldType,
)

_EXAMPLES = {
    FieldType.DATE: "2020-01-31",
    FieldType.TIME: "09:30",
    FieldType.DATETIME: "2020-01-31T09:30:00Z",
    FieldType.EMAIL: "ann@example.com",
    FieldType.URL: "https://example.com",
    FieldType.UUID: "01890000-0000-7000-8000-000000000000",
}


def field_problems(f: Field, path: str) -> Iterator[Problem]:
    """The problems of ``f`` by itself."""
    yield from _values(f, path)
    broken = [*_pattern(f, path), *_bounds(f, path)]
    yield from broken
    if not broken:
        yield from _unfillable(f, path)
    if f.default is not None:
        yield from _default(f, path, sound=not broken)
    if f.unique and f.type in (FieldType.JSON, FieldType.LIST, FieldType.BOOLEAN):
        yield Problem(f"A {f.type} cannot be unique.", "Remove 'unique'.", path)
    if f.read_only and f.write_only:
        yield Problem(f"{f.name!r} is read-only and write-only.", "Keep one of the two.", path)
    yield from _hashed(f, path)
    if f.read_only and f.required and f.default is None and not f.made:
        yield Problem(
            f"{f.name!r} is required, read-only and has no default: nothing could fill it.",
            "Give it a default, or remove 'required'.",
            path,
        )


def _hashed(f: Field, path: str) -> Iterator[Problem]:
    if not f.hashed:
        return
    if f.type is not FieldType.TEXT:
        yield Problem(f"Only a text can be hashed, and {f.name!r} is {f.type}.", "Make it text.", path)
    if f.unique:
        yield Problem(f"{f.name!r} is hashed, each time with another salt, and cannot be unique.", "Remove 'unique'.", path)
    if f.default is not None:
        yield Problem(f"{f.name!r} is hashed, and a default of it would be known to everybody.", "Remove the default.", path)
    if f.computed is not None:
        yield Problem(f"{f.name!r} is computed, so that there is nothing to hash.", "Remove 'hashed'.", path)


def _values(f: Field, path: str) -> Iterator[Problem]:
    if f.type is FieldType.ENUM and not f.values:
        yield Problem(f"The enum {f.name!r} has no values.", "Write enum(a, b).", path)
    if len(set(f.values)) < len(f.values):
        yield Problem(f"The enum {f.name!r} has a value twice.", "Remove one.", path)
    if any(not v.strip() or len(v) > 100 for v in f.values):
        yield Problem(f"The enum {f.name!r} has an empty or very long value.", "", path)


def _bounds(f: Field, path: str) -> Iterator[Problem]:
    for bound in (f.minimum, f.maximum):
        message = None if bound is None else _bound_problem(f, bound)
        if message:
            yield Problem(*message, path)
            return
    if (f.minimum is not None or f.maximum is not None) and is_empty(f):
        yield Problem(*_emptiness(f), path)


def _emptiness(f: Field) -> tuple[str, str]:
    if f.minimum is not None and f.maximum is not None:
        return f"No value of {f.name!r} can satisfy both bounds.", "Exchange or mend them."
    if f.type.is_textual and f.minimum is not None:
        hint = "Give it a max too, or make it longtext." if f.type is FieldType.TEXT else "Give it a max too."
        return f"A {f.type} without a max has at most {lengths(f)[1]:,} characters or items.", hint
    return f"No {f.type} can satisfy the bound of {f.name!r}.", "Mend it."


def _bound_problem(f: Field, bound: Bound) -> tuple[str, str] | None:
    if f.type.is_number:
        if not isinstance(bound.value, Decimal):
            return f"A bound of {f.name!r} is no number.", "Write min 1, say."
        if f.type is FieldType.INTEGER and abs(bound.value) > SAFE_INTEGER:
            return f"A bound of {f.name!r} is beyond what JSON numbers carry.", "Choose a smaller."
        if f.type is FieldType.INTEGER and bound.value != bound.value.to_integral_value():
            return f"A bound of the integer {f.name!r} is no whole number.", "Write min 1, say."
        if normal(FieldType.DECIMAL, bound.value) is None:
            return f"A bound of {f.name!r} has more digits than numbers carry.", "Shorten it."
        return None
    if f.type.is_temporal:
        if not isinstance(bound.value, str) or normal(f.type, bound.value) is None:
            why = "Bounds are fixed; write" if bound.value == "now" else "Write"
            return f"A bound of {f.name!r} is not a {f.type}.", f'{why} min "{_EXAMPLES[f.type]}", say.'
        return None
    if f.type.is_textual:
        whole = isinstance(bound.value, Decimal) and bound.value == int(bound.value) >= 0
        if not whole or bound.exclusive:
            return f"A length of {f.name!r} must be a whole number.", "Write max 80, say."
        return None
    return f"A {f.type} has no minimum or maximum.", "Remove the bound or change the type."


def _pattern(f: Field, path: str) -> Iterator[Problem]:
    if f.pattern is None:
        return
    if f.type not in (FieldType.TEXT, FieldType.LONG_TEXT):
        yield Problem(f"A pattern fits text only, and {f.name!r} is {f.type}.", "Remove it.", path)
    try:
        translated(f.pattern)
    except PatternError as error:
        yield Problem(f"The pattern of {f.name!r} is broken: {error}.", "Mend it.", path)


def _unfillable(f: Field, path: str) -> Iterator[Problem]:
    """A required field that no example was found for could be proven by nothing."""
    if f.pattern is None or f.read_only or f.computed is not None or sample(f) is not None:
        return
    yield Problem(
        f"No text was found that fits the pattern and the lengths of {f.name!r}.",
        "Widen them, or write the pattern more simply." if f.required else "Its examples and checks leave it out.",
        path,
        severity="error" if f.required else "warning",
    )


def _default(f: Field, path: str, *, sound: bool) -> Iterator[Problem]:
    if f.constant_default is None:
        pass  # what is worked out of a row is looked at with the row
    elif f.type is FieldType.ENUM and f.default not in f.values:
        yield Problem(
            f"The default {f.default!r} of {f.name!r} is not one of its values.",
            f"Choose one of {', '.join(f.values)}.",
            path,
        )
    elif not valid_constant(f, f.constant_default):
        yield Problem(f"The default of {f.name!r} is not a valid {f.type}.", _default_hint(f), path)
    elif sound and not is_within(f, f.constant_default):
        yield Problem(
            f"The default of {f.name!r} is outside of its own bounds or pattern.", "Mend one of them.", path
        )
    if f.unique and not looked_at(f):
        yield Problem(
            f"{f.name!r} is unique, so its default can be used once.",
            "Remove one of the two.",
            path,
            severity="warning",
        )


def _default_hint(f: Field) -> str:
    if f.type in (FieldType.JSON, FieldType.LIST):
        return "It cannot have a default: remove it."
    if f.type is FieldType.MONEY:
        return "Write at most two decimals."
    return f'Write default "{_EXAMPLES[f.type]}", say.' if f.type in _EXAMPLES else "Mend the default."
