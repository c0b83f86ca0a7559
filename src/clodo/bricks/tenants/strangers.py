"""Callers of other tenants, for checks."""

from __future__ import annotations

from typing import Any

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Entity
from clodo.bricks.tenants.language import HEADER, tenant_entity
from clodo.proof.session import Account, Headers, Row, Session, expect

#: A member of a tenant of its own, with the role ``admin``: whoever is strongest elsewhere is nobody here.
STRANGER = "stranger"
#: Accounts whose names begin so belong to no tenant.
ALONE = "alone"


def prepare(session: Session) -> None:
    """All accounts of a proof but these belong to one tenant, which the administrator makes."""
    tenant = tenant_entity(session.blueprint)
    assert tenant is not None
    session.kept.add(tenant.name)

    async def welcome(account: Account) -> Headers:
        name = account.email.partition("@")[0]
        if name.startswith(ALONE):
            return {}
        if account.email == session.secrets["ADMIN_EMAIL"]:
            return {HEADER: (await made(session, tenant, account))["id"]}
        admin = await session.account("admin")
        if name != STRANGER:
            await add(session, admin.more[HEADER], account.id)
            return {HEADER: admin.more[HEADER]}
        own = await made(session, tenant, admin)
        await session.query('UPDATE "tenants__member" SET "user_id" = ? WHERE "tenant_id" = ?', account.id, own["id"])
        await session.query("UPDATE \"user\" SET \"role\" = 'admin' WHERE \"id\" = ?", account.id)
        return {HEADER: own["id"]}

    async def spared(id: str) -> None:
        admin = await session.account("admin")
        await add(session, admin.more[HEADER], id)

    session.welcomes.append(welcome)
    session.spared.append(spared)


async def add(s: Session, tenant: str, user: str, role: str = "member") -> None:
    """Makes a user a member, past all invitations."""
    sql = 'INSERT INTO "tenants__member" ("tenant_id", "user_id", "role", "created_at") VALUES (?, ?, ?, \'\')'
    await s.query(sql, tenant, user, role)


async def made(s: Session, e: Entity, account: Account, changes: Row | None = None) -> Row:
    """A new row of an account, with rows of its own for the references that it needs."""
    answer = await s.client.send("POST", s.path(e), await body_of(s, e, account, changes), headers=sent_by(s, account))
    return dict(expect(answer, 201, f"a valid {e.name} of {account.email}").body)


async def body_of(s: Session, e: Entity, account: Account, changes: Row | None = None) -> Row:
    """A valid body of an account."""
    body: dict[str, Any] = {**s.plain_body(e), **(changes or {})}
    for r in e.references:
        key = f"{r.name}_id"
        if r.required and key not in body:
            target = s.blueprint.entity(r.target)
            body[key] = account.id if target is None else (await made(s, target, account))["id"]
    return body


def sent_by(s: Session, account: Account, tenant: str | None = None) -> Headers:
    """The headers of an account, perhaps in another tenant."""
    key = {"x-api-key": s.secrets["API_KEY"]} if "API_KEY" in s.secrets else {}
    return {**key, **account.headers, **({HEADER: tenant} if tenant is not None else {})}


def tenant_of(plan: Plan) -> Entity:
    """The entity whose rows are the tenants."""
    tenant = tenant_entity(plan.blueprint)
    assert tenant is not None
    return tenant
