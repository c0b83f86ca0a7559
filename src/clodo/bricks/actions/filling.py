"""What the rows that an action makes are filled with, where its defaults are worked out."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from clodo.blueprint.evaluation import Unknowable
from clodo.blueprint.filling import is_filled
from clodo.blueprint.text import default_text
from clodo.blueprint.values import Entity, Field, FieldType, Operand
from clodo.bricks.actions.values import CreateRow
from clodo.bricks.actions.view import View
from clodo.bricks.resources.filling import around
from clodo.bricks.rules.language import key_of
from clodo.proof.client import Answer
from clodo.proof.session import Fault, Row


async def defaults_of_made(view: View, id: str, answer: Answer) -> None:
    """The rows that refer to the row of the action have the defaults that they must have, and ids where the service makes some. (Other checks make rows meanwhile, so those
    that refer to nothing say nothing.)"""
    for effect in view.action.effects:
        entity = view.b.entity(effect.entity) if isinstance(effect, CreateRow) else None
        if entity is None or not isinstance(effect, CreateRow):
            continue
        given = {a.target[0] for a in effect.assignments}
        left_out = [f for f in entity.fields if f.worked_out is not None and f.name not in given]
        this = next(
            (a.target[0] for a in effect.assignments if a.value == Operand("this", is_field=True)),
            None,
        )
        ids = [f.name for f in entity.fields if f.made and f.type is FieldType.UUID]
        if (left_out or ids) and this is not None:
            sql = f'SELECT * FROM "{entity.name}" WHERE "{key_of(entity, this)}" = ? ORDER BY "id" DESC LIMIT 1'
            for row in await view.s.query(sql, id):
                _expect_defaults(entity, row, left_out, answer)
                _expect_ids(entity, row, ids, answer)


def _expect_defaults(e: Entity, stored: Row, left_out: list[Field], answer: Answer) -> None:
    names = {f.name for f in left_out}
    row = {f.name: _plain(f, stored[f.name]) for f in e.fields if f.computed is None}
    try:
        fillings = around(
            e.fields, {name: value for name, value in row.items() if name not in names}
        )
    except Unknowable:
        return
    for f in left_out:
        if not is_filled(f, row[f.name], [filling.values[f.name] for filling in fillings]):
            raise Fault(
                f"{e.name}.{f.name} of the row that was made is {row[f.name]!r}, which is not {default_text(f)}",
                answer,
            )


def _expect_ids(e: Entity, stored: Row, names: list[str], answer: Answer) -> None:
    for name in names:
        try:
            known = str(UUID(stored[name]))
        except ValueError:
            known = ""
        if stored[name] != known:
            raise Fault(f"{e.name}.{name} of the row that was made is {stored[name]!r}, which is no UUID", answer)


def _plain(f: Field, value: Any) -> Any:
    """A stored value as JSON has it."""
    if value is None:
        return None
    return (
        value / 100
        if f.type is FieldType.MONEY
        else bool(value)
        if f.type is FieldType.BOOLEAN
        else value
    )
