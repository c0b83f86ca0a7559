"""What can be wrong with the block ``users``."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from clodo.blueprint.clashes import duplicates, user_names
from clodo.blueprint.constructs import construct_of
from clodo.blueprint.defaults import default_problems, looked_at
from clodo.blueprint.fields import field_problems
from clodo.blueprint.problems import Problem, unique_path
from clodo.blueprint.ranges import steps
from clodo.blueprint.secrecy import secrecy_problems
from clodo.blueprint.together import group_problems, search_problems
from clodo.blueprint.values import Field, FieldType, Users

#: What is unique of users has at least so many values, or too few people could register.
MANY = 2000
_EMAIL = Field("email", FieldType.EMAIL, required=True, unique=True)
#: What users have of themselves, and why it can be unique with nothing else.
_OWN = {
    "email": ("The e-mail address of users is unique by itself.", "Take it out."),
    "role": ("Roles are given to users later, and cannot be unique.", "Take it out."),
}


def user_problems(users: Users) -> Iterator[Problem]:
    """The problems of the block by itself."""
    yield from user_names(users)
    for f in users.fields:
        yield from _field(users, f)
    yield from default_problems("user", users.fields)
    yield from _roles(users)
    yield from _groups(users)
    yield from _search(users)


def _field(users: Users, f: Field) -> Iterator[Problem]:
    path = f"user.{f.name}"
    if f.computed is not None:
        yield Problem(f"{f.name!r} of users cannot be computed.", "Make it a field of an entity that refers to the user.", path)
    problems = [*field_problems(f, path)]
    yield from problems
    if f.unique and not problems and (few := _count(f)) is not None:
        yield Problem(
            f"No more than {few:,} users could register: {f.name!r} is unique.",
            "Remove 'unique', or widen its bounds.",
            path,
        )
    if f.unique and f.read_only and f.default is not None and not looked_at(f):
        yield Problem(
            f"No more than one user could register: {f.name!r} is unique, and always its default.",
            "Remove 'unique'.",
            path,
        )
    yield from secrecy_problems(f, path, [other.name for other in users.fields])


def _count(f: Field) -> int | None:
    """How many values a field has, where these are few enough to run out of."""
    if f.type is FieldType.ENUM:
        return len(f.values)
    if f.type is FieldType.BOOLEAN:
        return 2
    few = steps(f).count if f.type.is_number or f.type.is_temporal else MANY
    return few if few < MANY else None


def _roles(users: Users) -> Iterator[Problem]:
    yield from duplicates(users.roles, "The line 'roles'", "user.(roles)")
    for role in users.roles:
        if role in ("admin", "user"):
            yield Problem(f"The role {role!r} is there without being declared.", "Remove it.", "user.(roles)", severity="warning")


def _groups(users: Users) -> Iterator[Problem]:
    known = {f.name: f for f in users.fields}
    yield from group_problems("users", "user", users.unique, [*users.fields, *(Field(name) for name in _OWN if name not in known)])
    for group in users.unique:
        path = unique_path("user", group)
        yield from (Problem(*_OWN[name], path) for name in group if name in _OWN and name not in known)
        members = [known[name] for name in group if name in known]
        for f in members:
            yield from _member(f, path)
        sound = all(not [*field_problems(f, path)] for f in members) and len(members) == len(group)
        counts = [_count(f) for f in members] if sound else [None]
        few = prod(count for count in counts if count is not None)
        if None not in counts and few < MANY:
            told = " and ".join(repr(name) for name in group)
            yield Problem(f"No more than {few:,} users could register: {told} are unique together.", "Remove the line, or widen their bounds.", path)


def _member(f: Field, path: str) -> Iterator[Problem]:
    """Why a field can be in no group of users."""
    if f.type in (FieldType.JSON, FieldType.LIST):
        yield Problem(f"A {f.type} cannot be unique, and {f.name!r} is one.", "Take it out.", path)
    if f.unique:
        yield Problem(f"{f.name!r} is unique by itself.", "Take it out, or say only here that it is unique.", path)
    if f.read_only:
        yield Problem(f"{f.name!r} is read-only, so that all users have the same.", "Take it out.", path)


def _search(users: Users) -> Iterator[Problem]:
    if not users.search:
        return
    yield from search_problems("users", "user", users.search, [_EMAIL, *users.fields])
    if not any(construct_of(part).lists_users for part in users.parts):
        yield Problem(
            "There is no list of users to search.",
            "Add the line 'manage roles' to the block 'users': administrators list users then; or leave 'search' out.",
            "user.(search)",
        )
