"""What a computed field must answer, worked out here a second time from the other fields of a row."""

from __future__ import annotations

import math
from typing import Any

from clodo.blueprint.evaluation import Unknowable, value_of
from clodo.blueprint.formulas import parts
from clodo.blueprint.values import Expression, Field, FieldType, Operand, Operation

_TEXTS = (FieldType.TEXT, FieldType.LONG_TEXT, FieldType.EMAIL, FieldType.URL, FieldType.ENUM, FieldType.DATE)


def worked_out(expression: Expression, row: dict[str, Any], fields: dict[str, Field]) -> Any:
    """The value of an expression for an answered row: a number, a text, or ``None``.

    Raises:
        Unknowable: it cannot be told from the row.
    """
    for part in parts(expression):
        if isinstance(part, Operand):
            f = fields.get(str(part.value))
            if part.is_field and (f is None or f.name not in row or not (f.type.is_number or f.type in _TEXTS)):
                raise Unknowable(f"{part.value} is not shown as a number or text")
        elif not isinstance(part, Operation) or part.operator not in ("+", "-", "*", "/", "&"):
            raise Unknowable("the row alone does not tell")
    return value_of(expression, row)


def agrees(f: Field, got: Any, wanted: Any) -> bool:
    """Whether an answered value is the one worked out, but for the rounding of the field's type."""
    if wanted is None or isinstance(wanted, str):
        return bool(got == wanted)
    rounding = {FieldType.MONEY: 0.00501, FieldType.INTEGER: 0.501}.get(f.type, 0.0)
    return isinstance(got, int | float) and math.isclose(got, wanted, rel_tol=1e-9, abs_tol=rounding)
