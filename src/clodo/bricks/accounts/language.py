"""``change password`` and ``manage roles`` in ``users``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from clodo.blueprint.constructs import Construct
from clodo.blueprint.plan import plural
from clodo.blueprint.problems import Problem
from clodo.blueprint.values import Blueprint, Users
from clodo.bricks.sessions.language import with_sessions


@dataclass(frozen=True, slots=True)
class ChangePassword:
    """Users change their password."""


@dataclass(frozen=True, slots=True)
class ManageRoles:
    """Administrators list users and give them roles."""


def _role_problems(blueprint: Blueprint, owner: Users, value: ManageRoles) -> Iterator[Problem]:
    for e in blueprint.entities:
        if plural(e.name) == "users":
            yield Problem(
                f"'manage roles' answers at /api/users, where {e.name!r} would be too.",
                "Rename the entity to member, say.",
                e.name,
            )


CONSTRUCTS = (
    Construct(
        name="change_password",
        place="users",
        value=ChangePassword,
        grammar='change_password: "change" "password" _NL',
        build=lambda tree: ChangePassword(),
        lines=lambda value: ["change password"],
        expand=with_sessions,
        once=True,
    ),
    Construct(
        name="manage_roles",
        place="users",
        value=ManageRoles,
        grammar='manage_roles: "manage" "roles" _NL',
        build=lambda tree: ManageRoles(),
        lines=lambda value: ["manage roles"],
        check=_role_problems,
        once=True,
    ),
)
