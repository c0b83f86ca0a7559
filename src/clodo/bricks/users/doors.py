"""The ways into an entity, each with the rule that guards it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

from clodo.blueprint.values import Access, Blueprint, Entity
from clodo.proof.session import Session

Request = tuple[str, str, Any]


@dataclass(frozen=True)
class Door:
    """A kind of request; ``request`` makes what it needs and gives method, path and body."""

    verb: str
    access: Access
    request: Callable[[Session, Entity], Awaitable[Request]]


def doors(b: Blueprint, e: Entity) -> Iterator[Door]:
    """Every way into an entity."""
    read, write, create, delete = b.read_access(e), b.write_access(e), b.create_access(e), b.delete_access(e)
    yield Door("listing", read, _list)
    yield Door("reading", read, _read)
    yield Door("creating", create, _create)
    yield Door("changing", write, _change)
    yield Door("replacing", write, _replace)
    yield Door("deleting", delete, _delete)


async def _list(s: Session, e: Entity) -> Request:
    return "GET", s.path(e), None


async def _read(s: Session, e: Entity) -> Request:
    return "GET", s.path(e, (await s.shared(e))["id"]), None


async def _create(s: Session, e: Entity) -> Request:
    return "POST", s.path(e), await s.body(e)


async def _change(s: Session, e: Entity) -> Request:
    return "PATCH", s.path(e, (await s.shared(e))["id"]), {}


async def _replace(s: Session, e: Entity) -> Request:
    return "PUT", s.path(e, (await s.create(e))["id"]), await s.body(e)


async def _delete(s: Session, e: Entity) -> Request:
    return "DELETE", s.path(e, (await s.create(e))["id"]), None
