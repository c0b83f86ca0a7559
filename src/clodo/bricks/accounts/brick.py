"""Passwords changed, roles given."""

from __future__ import annotations

from typing import Any

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Access, Entity, Field, FieldType, Users, Who
from clodo.bricks.accounts.language import ChangePassword, ManageRoles
from clodo.bricks.sessions.brick import closed
from clodo.emit.brick import Brick, Import, Parts
from clodo.emit.computations import formula_import
from clodo.emit.openapi import (
    json_answer,
    list_parameters,
    operation,
    page_schema,
    path_parameter,
    ref,
)
from clodo.emit.typescript import builders, field_source, literal

_ADMIN = Access(Who.ROLE, ("admin",))
_README = {
    ChangePassword: "## Passwords\n\n`PUT /api/auth/password` with `current_password` and `password` changes it, and ends the other sessions.\n",
    ManageRoles: "## Roles\n\nAn administrator lists users with `GET /api/users` and gives a role with `PATCH /api/users/{id}`. The last administrator stays one.\n",
}


def roles_of(users: Users) -> tuple[str, ...]:
    """Every role that a user can have."""
    return tuple(dict.fromkeys(("user", "admin", *users.roles)))


def user_entity(users: Users) -> Entity:
    """The users as administrators see them in lists."""
    own = (Field("email", FieldType.EMAIL, required=True), Field("role", FieldType.ENUM, roles_of(users), required=True))
    return Entity("user", (*own, *users.fields), search=users.search, read=_ADMIN, write=_ADMIN)


def has(plan: Plan, kind: type) -> bool:
    """Whether the users of a plan have a part of that kind."""
    users = plan.blueprint.users
    return users is not None and bool(users.parts_of(kind))


def _password_path(paths: dict[str, Any]) -> None:
    body = closed({"current_password": {"type": "string"}, "password": {"type": "string", "minLength": 8, "maxLength": 200}})
    done = {204: {"description": "Changed; the other sessions have ended"}}
    paths["/api/auth/password"] = {
        "put": operation("change_password", "Change the caller's password", "auth", done, rules=(Access(Who.USER),), problems=(409,), body=body)
    }


def _role_paths(plan: Plan, users: Users, paths: dict[str, Any]) -> None:
    shown = {200: json_answer(ref("User"), "The user")}
    page = {200: json_answer(page_schema("User"), "A page")}
    change = {"type": "object", "properties": {"role": {"enum": list(roles_of(users))}}, "additionalProperties": False}
    parameters = list_parameters(plan.blueprint, user_entity(users))
    rules = (_ADMIN,)
    paths |= {
        "/api/users": {"get": operation("list_users", "List users", "users", page, rules=rules, problems=(400,), parameters=parameters)},
        "/api/users/{id}": {
            "parameters": [path_parameter("id")],
            "get": operation("get_user", "Read one user", "users", shown, rules=rules, problems=(404,)),
            "patch": operation("set_role", "Give a user a role", "users", shown, rules=rules, problems=(404, 409), body=change),
        },
    }  # fmt: skip


def _manage_call(users: Users) -> str:
    profile = "".join(f"\n  {f.name}: {field_source(f, users.fields)}," for f in users.fields)
    searched = f", search({literal(list(users.search))})" if users.search else ""
    return f"manageRoles(app, {literal(list(roles_of(users)))}, {{{profile}{chr(10) if profile else ''}}}{searched});"


def _parts(plan: Plan) -> Parts:
    users = plan.blueprint.users
    assert users is not None
    change, manage = has(plan, ChangePassword), has(plan, ManageRoles)
    # The same builders that the profile is made of for registration.
    fields = users.fields if manage else ()
    names = ["changePassword"] * change + ["manageRoles"] * manage

    def amend(document: dict[str, Any]) -> None:
        if change:
            _password_path(document["paths"])
        if manage:
            _role_paths(plan, users, document["paths"])

    return Parts(
        imports=(
            *(Import(name, "./lib/accounts") for name in names),
            *(Import(name, "./lib/fields") for name in builders(fields)),
            *formula_import(fields, "./lib"),
            *((Import("search", "./lib/search"),) if manage and users.search else ()),
        ),
        routes=(*(["changePassword(app);"] * change), *([_manage_call(users)] * manage)),
        readme="\n".join(text for kind, text in _README.items() if has(plan, kind)),
        amend=amend,
    )


BRICK = Brick(
    "accounts", "clodo.bricks.accounts", lambda plan: has(plan, ChangePassword) or has(plan, ManageRoles), _parts, order=55
)
