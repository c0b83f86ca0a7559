"""``change password`` and ``manage roles`` in ``users``."""

from __future__ import annotations

from dataclasses import dataclass

from clodo.blueprint.constructs import Construct
from clodo.bricks.sessions.language import with_sessions


@dataclass(frozen=True, slots=True)
class ChangePassword:
    """Users change their password."""


@dataclass(frozen=True, slots=True)
class ManageRoles:
    """Administrators list users and give them roles."""


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
        once=True,
        lists_users=True,
        claims=lambda plan, owner, value: ["/api/users/*"],
    ),
)
