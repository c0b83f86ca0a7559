"""What a rule asks of files, which no row has when it is made: they are uploaded to a row that is there."""

from __future__ import annotations

from collections.abc import Iterator

from clodo.blueprint.formulas import names_in, parts
from clodo.blueprint.problems import Problem
from clodo.blueprint.values import (
    Entity,
    Expression,
    Field,
    IsEmpty,
    Not,
    Operand,
    Operation,
)
from clodo.bricks.files.language import FileField


def unmet_problems(e: Entity, condition: Expression, path: str) -> Iterator[Problem]:
    """A condition of every row that none can meet when it is made."""
    if _truth(e, condition) is not False:
        return
    names = [name for name in dict.fromkeys(_names(e, condition)) if _is_file(e, name)]
    yield Problem(
        f"No {e.name} could be made: {' and '.join(map(repr, names))} can be uploaded only once the row is there.",
        f"Ask for it where a step is taken: 'when {names[0]} is not empty' in an action of {e.name}; or add 'or …', for rows that need none yet.",
        path,
    )


def shared_problems(e: Entity, names: tuple[str, ...], path: str) -> Iterator[Problem]:
    """Files by which rows are counted or kept apart: no two are alike."""
    for name in names:
        if _is_file(e, name):
            yield Problem(f"{name!r} is a file, and no two rows share one.", "Name a field or reference of it, or its owner.", path)


def _is_file(e: Entity, name: str) -> bool:
    return any(f.name == name for f in e.parts_of(FileField))


def _computed(e: Entity, expression: Expression) -> Expression | None:
    """What a computed field is computed from, where the expression names one."""
    named = expression.value if isinstance(expression, Operand) and expression.is_field else ""
    f = e.field(str(named))
    return f.computed if isinstance(f, Field) else None


def _names(e: Entity, condition: Expression) -> Iterator[str]:
    yield from names_in(condition)
    for part in parts(condition):
        if (computed := _computed(e, part)) is not None:
            yield from names_in(computed)


def _truth(e: Entity, condition: Expression) -> bool | None:
    """Whether a condition holds of every new row (``True``) or of none (``False``), as far as its files decide that; else ``None``."""
    if (computed := _computed(e, condition)) is not None:
        return _truth(e, computed)
    if isinstance(condition, IsEmpty):
        inner = condition.inner
        known = isinstance(inner, Operand) and inner.is_field and _is_file(e, str(inner.value))
        return not condition.negated if known else None
    if isinstance(condition, Not):
        inside = _truth(e, condition.inner)
        return None if inside is None else not inside
    if isinstance(condition, Operand):
        return condition.value if isinstance(condition.value, bool) and not condition.is_field else None
    return _joined(e, condition) if isinstance(condition, Operation) else None


def _joined(e: Entity, operation: Operation) -> bool | None:
    sides = [_truth(e, operation.left), _truth(e, operation.right)]
    if operation.operator == "and":
        return False if False in sides else None if None in sides else True
    if operation.operator == "or":
        return True if True in sides else None if None in sides else False
    if None in sides or operation.operator not in ("=", "!="):
        return None
    return (sides[0] == sides[1]) is (operation.operator == "=")
