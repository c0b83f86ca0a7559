"""What can be wrong with a single field."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from uuid import UUID

from clodo.blueprint.problems import Problem
from clodo.blueprint.values import (
    Bound,
    Constant,
    Expression,
    Field,
    FieldType,
    Operand,
)

_SAFE_INTEGER = 2**53 - 1


def field_problems(f: Field, siblings: tuple[Field, ...], path: str) -> Iterator[Problem]:
    """The problems of ``f``; ``siblings`` are all fields of its entity."""
    yield from _values(f, path)
    yield from _bounds(f, path)
    yield from _pattern(f, path)
    if f.default is not None:
        yield from _default(f, path)
    if f.unique and f.type in (FieldType.JSON, FieldType.LIST, FieldType.BOOLEAN):
        yield Problem(f"A {f.type} cannot be unique.", "Remove 'unique'.", path)
    if f.read_only and f.write_only:
        yield Problem(f"{f.name!r} is read-only and write-only.", "Keep one of the two.", path)
    if f.read_only and f.required and f.default is None:
        yield Problem(
            f"{f.name!r} is required, read-only and has no default: nothing could fill it.",
            "Give it a default, or remove 'required'.",
            path,
        )
    if f.computed is not None:
        yield from _computed(f, siblings, path)


def _values(f: Field, path: str) -> Iterator[Problem]:
    if f.type is FieldType.ENUM and not f.values:
        yield Problem(f"The enum {f.name!r} has no values.", "Write enum(a, b).", path)
    if len(set(f.values)) < len(f.values):
        yield Problem(f"The enum {f.name!r} has a value twice.", "Remove one.", path)
    if any(not v.strip() or len(v) > 100 for v in f.values):
        yield Problem(f"The enum {f.name!r} has an empty or very long value.", "", path)


def _bounds(f: Field, path: str) -> Iterator[Problem]:
    low, high = f.minimum, f.maximum
    for bound in (low, high):
        if bound is None:
            continue
        message = _bound_problem(f, bound)
        if message:
            yield Problem(*message, path)
            return
    if low is not None and high is not None and _empty(low, high):
        yield Problem(
            f"No value of {f.name!r} can satisfy both bounds.", "Exchange or mend them.", path
        )


def _empty(low: Bound, high: Bound) -> bool:
    if isinstance(low.value, Decimal) and isinstance(high.value, Decimal):
        if low.value == high.value:
            return low.exclusive or high.exclusive
        return low.value > high.value
    return str(low.value) > str(high.value)


def _bound_problem(f: Field, bound: Bound) -> tuple[str, str] | None:
    if f.type.is_number:
        if not isinstance(bound.value, Decimal):
            return f"A bound of {f.name!r} is no number.", "Write min 1, say."
        if f.type is FieldType.INTEGER and abs(bound.value) > _SAFE_INTEGER:
            return f"A bound of {f.name!r} is beyond what JSON numbers carry.", "Choose a smaller."
        return None
    if f.type.is_temporal:
        if not isinstance(bound.value, str) or not valid_constant(f, bound.value):
            return f"A bound of {f.name!r} is not a {f.type}.", 'Write min "2020-01-31", say.'
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
        re.compile(f.pattern)
    except re.error as error:
        yield Problem(f"The pattern of {f.name!r} is broken: {error}.", "Mend it.", path)
    if re.search(r"\(\?P|\(\?\(|\\[AZ]|\(\?[aiLmsux]", f.pattern):
        yield Problem(
            f"The pattern of {f.name!r} uses syntax that JavaScript lacks.",
            "Use plain groups, ^ and $.",
            path,
        )


def _default(f: Field, path: str) -> Iterator[Problem]:
    assert f.default is not None
    if f.type is FieldType.ENUM and f.default not in f.values:
        yield Problem(
            f"The default {f.default!r} of {f.name!r} is not one of its values.",
            f"Choose one of {', '.join(f.values)}.",
            path,
        )
    elif not valid_constant(f, f.default):
        yield Problem(
            f"The default of {f.name!r} is not a valid {f.type}.", "Mend the default.", path
        )
    elif not _within(f, f.default):
        yield Problem(f"The default of {f.name!r} is out of its range.", "Mend one of them.", path)
    if f.unique:
        yield Problem(
            f"{f.name!r} is unique, so its default can be used once.",
            "Remove one of the two.",
            path,
            severity="warning",
        )


def valid_constant(f: Field, value: Constant) -> bool:
    """Whether a constant is of the type of the field."""
    if f.type.is_number:
        if not isinstance(value, Decimal):
            return False
        return f.type is not FieldType.INTEGER or (
            value == value.to_integral_value() and abs(value) <= _SAFE_INTEGER
        )
    if f.type is FieldType.BOOLEAN:
        return isinstance(value, bool)
    if not isinstance(value, str) or f.type in (FieldType.JSON, FieldType.LIST):
        return False
    if f.type.is_temporal:
        return value == "now" or _temporal(f.type, value)
    if f.type is FieldType.UUID:
        return _parses(UUID, value)
    if f.type is FieldType.EMAIL:
        return re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", value) is not None
    if f.type is FieldType.URL:
        return value.startswith(("http://", "https://"))
    return True


def _temporal(type_: FieldType, value: str) -> bool:
    if type_ is FieldType.DATE:
        return len(value) == 10 and _parses(date.fromisoformat, value)
    if type_ is FieldType.TIME:
        return _parses(time.fromisoformat, value)
    return "T" in value and _parses(datetime.fromisoformat, value)


def _parses(make: object, value: str) -> bool:
    try:
        make(value)  # type: ignore[operator]
    except ValueError:
        return False
    return True


def _within(f: Field, value: Constant) -> bool:
    if f.type.is_textual and isinstance(value, str):
        size: Constant = Decimal(len(value))
    else:
        size = value
    low, high = f.minimum, f.maximum
    if not isinstance(size, Decimal):
        return True
    if low is not None and isinstance(low.value, Decimal):
        if size < low.value or (low.exclusive and size == low.value):
            return False
    if high is not None and isinstance(high.value, Decimal):
        if size > high.value or (high.exclusive and size == high.value):
            return False
    return True


def _computed(f: Field, siblings: tuple[Field, ...], path: str) -> Iterator[Problem]:
    assert f.computed is not None
    if f.required or f.unique or f.default is not None or f.minimum or f.maximum or f.pattern:
        yield Problem(
            f"{f.name!r} is computed, so it takes no other rules.", "Remove them.", path
        )
    if not (f.type.is_number or f.type in (FieldType.TEXT, FieldType.LONG_TEXT)):
        yield Problem(f"A {f.type} cannot be computed.", "Use a number or a text.", path)
        return
    by_name = {s.name: s for s in siblings}
    for leaf in leaves(f.computed):
        if not leaf.is_field:
            continue
        sibling = by_name.get(str(leaf.value))
        if sibling is None:
            yield Problem(f"{f.name!r} is computed from {leaf.value!r}, which is no field.", "", path)
        elif sibling.computed is not None:
            yield Problem(
                f"{f.name!r} is computed from {leaf.value!r}, which is computed itself.",
                "Write the whole expression out.",
                path,
            )
        elif sibling.write_only:
            yield Problem(f"{f.name!r} would tell the write-only {leaf.value!r}.", "", path)
    yield from _operand_types(f, f.computed, by_name, path)


def leaves(e: Expression) -> Iterator[Operand]:
    """The operands of an expression, left to right."""
    if isinstance(e, Operand):
        yield e
    else:
        yield from leaves(e.left)
        yield from leaves(e.right)


def _operand_types(
    f: Field, e: Expression, by_name: dict[str, Field], path: str
) -> Iterator[Problem]:
    """Arithmetic wants numbers for a number, ``&`` wants texts for a text."""
    joins, numbers = _operators(e) <= {"&"}, _operators(e) <= {"+", "-", "*", "/"}
    if (f.type.is_number and not numbers) or (not f.type.is_number and not joins):
        yield Problem(
            f"The expression of {f.name!r} does not give a {f.type}.",
            "Use + - * / for numbers and & to join texts.",
            path,
        )
        return
    for leaf in leaves(e):
        if leaf.is_field:
            sibling = by_name.get(str(leaf.value))
            number = sibling is None or sibling.type.is_number
            text = sibling is None or not sibling.type.is_number
        else:
            number, text = isinstance(leaf.value, Decimal), isinstance(leaf.value, str)
        if f.type.is_number and not number:
            yield Problem(f"{leaf.value!r} in {f.name!r} is no number.", "", path)
        if not f.type.is_number and not text:
            yield Problem(f"{leaf.value!r} in {f.name!r} is no text.", "", path)


def _operators(e: Expression) -> set[str]:
    return set() if isinstance(e, Operand) else {e.operator} | _operators(e.left) | _operators(e.right)
