"""Expressions of the language as TypeScript, over the values of a body: calls of ``src/lib/formula.ts``, which does what the
database does with the same expression (``clodo.emit.expressions``)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from importlib.resources import files

from clodo.blueprint.defaults import looked_at, row_scope
from clodo.blueprint.formulas import DURATIONS, PERIODS, Kind, Scope, type_of
from clodo.blueprint.text import number
from clodo.blueprint.values import (
    Call,
    Constant,
    Expression,
    Field,
    FieldType,
    IsEmpty,
    IsIn,
    Not,
    Operand,
    Operation,
)
from clodo.emit.brick import Import
from clodo.emit.expressions import may_have_dust, stored_as

_MOMENTS = (Kind.DATE, Kind.DATETIME)
_ARITHMETIC = {"+": "plus", "-": "minus", "*": "times", "/": "over"}


def formula_import(fields: Sequence[Field], folder: str) -> tuple[Import, ...]:
    """The import that the sources of these fields need, from a file that finds the library under ``folder``."""
    return (Import("formula", f"{folder}/formula"),) if has_formulas(fields) else ()


def has_formulas(fields: Sequence[Field]) -> bool:
    """Whether the default of any of the fields is worked out."""
    return any(f.worked_out is not None for f in fields)


def formula_files(fields: Sequence[Field]) -> dict[str, str]:
    """The library that the sources of these fields need: path → text."""
    if not has_formulas(fields):
        return {}
    return {
        "src/lib/formula.ts": files("clodo.bricks.resources")
        .joinpath("ts", "private", "formula.ts")
        .read_text("utf-8")
    }


def default_source(f: Field, row: Sequence[Field]) -> str:
    """The default of a field that is worked out of its row, as a function of the service."""
    assert f.worked_out is not None
    scope = row_scope(row)
    made = typescript(_in_form(f.worked_out, f), scope)
    kind = type_of(f.worked_out, scope, []).kind
    if f.type is FieldType.MONEY:
        made = f"formula.rounded({made}, 100)"
    elif f.type is FieldType.INTEGER:
        made = f"formula.rounded({made}, 1)"
    elif f.type is FieldType.DATE and kind is Kind.DATETIME:
        made = f"formula.dateOf({made})"
    elif f.type is FieldType.DATETIME and kind is Kind.DATE:
        made = f"formula.momentOf({made})"
    return f"formula.from(({'value' if looked_at(f) else ''}) => {made})"


def _in_form(e: Expression, f: Field) -> Expression:
    """A constant in the form in which the field stores it."""
    if isinstance(e, Operand) and not e.is_field:
        kind = {
            FieldType.DATE: Kind.DATE,
            FieldType.DATETIME: Kind.DATETIME,
            FieldType.TIME: Kind.TIME,
        }.get(f.type)
        return Operand(stored_as(kind, e.value)) if kind is not None else e
    return e


def typescript(e: Expression, scope: Scope) -> str:
    """An expression that was found sound, as TypeScript over a function ``value`` of names."""
    if isinstance(e, Operand):
        return _operand(e, scope)
    if isinstance(e, Call):
        return _call(e, scope)
    if isinstance(e, Not):
        return f"formula.not({typescript(e.inner, scope)})"
    if isinstance(e, IsEmpty):
        return f"({typescript(e.inner, scope)} {'!==' if e.negated else '==='} null)"
    if isinstance(e, IsIn):
        kind = type_of(e.inner, scope, []).kind
        inner, made = typescript(e.inner, scope), [_constant(stored_as(kind, value)) for value in e.values]
        if kind is Kind.NUMBER and may_have_dust(e.inner, scope):
            inner, made = f"formula.dusted({inner})", [f"formula.dusted({value})" for value in made]
        return f"formula.among({inner}, [{', '.join(made)}])"
    if isinstance(e, Operation):
        return _operation(e, scope)
    raise ValueError("what reaches beyond the row is for the database")


def _operand(e: Operand, scope: Scope) -> str:
    if not e.is_field:
        return _constant(e.value)
    name = str(e.value)
    if scope.entity.field(name) is not None:
        return f"value({_constant(name)})"
    return {"now": "formula.now()", "today": "formula.today()"}[name]


def _constant(value: Constant) -> str:
    if isinstance(value, Decimal):
        return number(value)
    return (
        json.dumps(value, ensure_ascii=False)
        .replace("\u2028", "\\u2028")
        .replace("\u2029", "\\u2029")
    )


def _call(e: Call, scope: Scope) -> str:
    argument = typescript(e.argument, scope)
    if e.function in PERIODS:
        return f'formula.period("{e.function}", {argument})'
    if e.function not in ("round", "abs", "length", "lower"):
        raise ValueError(f"{e.function!r} gives no value of a row")
    return f"formula.{e.function}({argument})"


def _operation(e: Operation, scope: Scope) -> str:
    if e.operator in ("and", "or"):
        return f"formula.{e.operator}({typescript(e.left, scope)}, {typescript(e.right, scope)})"
    if e.operator == "&":
        return f"formula.joined({typescript(e.left, scope)}, {typescript(e.right, scope)})"
    kinds = [type_of(side, scope, []).kind for side in (e.left, e.right)]
    if e.operator in ("=", "!=", "<", "<=", ">", ">="):
        return _compared(e, kinds, scope)
    left = typescript(e.left, scope)
    if kinds[0] in _MOMENTS and isinstance(e.right, Call) and e.right.function in DURATIONS:
        length = typescript(e.right.argument, scope)
        if e.operator == "-":
            length = f"formula.times(-1, {length})"
        move = "movedDate" if kinds[0] is Kind.DATE else "movedMoment"
        return f'formula.{move}({left}, {length}, "{e.right.function}")'
    right = typescript(e.right, scope)
    if kinds[0] in _MOMENTS:
        return f"formula.daysBetween({left}, {right})"
    return f"formula.{_ARITHMETIC[e.operator]}({left}, {right})"


def _compared(e: Operation, kinds: list[Kind], scope: Scope) -> str:
    """As the database compares: the day of a moment with a date, worked-out numbers without the dust of binary fractions."""
    sides = (e.left, e.right)
    made = [
        _constant(stored_as(other, side.value))
        if isinstance(side, Operand) and not side.is_field
        else typescript(side, scope)
        for side, other in zip(sides, reversed(kinds), strict=True)
    ]
    if set(kinds) == set(_MOMENTS):
        made = [
            f"formula.dateOf({s})" if k is Kind.DATETIME else s
            for s, k in zip(made, kinds, strict=True)
        ]
    elif set(kinds) == {Kind.NUMBER} and any(may_have_dust(side, scope) for side in sides):
        made = [f"formula.dusted({s})" for s in made]
    if e.operator == "!=":
        return f"({made[0]} !== {made[1]})"
    return f'formula.compared({made[0]}, "{e.operator}", {made[1]})'
