"""What a grammar cannot see: whether a blueprint makes sense, and how to mend it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace

from clodo.blueprint.clashes import (
    duplicates,
    entity_names,
    member_names,
    name_problems,
)
from clodo.blueprint.computed import computed_problems
from clodo.blueprint.constructs import expanded, part_problems
from clodo.blueprint.defaults import default_problems
from clodo.blueprint.fields import field_problems
from clodo.blueprint.people import user_problems
from clodo.blueprint.problems import Problem, meant
from clodo.blueprint.routes import route_problems
from clodo.blueprint.secrecy import secrecy_problems
from clodo.blueprint.together import group_problems, search_problems
from clodo.blueprint.values import (
    Access,
    Blueprint,
    Entity,
    Link,
    OnDelete,
    Reference,
    ServiceType,
    Users,
    Who,
)

#: The lines that say who may do what, in the order in which problems with them are told.
_RIGHTS = ("read", "write", "create", "delete")
_NO_ENTITIES = (ServiceType.AUTH, ServiceType.GATEWAY, ServiceType.STATIC, ServiceType.GENERIC)


def check(
    blueprint: Blueprint, positions: Mapping[str, tuple[int, int]] | None = None
) -> tuple[Problem, ...]:
    """Everything wrong or doubtful in a blueprint, errors first, each with its place in the text
    where ``positions`` (of ``syntax.read``) are given."""
    # What two rules of one entity have in common is told once.
    found = dict.fromkeys(_problems(expanded(blueprint)))
    if all(p.severity != "error" for p in found):
        # Paths are only known of a blueprint that makes sense.
        found |= dict.fromkeys(route_problems(blueprint))
    found = dict.fromkeys(_placed(p, positions or {}) for p in found)
    return tuple(sorted(found, key=lambda p: p.severity != "error"))


def _placed(problem: Problem, positions: Mapping[str, tuple[int, int]]) -> Problem:
    path = problem.path
    while path and path not in positions:
        path = path.rpartition(".")[0]
    line, column = positions.get(path, (0, 0))
    return replace(problem, line=line, column=column)


def _problems(b: Blueprint) -> Iterator[Problem]:
    if not b.entities and b.type not in _NO_ENTITIES:
        yield Problem(f"A {b.type} needs an entity.", "Add a block such as 'entity book { … }'.")
    yield from name_problems(b.name, "")
    yield from duplicates([e.name for e in b.entities], "the service", "")
    yield from _service_access(b)
    if b.type is ServiceType.AUTH and b.users is None:
        yield Problem(
            "An auth-service without users lets nobody log in.", "Add a block 'users { }'.", "(type)", severity="warning"
        )
    if b.users is not None:
        yield from user_problems(b.users)
    for entity in b.entities:
        yield from _entity(b, entity)
    yield from _required_cycles(b)
    yield from part_problems(b)


def _service_access(b: Blueprint) -> Iterator[Problem]:
    owners = [("", b.read, b.write, None, None), *((f"{e.name}.", e.read, e.write, e.create, e.delete) for e in b.entities)]
    for front, *rules in owners:
        # What several lines of one place have in common is told once, at the first of them.
        first = {a: line for line, a in reversed(list(zip(_RIGHTS, rules, strict=True))) if a is not None}
        for access in sorted(first, key=lambda a: _RIGHTS.index(first[a])):
            yield from access_problems(b, access, f"{front}({first[access]})")
    if Who.OWNER in (b.read.who, b.write.who):
        yield Problem(
            "'owner' cannot be the rule of a whole service.",
            "Say it in each entity whose rows have an owner.",
            "(read)" if b.read.who is Who.OWNER else "(write)",
        )


def access_problems(b: Blueprint, access: Access, path: str) -> Iterator[Problem]:
    """What a rule asks for that the service does not have."""
    if access.who in (Who.USER, Who.OWNER, Who.ROLE) and b.users is None:
        yield Problem(
            f"The rule '{access}' needs users.", "Add a block 'users { }' to the service.", path
        )
    if access.roles and b.users is not None:
        yield from _unknown_roles(access, b.users, path)


def _unknown_roles(access: Access, users: Users, path: str) -> Iterator[Problem]:
    known = {"admin", "user", *users.roles}
    for role in access.roles:
        if role not in known:
            mend = f"Add '{role}' to the line 'roles' of the block 'users'."
            yield Problem(f"No role {role!r} is declared.", meant(role, known, mend), path)


def _entity(b: Blueprint, e: Entity) -> Iterator[Problem]:
    yield from entity_names(b, e)
    yield from member_names(b, e)
    yield from _targets(b, e)
    for f in e.fields:
        yield from field_problems(f, f"{e.name}.{f.name}")
        yield from secrecy_problems(f, f"{e.name}.{f.name}", [other.name for other in e.fields])
        if f.computed is not None:
            yield from computed_problems(b, e, f)
    yield from default_problems(e.name, e.fields, e.references)
    yield from group_problems(e.name, e.name, e.unique, e.fields, [r.name for r in e.references])
    yield from search_problems(e.name, e.name, e.search, e.fields)
    yield from _entity_access(b, e)


def _targets(b: Blueprint, e: Entity) -> Iterator[Problem]:
    known = [x.name for x in b.entities] + (["user"] if b.users is not None else [])
    members: list[Reference | Link] = [*e.references, *e.links]
    for member in members:
        if member.target not in known:
            yield Problem(
                f"{e.name}.{member.name} refers to {member.target!r}, which does not exist.",
                meant(member.target, known, f"Add 'entity {member.target} {{ … }}'."),
                f"{e.name}.{member.name}",
            )
    for link in e.links:
        if link.target == "user" and b.users is not None:
            yield Problem(
                "A many-to-many link with users is not possible.",
                "Add an entity that refers to both.",
                f"{e.name}.{link.name}",
            )
    pairs = Counter((e.name, link.target) for link in e.links)
    pairs += Counter((e.name, x.name) for x in b.entities for k in x.links if k.target == e.name)
    for (_, target), count in pairs.items():
        if count > 1 and target != e.name:
            yield Problem(
                f"{e.name} and {target} are linked more than once.", "Keep one link.", e.name
            )
    for r in e.references:
        if r.required and r.on_delete is OnDelete.SET_NULL:
            yield Problem(
                f"{e.name}.{r.name} is required and cannot be set to null.",
                "Remove 'required', or choose restrict or cascade.",
                f"{e.name}.{r.name}",
            )


def _entity_access(b: Blueprint, e: Entity) -> Iterator[Problem]:
    read, write = b.read_access(e), b.write_access(e)
    # The line that the entity has of its own, where it has one.
    path = f"{e.name}.({'write' if e.write is not None else 'read'})"
    if read.who is Who.OWNER and write.who is not Who.OWNER:
        yield Problem(
            f"Only the owner may read a {e.name}, yet '{write}' may write it.",
            "Say 'write owner' too.",
            path,
        )
    if write.who is Who.PUBLIC and read.who is not Who.PUBLIC:
        yield Problem(
            f"Everybody may write a {e.name}, but not everybody may read it.",
            "That is rarely meant: 'create public' lets everybody add one, and 'write …' says who may change them.",
            path,
            severity="warning",
        )
    if e.create is not None:
        yield from _creation(b, e, e.create)
    if e.delete is not None:
        yield from _deletion(b, e, e.delete)


def _creation(b: Blueprint, e: Entity, create: Access) -> Iterator[Problem]:
    if create.who is Who.OWNER:
        yield Problem(
            f"Nobody owns a {e.name} that is not there yet.",
            "Say 'create user': whoever creates one is its owner.",
            f"{e.name}.(create)",
        )
    elif create.who is not Who.USER and Who.OWNER in (b.read_access(e).who, b.write_access(e).who):
        yield Problem(
            f"A {e.name} belongs to the user who creates it, so any user may create one, and not '{create}'.",
            "Leave the line 'create' out, or name others than the owner in 'read' and 'write'.",
            f"{e.name}.(create)",
        )


def _deletion(b: Blueprint, e: Entity, delete: Access) -> Iterator[Problem]:
    read, write, path = b.read_access(e), b.write_access(e), f"{e.name}.(delete)"
    unseen = [r for r in delete.roles if r not in (*read.roles, *(("admin",) if read.roles else ()))]
    if delete.is_like(write):
        yield Problem(f"Whoever may write a {e.name} may delete it already: '{delete}'.", "Leave the line 'delete' out.", path)
    elif delete.who is Who.PUBLIC:
        yield Problem(
            f"Everybody may delete a {e.name}, but not everybody may write it.", "Name those who may delete, as in 'delete user'.", path
        )
    elif delete.who is Who.OWNER and {write.who, b.create_access(e).who} & {Who.PUBLIC, Who.KEY}:
        yield Problem(
            f"A {e.name} that is made without an account has no owner who could delete it.",
            "Say 'write user', or name others than the owner in 'delete'.",
            path,
        )
    elif read.who is Who.OWNER and delete.who not in (Who.OWNER, Who.ROLE):
        yield Problem(
            f"Only the owner may read a {e.name}, yet '{delete}' may delete it.", "Name the owner or roles that may read it in 'delete'.", path
        )
    elif unseen and read.who in (Who.OWNER, Who.ROLE):
        yield Problem(
            f"No {unseen[0]!r} may read a {e.name}, so that none could delete it.", f"Add 'role {unseen[0]}' to the line 'read'.", path
        )


def _required_cycles(b: Blueprint) -> Iterator[Problem]:
    needs = {e.name: [r for r in e.references if r.required] for e in b.entities}
    done: set[str] = set()

    def walk(name: str, trail: tuple[str, ...]) -> Iterator[Problem]:
        if name in trail:
            cycle = (*trail[trail.index(name) :], name)
            first = next(r.name for r in needs[name] if r.target == cycle[1])
            yield Problem(
                f"No row could ever be made: {' → '.join(cycle)} are each required.",
                "Remove 'required' from one of these references.",
                f"{name}.{first}",
            )
            return
        if name in done:
            return
        for r in needs.get(name, ()):
            yield from walk(r.target, (*trail, name))
        done.add(name)

    for entity in b.entities:
        yield from walk(entity.name, ())
