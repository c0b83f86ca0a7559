"""Whether those who are told of changes hear of the rows that an action or a schedule changes beside its own. Nothing but the database tells
what was changed: all rows are compared before and after."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from clodo.blueprint.values import Blueprint, Entity
from clodo.bricks.audit.language import Audit
from clodo.bricks.files.language import FileField
from clodo.bricks.files.proving import Place
from clodo.bricks.live.language import Live
from clodo.bricks.room.language import Room
from clodo.bricks.room.sockets import NoSocket, Socket
from clodo.bricks.webhooks.language import Webhook
from clodo.bricks.webhooks.sending import subscriber
from clodo.proof.session import Fault, Row, Session, TooFewValues

#: The word of webhooks for what an entry of the audit calls otherwise.
_ENTRIES = {"created": "create", "updated": "update", "deleted": "delete"}

#: In the rooms of so many rows somebody listens.
_ROOMS = 5


@dataclass(frozen=True)
class _Changed:
    """A row that was changed, and how."""

    entity: Entity
    id: str
    kind: str


@asynccontextmanager
async def told(s: Session, names: Sequence[str], own: str = "") -> AsyncIterator[None]:
    """Holds that each row of some entities that is changed meanwhile is told of, once by each that tells.

    Raises:
        Fault: one is not.
        TooFewValues: none was changed, or none but ``own``.
    """
    entities = [e for e in s.blueprint.entities if e.name in names]
    async with AsyncExitStack() as stack:
        types = _types(s.blueprint, entities)
        if types:
            await stack.enter_async_context(subscriber(s, *types))
        before = {e.name: await _rows(s, e) for e in entities}
        marks = {table: await _last(s, table) for table, kind in (("_audit", Audit), ("_live", Live)) if any(e.parts_of(kind) for e in s.blueprint.entities)}
        rooms = {(e.name, id): socket for e in entities if e.parts_of(Room) for id, socket in (await _entered(s, e, stack)).items()}
        yield
        changed = [one for e in entities for one in _differences(e, before[e.name], await _rows(s, e))]
        if all(one.id == own for one in changed):
            raise TooFewValues("no other row was changed")
        for one in changed:
            await _hold(s, one, types, marks)
            if one.kind != "created" and (socket := rooms.get((one.entity.name, one.id))) is not None:
                await _heard(socket, one)
        if "_audit" in marks and await s.query('SELECT 1 FROM "_audit" WHERE CAST("id" AS INTEGER) <> rowid'):
            raise Fault("the entries of the audit are not numbered one by one")


def _types(b: Blueprint, entities: Sequence[Entity]) -> list[str]:
    names = {e.name for e in entities}
    found = [t for webhook in b.parts_of(Webhook) for watched in webhook.watched if watched.entity in names for t in watched.types]
    return [*dict.fromkeys(found)]


async def _rows(s: Session, e: Entity) -> dict[str, Row]:
    shown = ' WHERE "deleted_at" IS NULL' if e.soft_delete else ""
    return {str(row["id"]): dict(row) for row in await s.query(f'SELECT * FROM "{e.name}"{shown}')}


async def _last(s: Session, table: str) -> int:
    return int((await s.query(f'SELECT coalesce(max(rowid), 0) AS "n" FROM "{table}"'))[0]["n"])


def _differences(e: Entity, before: dict[str, Row], after: dict[str, Row]) -> list[_Changed]:
    made = [_Changed(e, id, "created") for id in after if id not in before]
    gone = [_Changed(e, id, "deleted") for id in before if id not in after]
    return [*made, *gone, *(_Changed(e, id, "updated") for id in before if id in after and before[id] != after[id])]


async def _hold(s: Session, one: _Changed, types: Sequence[str], marks: dict[str, int]) -> None:
    what = f"a {one.entity.name} that was {one.kind}"
    if (type_ := f"{one.entity.name}.{one.kind}") in types:
        await _once(s, f"{type_} of {what}", """SELECT 1 FROM "webhook__event" WHERE "type" = ? AND json_extract("row", '$.id') = ?""", type_, one.id)
        sent = """SELECT 1 FROM "webhook__delivery" d JOIN "webhook__event" e ON e."id" = d."event_id" WHERE e."type" = ? AND json_extract(e."row", '$.id') = ?"""
        await _once(s, f"a delivery of {type_} of {what}", sent, type_, one.id)
    if one.entity.parts_of(Audit):
        entries = 'SELECT 1 FROM "_audit" WHERE "entity" = ? AND "row_id" = ? AND "action" = ? AND rowid > ?'
        await _once(s, f"the audit's entry of {what}", entries, one.entity.name, one.id, _ENTRIES[one.kind], marks["_audit"])
    if one.entity.parts_of(Live):
        noted = 'SELECT 1 FROM "_live" WHERE "entity" = ? AND "id" = ? AND ("was" IS NULL) = ? AND "number" > ?'
        await _once(s, f"the live event of {what}", noted, one.entity.name, one.id, int(one.kind == "created"), marks["_live"])
    for f in one.entity.parts_of(FileField):
        if one.kind == "deleted" and (left := await Place(s, one.entity, f).unused(one.id)):
            raise Fault(f"the {f.name} of {what} is still stored: {left}")


async def _entered(s: Session, e: Entity, stack: AsyncExitStack) -> dict[str, Socket]:
    """Somebody in the rooms of the newest rows, as far as they may be seen."""
    found = {}
    for row in await s.query(f'SELECT "id" FROM "{e.name}" ORDER BY rowid DESC LIMIT {_ROOMS}'):
        try:
            socket = await Socket.open(s.client.address, f"{s.path(e, str(row['id']))}/room", await s.reader(e))
        except NoSocket:
            continue
        stack.push_async_callback(socket.close)
        found[str(row["id"])] = socket
    return found


async def _heard(socket: Socket, one: _Changed) -> None:
    try:
        await socket.until(one.kind)
    except NoSocket as error:
        raise Fault(f"the room of a {one.entity.name} that was {one.kind} does not hear of it: {error}") from None


async def _once(s: Session, what: str, sql: str, *values: str | int) -> None:
    if (count := len(await s.query(sql, *values))) != 1:
        raise Fault(f"{what} is there {count} times, not once")


async def filed(s: Session, e: Entity, row: Row) -> None:
    """Gives a row files, as many as it can have."""
    for f in e.parts_of(FileField):
        place = Place(s, e, f)
        await place.upload(row["id"], place.content())
