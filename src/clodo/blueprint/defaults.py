"""Defaults that are worked out when a row is made: from the other values of the row, the moment and constants, and from nothing else."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from clodo.blueprint.formulas import AGGREGATES, LINKED, Scope, names_in, parts, value_problems
from clodo.blueprint.problems import Problem
from clodo.blueprint.values import (
    Blueprint,
    Call,
    Entity,
    Expression,
    Field,
    FieldType,
    IsEmpty,
    Operand,
    Operation,
    Path,
    Reference,
)

_CLOCK = ("now", "today")


def row_scope(fields: Sequence[Field]) -> Scope:
    """Where defaults stand: over the fields of a row that is not there yet, which has no id, no references and no stamps."""
    row = Entity("row", tuple(fields), timestamps=False)
    return Scope(Blueprint("", entities=(row,)), row)


def looked_at(f: Field) -> list[str]:
    """The names of the fields that the default of a field looks at, each once."""
    if f.worked_out is None:
        return []
    return [name for name in dict.fromkeys(names_in(f.worked_out)) if name not in _CLOCK]


def uses_clock(f: Field) -> bool:
    """Whether the default of a field is another one at another time."""
    if f.worked_out is None:
        return f.default == "now" and f.type.is_temporal
    return any(name in _CLOCK for name in names_in(f.worked_out))


def in_order(fields: Sequence[Field]) -> list[list[Field]]:
    """The fields whose defaults are worked out, in steps: each looks only at what is no such field or stands in an earlier step."""
    left = {f.name: f for f in fields if f.worked_out is not None}
    steps = []
    while left:
        step = [f for f in left.values() if not {*looked_at(f)} & {*left}]
        assert step, "the defaults go round in a circle"
        steps.append(step)
        left = {name: f for name, f in left.items() if f not in step}
    return steps


def default_problems(
    owner: str,
    fields: Sequence[Field],
    references: Sequence[Reference] = (),
    places: Mapping[str, str] | None = None,
) -> Iterator[Problem]:
    """The problems of the defaults of a row that are worked out. ``owner`` is what a row is called, ``places`` where its fields
    stand, if not below it."""
    row = Entity(owner, tuple(fields), tuple(references), timestamps=False)
    for f in fields:
        if f.worked_out is not None:
            yield from _default(row, f, places[f.name] if places else f"{owner}.{f.name}")


def _default(row: Entity, f: Field, path: str) -> Iterator[Problem]:
    e = f.worked_out
    assert e is not None
    if f.type in (FieldType.JSON, FieldType.LIST):
        yield Problem(
            f"The default of {f.name!r} is not a valid {f.type}.",
            "It cannot have a default: remove it.",
            path,
        )
        return
    found = [*_beyond(row, f, e, path)]
    yield from found
    if found:
        return
    scope = row_scope(row.fields)
    for message in value_problems(
        e, replace(scope, entity=replace(scope.entity, name=row.name)), f
    ):
        yield Problem(f"In the default of {f.name!r}: {message}", "Mend the expression.", path)
        return
    yield from _emptiness(row, f, e, path)


def _beyond(row: Entity, f: Field, e: Expression, path: str) -> Iterator[Problem]:
    """What a default looks at and cannot."""
    for part in parts(e):
        if isinstance(part, Path):
            yield Problem(
                f"The default of {f.name!r} looks at {'.'.join(part.names)!r}, and a default knows its own row only.",
                "Take a computed field ('= …'), or set it in an action.",
                path,
            )
            return
        if isinstance(part, Call) and part.function in (*AGGREGATES, LINKED):
            yield Problem(
                f"The default of {f.name!r} looks at other rows, and a default knows its own row only.",
                "Take a computed field ('= …'), or set it in an action.",
                path,
            )
            return
    for name in dict.fromkeys(names_in(e)):
        if reason := _unknown(row, f, name):
            yield Problem(*reason, path)
            return
    if f.name in _reached(row, f):
        yield Problem(
            f"The default of {f.name!r} is worked out of itself, in the end.",
            "Take it out of what it is worked out of.",
            path,
        )


def _unknown(row: Entity, f: Field, name: str) -> tuple[str, str] | None:
    """Why a default cannot look at what has that name, and what to do; ``None`` where it can."""
    other = row.field(name)
    if other is None and name in _CLOCK:
        return None
    if other is None and f.type is FieldType.ENUM:
        return (
            f"The default {name!r} of {f.name!r} is not one of its values.",
            f"Choose one of {', '.join(f.values)}.",
        )
    why = ""
    if any(r.name == name for r in row.references):
        why = "which names another row"
    elif name in ("created_at", "updated_at"):
        why = "which comes later; 'now' is the same moment"
    elif name in ("caller", "owner", "this", "empty"):
        why = "which a default does not know"
    elif other is None:
        near = difflib.get_close_matches(name, [o.name for o in row.fields], n=1)
        text = (
            f'Write default "{name}" for the text itself.'
            if f.type in (FieldType.TEXT, FieldType.LONG_TEXT)
            else "Name a field of the row."
        )
        return f"{row.name} has no field {name!r}.", f"Did you mean {near[0]}?" if near else text
    elif other.computed is not None:
        why = "which is computed; write the whole expression out"
    elif other.read_only or other.made:
        why = "which no body gives; write its own default out"
    elif other.write_only:
        why = "which is write-only, and this would tell it"
    elif other.type in (FieldType.JSON, FieldType.LIST):
        why = f"which is a {other.type}"
    return (
        (f"The default of {f.name!r} looks at {name!r}, {why}.", "Mend the default.")
        if why
        else None
    )


def _reached(row: Entity, f: Field) -> set[str]:
    """The fields that a default looks at, however far."""
    seen: set[str] = set()
    left = looked_at(f)
    while left:
        name = left.pop()
        other = row.field(name)
        if name not in seen and other is not None:
            seen.add(name)
            left += looked_at(other)
    return seen


def _emptiness(row: Entity, f: Field, e: Expression, path: str) -> Iterator[Problem]:
    """A required field that may find nothing to be worked out of."""
    if not f.required:
        return
    divided = [p.right for p in parts(e) if isinstance(p, Operation) and p.operator == "/"]
    divides = any(not isinstance(by, Operand) or by.is_field or not by.value for by in divided)
    # What is asked whether it is empty may be.
    asked = {
        str(p.inner.value)
        for p in parts(e)
        if isinstance(p, IsEmpty) and isinstance(p.inner, Operand)
    }
    others = [
        o for name in looked_at(f) if name not in asked and (o := row.field(name)) is not None
    ]
    why = next(
        (f"{o.name!r} may be empty" for o in others if not o.required),
        "it divides by what may be zero" if divides else "",
    )
    if not why:
        return
    mend = f"Make {f.name!r} optional, or see to it that its default has a value."
    if f.read_only:
        yield Problem(
            f"{f.name!r} is required and read-only, and its default may have no value: {why}.",
            mend,
            path,
        )
    else:
        words = f"A {row.name} without {f.name!r} is refused where its default has no value: {why}."
        yield Problem(words, mend, path, severity="warning")
