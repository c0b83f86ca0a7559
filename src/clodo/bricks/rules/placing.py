"""Values put into the database by the proof: what no request may set, so that rows get into the states that checks need. Files come
by requests, so that what rows tell of them is there."""

from __future__ import annotations

from typing import Any

from clodo.blueprint.formulas import Scope
from clodo.blueprint.values import Entity, Expression, FieldType, Not
from clodo.bricks.files.language import FileField
from clodo.bricks.files.proving import Place as FilePlace
from clodo.bricks.rules.samples import conjuncts, made_to_hold, satisfying
from clodo.bricks.rules.transitions import Transitions, initial, way
from clodo.emit.expressions import Place, sql
from clodo.proof.session import Row, Session, StatementRefused


async def put(s: Session, e: Entity, id: str, name: str, value: Any) -> None:
    """Stores a value in a row, a state by the changes that lead there, a file (whichever, or none) by an upload; what a rule refuses
    leaves the row as it is."""
    if (file := next((p for p in e.parts_of(FileField) if p.name == name), None)) is not None:
        place = FilePlace(s, e, file)
        await (place.upload(id, place.content()) if value is not None else place.remove(id))
        return
    f = e.field(name)
    steps = [value]
    for t in e.parts_of(Transitions):
        if t.field == name:
            found = await s.query(f'SELECT "{name}" AS "value" FROM "{e.name}" WHERE "id" = ?', id)
            steps = way(t, (found[0]["value"] if found else None) or initial(e, t), value) or []
    for step in steps:
        if isinstance(step, bool):
            step = int(step)
        elif f is not None and f.type is FieldType.MONEY and step is not None:
            step = round(step * 100)
        try:
            await s.query(f'UPDATE "{e.name}" SET "{name}" = ? WHERE "id" = ?', step, id)
        except StatementRefused:
            return


async def bring(s: Session, e: Entity, where: Expression, row: Row) -> None:
    """Puts values into a row until it meets a condition, as far as such values are found."""
    wanted = dict(row)
    made_to_hold(e, where, wanted)
    for part in conjuncts(where):
        if await meets(s, e, part, row["id"]):
            continue
        for name, value in satisfying(e, part, wanted):
            await put(s, e, row["id"], name, value)
            if await meets(s, e, part, row["id"]):
                break


async def keep_out(s: Session, e: Entity, where: Expression, id: str) -> bool:
    """Puts values into a row until it does not meet a condition, as far as such values are found; whether it then does not."""
    for part in conjuncts(where):
        stored = dict((await s.query(f'SELECT * FROM "{e.name}" WHERE "id" = ?', id))[0])
        for name, value in satisfying(e, Not(part), stored):
            await put(s, e, id, name, value)
            if not await meets(s, e, where, id):
                return True
    return not await meets(s, e, where, id)


async def meets(s: Session, e: Entity, where: Expression, id: str) -> bool:
    """Whether a row meets a condition."""
    name = f'"{e.name}".'
    condition = sql(where, Place(Scope(s.blueprint, e), name, name))
    return bool(await s.query(f'SELECT 1 FROM "{e.name}" WHERE "id" = ? AND {condition}', id))
