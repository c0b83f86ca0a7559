"""Computed fields as SQL expressions."""

from __future__ import annotations

from decimal import Decimal

from clodo.blueprint.text import number
from clodo.blueprint.values import Entity, Expression, FieldType, Operand


def computed_sql(expression: Expression, entity: Entity) -> str:
    """The expression over the columns of the entity; null where any part of it is null, or where it
    would divide by zero."""
    if isinstance(expression, Operand):
        return _operand(expression, entity)
    left, right = computed_sql(expression.left, entity), computed_sql(expression.right, entity)
    if expression.operator == "&":
        return f"({left} || {right})"
    if expression.operator == "/":
        return f"({left} * 1.0 / NULLIF({right}, 0))"
    return f"({left} {expression.operator} {right})"


def _operand(operand: Operand, entity: Entity) -> str:
    if operand.is_field:
        f = entity.field(str(operand.value))
        column = f'"{operand.value}"'
        # Money is stored in hundredths.
        return f"({column} / 100.0)" if f is not None and f.type is FieldType.MONEY else column
    if isinstance(operand.value, Decimal):
        return number(operand.value)
    return "'" + str(operand.value).replace("'", "''") + "'"
