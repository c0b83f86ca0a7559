"""``confirm email`` and ``reset password`` in ``users``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from clodo.blueprint.constructs import Construct
from clodo.blueprint.problems import Problem
from clodo.blueprint.values import Blueprint, Field, FieldType, Users
from clodo.bricks.sessions.language import with_sessions

#: What tells of an account whether its address was confirmed.
CONFIRMED = Field(Users.CONFIRMED, FieldType.BOOLEAN, required=True, default=False, read_only=True)


@dataclass(frozen=True, slots=True)
class ConfirmEmail:
    """Users show by a mail that their address is theirs."""


@dataclass(frozen=True, slots=True)
class ResetPassword:
    """Users who forgot their password set another by a mail."""


def _with_confirmed(users: Users, value: ConfirmEmail) -> Users:
    if any(f.name == CONFIRMED.name for f in users.fields):
        return users
    return replace(users, fields=(*users.fields, CONFIRMED))


def _confirm_problems(blueprint: Blueprint, owner: Users, value: ConfirmEmail) -> Iterator[Problem]:
    if any(f.name == CONFIRMED.name and f != CONFIRMED for f in owner.fields):
        path = f"user.{CONFIRMED.name}"
        yield Problem(f"'confirm email' brings the field {CONFIRMED.name!r} itself.", "Remove or rename yours.", path)


CONSTRUCTS = (
    Construct(
        name="confirm_email",
        place="users",
        value=ConfirmEmail,
        grammar='confirm_email: "confirm" "email" _NL',
        build=lambda tree: ConfirmEmail(),
        lines=lambda value: ["confirm email"],
        check=_confirm_problems,
        expand=_with_confirmed,
        once=True,
    ),
    Construct(
        name="reset_password",
        place="users",
        value=ResetPassword,
        grammar='reset_password: "reset" "password" _NL',
        build=lambda tree: ResetPassword(),
        lines=lambda value: ["reset password"],
        expand=with_sessions,
        once=True,
    ),
)
