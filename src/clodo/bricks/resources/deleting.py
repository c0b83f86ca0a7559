"""Checks of who deletes, where it is not whoever may write."""

from __future__ import annotations

from clodo.blueprint.constructs import introductions
from clodo.blueprint.values import Entity, Who
from clodo.proof.session import Headers, Session, expect

_CREDENTIALS = frozenset(["authorization", "x-api-key"])


async def deletes(s: Session, e: Entity) -> None:
    """Deleting asks for its own rule and no other one: whoever may only write does not delete, and whoever may delete does."""
    maker = _maker(s, e)
    row = await s.create(e, user=maker)
    path = s.path(e, row["id"])
    writer = await mere_writer(s, e)
    if writer is not None:
        expect(await s.client.send("DELETE", path, headers=writer), refusal(writer), "deleting by someone who may only write")
    blind = await _blind_deleter(s, e)
    if blind is not None:
        expect(await s.client.send("DELETE", path, headers=blind), 404, "deleting by someone who may not read")
    expect(await s.get(e, row["id"], user=maker), 200, "a row that somebody may not delete")
    expect(await s.client.send("DELETE", path, headers=await _deleter(s, e)), 204, f"deleting by '{e.delete}'")
    expect(await s.get(e, row["id"], user=maker), 404, "after deletion")


def refusal(headers: Headers) -> int:
    """The status of what a caller with these headers may not do."""
    return 403 if _CREDENTIALS & headers.keys() else 401


async def mere_writer(s: Session, e: Entity) -> Headers | None:
    """What somebody sends who may read and write rows and not delete those of their maker; ``None`` where it cannot be told who that is."""
    b = s.blueprint
    read, write, delete = b.read_access(e), b.write_access(e), b.delete_access(e)
    beside = _beside(await s.writer(e))
    if write.who is Who.PUBLIC:
        return beside
    if write.who is Who.KEY:
        return {**beside, **await s.headers(write)} if delete.who is not Who.KEY else None
    if delete.who is Who.USER:
        return None
    narrow = read.who in (Who.OWNER, Who.ROLE)
    roles = [f"role:{r}" for r in write.roles if r not in ("admin", *delete.roles) and (r in read.roles or not narrow)]
    others = [] if write.who is Who.ROLE or read.who is Who.ROLE else ["ben" if delete.who is Who.OWNER else s.maker(e)]
    # Where owners delete, one who writes is no owner only where others write too.
    callers = [*roles, *(others if write.who is not delete.who else [])]
    if not callers:
        return None
    key = await s.headers(read) if read.who is Who.KEY and delete.who is not Who.KEY else {}
    return {**beside, **key, **(await s.account(callers[0])).headers}


async def _blind_deleter(s: Session, e: Entity) -> Headers | None:
    """What somebody sends whom the rule of deleting lets in and that of reading does not; ``None`` where it cannot be told who that is."""
    read, delete = s.blueprint.read_access(e).who, s.blueprint.delete_access(e)
    apart = (read is Who.KEY) is not (delete.who is Who.KEY) or (read is Who.ROLE and delete.who is Who.USER)
    if read is Who.PUBLIC or not apart:
        return None
    return {**_beside(await s.writer(e)), **await s.headers(delete, user="ben")}


async def _deleter(s: Session, e: Entity) -> Headers:
    """What somebody sends who may read and delete the row of its maker, and no more than that where it can be."""
    read, delete, user = s.blueprint.read_access(e), s.blueprint.delete_access(e), _maker(s, e)
    out = {**_beside(await s.writer(e, user)), **await s.headers(read, delete, user=user)}
    if delete.who is Who.ROLE and not _is_met_first(s, e):
        out |= (await s.account(f"role:{delete.roles[0]}")).headers
    return out


def _is_met_first(s: Session, e: Entity) -> bool:
    """Whether callers make a row of it before all else, such as their tenant, of which nobody else knows."""
    return e.name in introductions(s.blueprint)


def _maker(s: Session, e: Entity) -> str:
    return "admin" if _is_met_first(s, e) else s.maker(e)


def _beside(headers: Headers) -> Headers:
    """What a change must carry besides credentials."""
    return {k: v for k, v in headers.items() if k not in _CREDENTIALS}
