"""``tenants team`` in the service, ``shared`` in the entities that belong to no tenant."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from clodo.blueprint.constructs import Construct, construct_of, path_of
from clodo.blueprint.formulas import AGGREGATES, target_of
from clodo.blueprint.problems import Problem
from clodo.blueprint.values import Access, Blueprint, Call, Entity, Field, FieldType, OnDelete, Who

#: By this header a request names the tenant that it is about.
HEADER = "X-Tenant-Id"


#: Lines that rows of tenants cannot have, and why.
_UNFIT = {
    "room_line": "A browser that enters the room of a {row} cannot name its {tenant}.",
}


@dataclass(frozen=True, slots=True)
class Tenants:
    """Each row belongs to a row of ``entity``, and is there for its members only."""

    entity: str

    @property
    def key(self) -> str:
        """The column that says which tenant a row belongs to."""
        return f"{self.entity}_id"


@dataclass(frozen=True, slots=True)
class Shared:
    """Rows belong to no tenant."""


def tenants_of(b: Blueprint) -> Tenants | None:
    """The line ``tenants``, where there is one."""
    return next(iter(b.parts_of(Tenants)), None)


def tenant_entity(b: Blueprint) -> Entity | None:
    """The entity whose rows are the tenants."""
    tenants = tenants_of(b)
    return b.entity(tenants.entity) if tenants is not None else None


def belongs(b: Blueprint, e: Entity) -> bool:
    """Whether rows of an entity belong to a tenant."""
    tenants = tenants_of(b)
    return tenants is not None and e.name != tenants.entity and not e.parts_of(Shared)


def tenant_column(b: Blueprint, e: Entity) -> str:
    """The column of a row that names its tenant; empty where it belongs to none."""
    tenants = tenants_of(b)
    return tenants.key if tenants is not None and belongs(b, e) else ""


def apart(b: Blueprint, e: Entity) -> str:
    """What keeps the rows of an entity apart, so that no role of the service may see all of them: the name of the tenants. Empty where
    they are everyone's."""
    tenants = tenants_of(b)
    return tenants.entity if tenants is not None and (belongs(b, e) or e.name == tenants.entity) else ""


def _with_key(b: Blueprint, tenants: Tenants) -> Blueprint:
    def grown(e: Entity) -> Entity:
        names = {f.name for f in e.fields} | {f"{r.name}_id" for r in e.references}
        if not belongs(b, e) or tenants.key in names:
            return e
        key = Field(tenants.key, FieldType.UUID, required=True, read_only=True, made=True)
        return replace(e, fields=(*e.fields, key), unique_within=(tenants.key,))

    return replace(b, entities=tuple(grown(e) for e in b.entities))


def _paths(plan: Any, owner: None, tenants: Tenants) -> Iterator[str]:
    base = f"/api/{plan.paths[tenants.entity]}"
    yield from (f"{base}/join", f"{base}/{{id}}/members", f"{base}/{{id}}/members/{{user_id}}")
    yield from (f"{base}/{{id}}/invitations", f"{base}/{{id}}/invitations/{{invitation_id}}")


def _problems(b: Blueprint, owner: None, tenants: Tenants) -> Iterator[Problem]:
    here = path_of(owner, tenants)
    if b.users is None:
        yield Problem("Tenants have members, and there are no users.", "Add a block 'users { }' to the service.", here)
    tenant = b.entity(tenants.entity)
    if tenant is None:
        near = difflib.get_close_matches(tenants.entity, [e.name for e in b.entities], n=1)
        mend = f"Did you mean {near[0]}?" if near else f"Add 'entity {tenants.entity} {{ … }}'."
        yield Problem(f"The tenants are {tenants.entity!r}, which does not exist.", mend, here)
        return
    yield from _tenant_problems(b, tenants, tenant)
    for e in b.entities:
        if belongs(b, e):
            yield from _row_problems(b, tenants, e)
        elif e is not tenant:
            yield from _shared_problems(b, tenants, e)


def _access_problems(b: Blueprint, e: Entity, *, owner: bool) -> Iterator[Problem]:
    """Only of users it is known which tenants they belong to."""
    rules = {"read": b.read_access(e), "write": b.write_access(e), "create": b.create_access(e), "delete": b.delete_access(e)}
    allowed = (Who.USER, Who.ROLE, Who.OWNER) if owner else (Who.USER, Who.ROLE)
    for word, rule in rules.items():
        if rule.who not in allowed:
            yield Problem(_refusal(word, rule, e), f"Write '{word} user' in {e.name} or for the whole service.", e.name)


def _refusal(word: str, rule: Access, e: Entity) -> str:
    if rule.who is Who.OWNER:
        return f"A {e.name} is there for its members, which '{word} owner' contradicts."
    return f"Whoever may {word} a {e.name} must be a member of its tenant, and '{rule}' lets in others."


