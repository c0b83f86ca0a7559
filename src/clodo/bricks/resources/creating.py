"""Checks of who adds rows, where it is not whoever may write."""

from __future__ import annotations

from collections.abc import AsyncIterator

from clodo.blueprint.values import Access, Entity, Who
from clodo.proof.session import Fault, Row, Session, expect


async def creates(s: Session, e: Entity) -> None:
    """Creating asks for its own rule and no other one: whoever may only change rows adds none, here or below what they refer to, and
    whoever may only add them changes and deletes none. (That callers without a role are refused is checked with the other doors.)"""
    b = s.blueprint
    create, write, delete = b.create_access(e), b.write_access(e), b.delete_access(e)
    user = f"role:{create.roles[0]}" if create.who is Who.ROLE else "ann"
    targets = [b.read_access(t) for r in e.references if (t := b.entity(r.target)) is not None]
    headers = {**await s.headers(create, *targets, user=user), **((await s.account(user)).headers if create.who is Who.ROLE else {})}
    made = await s.client.send("POST", s.path(e), await s.body(e, user=user), headers=headers)
    # A role need not see all that a row refers to.
    sees = all(t.who not in (Who.ROLE, Who.OWNER) or {*create.roles[:1]} <= {*t.roles, "admin"} for t in targets)
    if create.who is not Who.ROLE or sees:
        expect(made, 201, f"creating by '{create}'")
    for answer in [made, *[await s.client.send("POST", path, body, headers=headers) async for path, body in _below(s, e, user)]]:
        if answer.status in (401, 403) or answer.status >= 500:
            raise Fault(f"whoever may create by '{create}' does not get in", answer)
    for role in _only(write, create)[:1]:
        writer = (await s.account(f"role:{role}")).headers
        expect(await s.client.send("POST", s.path(e), await s.body(e), headers=writer), 403, f"creating by the role {role}, which may only write")
        async for path, body in _below(s, e, "admin"):
            expect(await s.client.send("POST", path, body, headers=writer), 403, f"creating below a parent by the role {role}, which may only write")
    for role in _only(create, write)[:1]:
        adder, path = (await s.account(f"role:{role}")).headers, s.path(e, (await s.create(e))["id"])
        expect(await s.client.send("PATCH", path, {}, headers=adder), 403, f"changing by the role {role}, which may only create")
        if role in _only(create, delete):
            expect(await s.client.send("DELETE", path, headers=adder), 403, f"deleting by the role {role}, which may only create")


def _only(some: Access, others: Access) -> list[str]:
    """The roles that one rule lets in and another, of roles too, does not."""
    return [r for r in some.roles if r not in ("admin", *others.roles)] if some.who is others.who is Who.ROLE else []


async def _below(s: Session, e: Entity, user: str) -> AsyncIterator[tuple[str, Row]]:
    """The paths below rows that rows of an entity refer to and that whoever may create may read, each with a body for it."""
    roles = s.blueprint.create_access(e).roles
    for c in s.plan.children:
        read = s.blueprint.read_access(c.parent)
        if c.child.name == e.name and c.parent.name != e.name and (read.who is not Who.ROLE or {*roles} <= {*read.roles, "admin"}):
            key = f"{c.reference.name}_id"
            up = await s.create(c.parent, user=user)
            body = await s.body(e, {key: up["id"]}, user=user)
            yield f"{s.path(c.parent, up['id'])}/{c.path}", {k: v for k, v in body.items() if k != key}
