"""Links between rows that a condition asks for: made and removed in the database."""

from __future__ import annotations

from clodo.blueprint.formulas import LINKED, member
from clodo.blueprint.linking import Linking, linking
from clodo.blueprint.values import Blueprint, Call, Entity, Expression, Operand, Path, Reference
from clodo.bricks.rules.language import key_of
from clodo.proof.session import Row, Session


def is_linked(e: Expression) -> bool:
    """Whether it asks if the row is linked with another."""
    return isinstance(e, Call) and e.function == LINKED


def link_wanted(b: Blueprint, e: Entity, other: Entity, part: Expression, row: Row) -> tuple[Linking, str] | None:
    """The links, and the row of them, that a row of ``other`` must be linked with so that it meets a part of a condition on rows of ``e``:
    ``linked(this)`` or ``linked(this.book)``. ``None`` where the part is neither."""
    if not isinstance(part, Call) or part.function != LINKED:
        return None
    target, id = "", None
    if part.argument == Operand("this", is_field=True):
        target, id = e.name, row["id"]
    elif isinstance(part.argument, Path) and part.argument.names[0] == "this" and len(part.argument.names) == 2:
        reference = member(e, part.argument.names[1])
        target = reference.target if isinstance(reference, Reference) else ""
        id = row.get(key_of(e, part.argument.names[1]))
    found = linking(b, other.name, target)
    return (found, str(id)) if found is not None and id is not None else None


async def put_link(s: Session, there: Linking, own: str, other: str) -> None:
    """Links two rows, if they are not linked."""
    await s.query(f'INSERT OR IGNORE INTO "{there.table}" ("{there.own}", "{there.other}") VALUES (?, ?)', own, other)


async def drop_link(s: Session, there: Linking, own: str, other: str) -> None:
    """Undoes the link of two rows."""
    await s.query(f'DELETE FROM "{there.table}" WHERE "{there.own}" = ? AND "{there.other}" = ?', own, other)
