"""Tenants: whose rows a request is about, and who belongs to whom."""

from __future__ import annotations

from functools import partial

from clodo.blueprint.plan import Plan
from clodo.bricks.tenants.document import amend
from clodo.bricks.tenants.language import HEADER, belongs, tenant_entity, tenants_of
from clodo.bricks.tenants.tables import statements
from clodo.emit.brick import Brick, EntityParts, Import, Parts
from clodo.emit.typescript import entity_const, literal


def _parts(plan: Plan) -> Parts:
    b = plan.blueprint
    tenants, tenant = tenants_of(b), tenant_entity(b)
    assert tenants is not None and tenant is not None
    key = literal(tenants.key)
    row = EntityParts(
        imports=tuple(Import(name, "../lib/tenants") for name in ("inTenant", "ofTenant", "tenantRows")),
        hooks=(f"tenantRows({key})",),
        limits=(f"inTenant({key})",),
        properties=(f"uniqueWithin: [{key}]", "people: ofTenant"),
    )
    itself = EntityParts(
        imports=(Import("ofMember", "../lib/tenants"), Import("tenantItself", "../lib/tenants")),
        hooks=("tenantItself",),
        limits=("ofMember",),
    )
    name = entity_const(tenant)
    return Parts(
        imports=(Import("chosenTenant", "./lib/tenants"), Import("members", "./lib/members")),
        authenticators=(f"chosenTenant({name})",),
        ahead=(f"members(app, {name});",),
        sql=tuple(statements(plan)),
        entities={e.name: row for e in b.entities if belongs(b, e)} | {tenant.name: itself},
        readme=_page(plan.path(tenant), tenant.name.replace("_", " ")),
        amend=partial(amend, plan),
    )


def _page(path: str, noun: str) -> str:
    return (
        f"## Tenants\n\nRows belong to a {noun}, and only its members know of them. `POST /api/{path}` makes one, which its maker "
        f"owns. Every request about its rows names it in the header `{HEADER}`. Owners invite by `POST /api/{path}/{{id}}/invitations` "
        f"and pass on the token of the answer; whoever has the address that was invited accepts by `POST /api/{path}/join`.\n"
    )


#: Behind all bricks that find the user of a request, and all whose routes are about rows.
BRICK = Brick("tenants", "clodo.bricks.tenants", lambda plan: tenant_entity(plan.blueprint) is not None, _parts, order=95)
