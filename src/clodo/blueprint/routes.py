"""Paths of a service: no two of its parts answer at one, and none hides another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from clodo.blueprint.constructs import construct_of, path_of
from clodo.blueprint.plan import Plan, make_plan
from clodo.blueprint.problems import Problem
from clodo.blueprint.values import Blueprint, Entity, Users


@dataclass(frozen=True, slots=True)
class Claim:
    """A path as the document has it, with all below it where it ends in ``/*``. ``whose`` says what answers there, ``mend``
    how it could be moved, which is told at ``place``; what cannot be moved has no ``mend``. Claims of one ``group`` are the
    affair of the brick that makes them."""

    path: str
    whose: str
    place: str
    mend: str = ""
    group: str = ""

    def meets(self, other: Claim) -> bool:
        """Whether one request could be for both."""
        if self.group and self.group == other.group:
            return False
        for area, path in ((self.path, other.path), (other.path, self.path)):
            if area.endswith("/*") and f"{path}/".startswith(area[:-1]):
                return True
        mine, theirs = self.path.split("/"), other.path.split("/")
        return len(mine) == len(theirs) and all(map(_same, mine, theirs))


def _same(a: str, b: str) -> bool:
    """Whether one segment of a request could be for both. Ids are UUIDs, so no fixed segment hides one."""
    if "{" in a and "{" in b:
        return True
    return a == b or any("{" in x and x != "{id}" and not x.endswith("_id}") for x in (a, b))


def route_problems(blueprint: Blueprint) -> Iterator[Problem]:
    """Parts of a blueprint, otherwise without fault, that would answer at one path."""
    told: set[frozenset[str]] = set()
    for one, other in _neighbours(list(claims_of(make_plan(blueprint)))):
        if not one.meets(other) or {one.whose, other.whose} in told:
            continue
        told.add(frozenset({one.whose, other.whose}))
        first, second = (one, other) if one.mend else (other, one)
        yield Problem(f"{_capital(first.whose)} would answer at {first.path.removesuffix('/*')}, and so would {second.whose}.", first.mend, first.place)


def _neighbours(claims: list[Claim]) -> Iterator[tuple[Claim, Claim]]:
    """The pairs that could meet: those below one collection, and areas with all others."""
    collections: dict[str, list[Claim]] = {}
    for claim in claims:
        collections.setdefault("/".join(claim.path.split("/")[:3]), []).append(claim)
    for near in collections.values():
        yield from combinations(near, 2)
    areas = {c.path: c for c in claims if c.path.endswith("/*")}
    yield from ((area, claim) for area in areas.values() for claim in claims)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def claims_of(plan: Plan) -> Iterator[Claim]:
    """The paths of all parts. What is moved most easily comes first, so that it is what is told."""
    b = plan.blueprint
    owners: list[Any] = [b, *([b.users] if b.users is not None else []), *b.entities]
    for owner in owners:
        for value in owner.parts:
            yield from _of_part(plan, None if owner is b else owner, value)
    for link in plan.links:
        sides = [(link.source, link.source_path)] if link.is_self else [(link.source, link.source_path), (link.target, link.target_path)]
        for here, segment in sides:
            name = link.table.partition("__")[2]
            whose, place = f"the link {name!r} of {link.source.name}", f"{link.source.name}.{name}"
            for path in (f"/api/{plan.path(here)}/{{id}}/{segment}", f"/api/{plan.path(here)}/{{id}}/{segment}/{{other_id}}"):
                yield Claim(path, whose, place, "Rename it, or what it leads to.")
    for c in plan.children:
        whose = f"the list of the {c.path} of a {c.parent.name}"
        yield Claim(f"/api/{plan.path(c.parent)}/{{id}}/{c.path}", whose, f"{c.child.name}.{c.reference.name}", f"Rename {c.child.name}.")
    for e in b.entities:
        for path in (f"/api/{plan.path(e)}", f"/api/{plan.path(e)}/{{id}}"):
            yield Claim(path, f"the entity {e.name!r}", e.name, "Rename the entity.")


def _of_part(plan: Plan, owner: Entity | Users | None, value: Any) -> Iterator[Claim]:
    construct, name = construct_of(value), getattr(value, "name", "")
    kind = construct.name.removesuffix("_line").replace("_", " ")
    mend = f"Rename the {kind}." if name else ""
    whose = f"the {kind} {name!r}" if name else f"the line {kind!r}"
    for path in construct.claims(plan, owner, value):
        if isinstance(owner, Entity) and not path.startswith("/"):
            yield Claim(f"/api/{plan.path(owner)}/{path}", f"{whose} of {owner.name}", path_of(owner, value), mend)
        else:
            # Of the service. To call one part of an area otherwise would not help.
            yield Claim(path, whose, path_of(owner, value), "" if path.endswith("/*") else mend, construct.name)
