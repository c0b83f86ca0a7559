"""What a computed field must answer, worked out here a second time from the other fields of a row."""

from __future__ import annotations

import math
from typing import Any

from clodo.blueprint.values import Expression, Field, FieldType, Operand, Operation

_TEXTS = (FieldType.TEXT, FieldType.LONG_TEXT, FieldType.EMAIL, FieldType.URL, FieldType.ENUM, FieldType.DATE)


class Unknown(Exception):
    """The row does not show enough to tell the value (a write-only field, say)."""


def worked_out(expression: Expression, row: dict[str, Any], fields: dict[str, Field]) -> Any:
    """The value of an expression for an answered row: a number, a text, or ``None``.

    Raises:
        Unknown: it cannot be told from the row.
    """
    if isinstance(expression, Operand):
        return _operand(expression, row, fields)
    if not isinstance(expression, Operation) or expression.operator not in ("+", "-", "*", "/", "&"):
        raise Unknown("the row alone does not tell")
    left = worked_out(expression.left, row, fields)
    right = worked_out(expression.right, row, fields)
    if left is None or right is None:
        return None
    if expression.operator == "&":
        if not (isinstance(left, str) and isinstance(right, str)):
            raise Unknown("how the database writes a number is its own matter")
        return left + right
    if isinstance(left, str) or isinstance(right, str):
        raise Unknown("texts are no numbers")
    if expression.operator == "/":
        return left / right if right else None
    return {"+": left + right, "-": left - right, "*": left * right}[expression.operator]


def _operand(operand: Operand, row: dict[str, Any], fields: dict[str, Field]) -> Any:
    if not operand.is_field:
        return operand.value if isinstance(operand.value, str) else float(operand.value)
    f = fields.get(str(operand.value))
    if f is None or f.name not in row or not (f.type.is_number or f.type in _TEXTS):
        raise Unknown(f"{operand.value} is not shown as a number or text")
    value = row[f.name]
    return value if value is None or isinstance(value, str) else float(value)


def agrees(f: Field, got: Any, wanted: Any) -> bool:
    """Whether an answered value is the one worked out, but for the rounding of the field's type."""
    if wanted is None or isinstance(wanted, str):
        return bool(got == wanted)
    rounding = {FieldType.MONEY: 0.00501, FieldType.INTEGER: 0.501}.get(f.type, 0.0)
    return isinstance(got, int | float) and math.isclose(got, wanted, rel_tol=1e-9, abs_tol=rounding)