def _tenant_problems(b: Blueprint, tenants: Tenants, e: Entity) -> Iterator[Problem]:
    yield from _access_problems(b, e, owner=False)
    if e.parts_of(Shared):
        yield Problem(f"{e.name} is the tenant itself, and no tenant's.", "Remove the line 'shared'.", e.name)
    for r in e.references:
        target = b.entity(r.target)
        if target is not None and (target is e or belongs(b, target)):
            yield Problem(
                f"{e.name}.{r.name} refers to rows that belong to a {e.name} themselves.", "Remove it.", f"{e.name}.{r.name}"
            )
    for link in e.links:
        yield Problem(f"A {e.name} is linked with all that belongs to it already.", "Remove it.", f"{e.name}.{link.name}")


def _row_problems(b: Blueprint, tenants: Tenants, e: Entity) -> Iterator[Problem]:
    yield from _access_problems(b, e, owner=True)
    if not e.unique_within:
        clash = tenants.key if e.field(tenants.key) is not None else tenants.entity
        yield Problem(
            f"Rows of {e.name} get a '{tenants.key}' from the line 'tenants'.",
            "Remove this one, or choose another name.",
            f"{e.name}.{clash}",
        )
    for r in e.references:
        target = b.entity(r.target)
        if r.target == tenants.entity and r.name != tenants.entity:
            yield Problem(f"A {e.name} belongs to one {tenants.entity} and refers to no other.", "Remove it.", f"{e.name}.{r.name}")
        elif target is not None and target.parts_of(Shared) and r.on_delete is not OnDelete.RESTRICT:
            yield Problem(
                f"Whoever deletes a shared {r.target} would change rows of every {tenants.entity}.",
                f"Remove 'on delete {r.on_delete}'.",
                f"{e.name}.{r.name}",
            )
    yield from _link_problems(tenants, e)
    for part in e.parts:
        why = _UNFIT.get(construct_of(part).name)
        if why is not None:
            words = why.format(row=e.name, tenant=tenants.entity)
            yield Problem(words, f"Remove that line from {e.name}.", path_of(e, part))


def _link_problems(tenants: Tenants, e: Entity) -> Iterator[Problem]:
    for link in e.links:
        if link.target == tenants.entity:
            yield Problem(f"A {e.name} belongs to one {tenants.entity} and has no others.", "Remove it.", f"{e.name}.{link.name}")


def _shared_problems(b: Blueprint, tenants: Tenants, e: Entity) -> Iterator[Problem]:
    for r in e.references:
        target = b.entity(r.target)
        if target is not None and (r.target == tenants.entity or belongs(b, target)):
            yield Problem(
                f"A shared {e.name} cannot refer to a {r.target}, which only members of its tenant may know of.",
                f"Remove 'shared' from {e.name}, or {r.name}.",
                f"{e.name}.{r.name}",
            )
    yield from _link_problems(tenants, e)
    yield from _reach_problems(b, tenants, e)


def _reach_problems(b: Blueprint, tenants: Tenants, e: Entity) -> Iterator[Problem]:
    """A shared row belongs to no tenant whose rows alone it could count, or change."""
    places = [(f"{e.name}.{f.name}", f.computed) for f in e.fields if f.computed is not None]
    places += [(path_of(e, part), part) for part in e.parts]
    for path, value in places:
        for name in dict.fromkeys(_reached(value)):
            other = b.entity(name)
            if other is not None and belongs(b, other):
                yield Problem(
                    f"A shared {e.name} would count or change rows of {name} of every {tenants.entity}.",
                    f"Remove 'shared' from {e.name}, or what it does with {name}.",
                    path,
                )


def _reached(value: object) -> Iterator[str]:
    """The entities whose rows a value counts, makes or changes: those of its calls and of its effects."""
    if isinstance(value, tuple):
        for one in value:
            yield from _reached(one)
    elif is_dataclass(value) and not isinstance(value, type):
        if isinstance(value, Call) and value.function in AGGREGATES:
            yield target_of(value)[0]
        elif isinstance(name := getattr(value, "entity", None), str):
            yield name
        for f in fields(value):
            yield from _reached(getattr(value, f.name))


def _shared_alone(b: Blueprint, owner: Entity, value: Shared) -> Iterator[Problem]:
    if tenants_of(b) is None:
        yield Problem(
            f"Rows of {owner.name} are everyone's anyway: the service has no tenants.",
            "Remove the line, or add 'tenants team', say, to the service.",
            path_of(owner, value),
        )


CONSTRUCTS = (
    Construct(
        name="tenants",
        place="service",
        value=Tenants,
        grammar='tenants: "tenants" NAME _NL',
        build=lambda tree: Tenants(str(tree.children[0])),
        lines=lambda value: [f"tenants {value.entity}"],
        check=_problems,
        expand=_with_key,
        introduction=lambda value: (value.entity, HEADER),
        once=True,
        claims=_paths,
    ),
    Construct(
        name="shared",
        place="entity",
        value=Shared,
        grammar='shared: "shared" _NL',
        build=lambda tree: Shared(),
        lines=lambda value: ["shared"],
        check=_shared_alone,
        once=True,
    ),
)
