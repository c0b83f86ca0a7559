"""Accounts: registration, login, tokens."""

from __future__ import annotations

from clodo.blueprint.plan import Plan
from clodo.emit.brick import Brick, Import, Parts
from clodo.emit.typescript import field_source


def _parts(plan: Plan) -> Parts:
    users = plan.blueprint.users
    assert users is not None
    builders = sorted({field_source(f).split("(")[0] for f in users.fields})
    profile = "".join(f"\n  {f.name}: {field_source(f)}," for f in users.fields)
    return Parts(
        imports=(
            Import("bearerUser", "./lib/token"),
            Import("users", "./lib/users"),
            *(Import(name, "./lib/fields") for name in builders),
        ),
        authenticators=("bearerUser",),
        routes=(f"users(app, {{{profile}\n}});\n" if profile else "users(app, {});\n",),
        secrets=("JWT_SECRET", "ADMIN_EMAIL"),
    )


BRICK = Brick("users", "clodo.bricks.users", lambda plan: plan.blueprint.users is not None, _parts, order=42)
