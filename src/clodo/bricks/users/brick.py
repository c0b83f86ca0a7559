"""Accounts: registration, login, tokens."""

from __future__ import annotations

from clodo.blueprint.plan import Plan
from clodo.bricks.sessions.language import Sessions
from clodo.emit.brick import Brick, Import, Parts
from clodo.emit.computations import formula_files, formula_import
from clodo.emit.typescript import builders, field_source, literal


def _parts(plan: Plan) -> Parts:
    users = plan.blueprint.users
    assert users is not None
    profile = "".join(f"\n  {f.name}: {field_source(f, users.fields)}," for f in users.fields)
    hashed = [f.name for f in users.fields if f.hashed]
    prepare = f", hashing({literal(hashed)})" if hashed else ""
    # A service with sessions knows its callers by these.
    callers = () if users.parts_of(Sessions) else ("bearerUser",)
    return Parts(
        imports=(
            *(Import(name, "./lib/token") for name in callers),
            Import("users", "./lib/users"),
            *(Import(name, "./lib/fields") for name in builders(users.fields)),
            *formula_import(users.fields, "./lib"),
            *((Import("hashing", "./lib/hashed"),) if hashed else ()),
        ),
        authenticators=callers,
        routes=(f"users(app, {{{profile}\n}}{prepare});\n" if profile else "users(app, {});\n",),
        files=formula_files(users.fields),
        secrets=("JWT_SECRET", "ADMIN_EMAIL"),
    )


BRICK = Brick("users", "clodo.bricks.users", lambda plan: plan.blueprint.users is not None, _parts, order=42)
