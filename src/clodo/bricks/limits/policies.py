"""The limits of a plan, each with its name and with the requests that it counts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from clodo.blueprint.plan import Plan, kebab
from clodo.blueprint.values import Entity
from clodo.bricks.actions.values import Action
from clodo.bricks.gateway.values import Route
from clodo.bricks.limits.language import SECONDS, WRITES, JointLimit, Limit, WriteLimit
from clodo.emit.typescript import literal

#: Answered without looking at anything stored, and never counted: monitors and readers of the document ask often.
UNCOUNTED = ("/health", "/openapi.json", "/docs")


@dataclass(frozen=True)
class Policy:
    """A limit by the name that answers give it: ``most`` requests in ``seconds``. ``kinds`` are the writes and actions of
    ``entities`` that it counts, together; without an entity it counts every request."""

    name: str
    most: int
    seconds: int
    per: str
    entities: tuple[Entity, ...] = ()
    kinds: tuple[str, ...] = ()

    def counts(self, kind: str) -> bool:
        """Whether it counts a kind of write. An action is an update as well."""
        return kind in self.kinds or (kind not in WRITES and "update" in self.kinds)


@dataclass(frozen=True)
class WriteRoute:
    """Requests that write an entity, or call an action of its rows, as a pattern of Hono. Where its parameter ``part`` begins with one of
    ``beside``, the request writes another entity."""

    kind: str
    methods: tuple[str, ...]
    path: str
    beside: tuple[str, ...] = ()

    def matches(self, method: str, path: str) -> bool:
        """Whether an operation of the document is among them."""
        pattern = re.sub(r":\w+\{\.\+\}", "(.+)", self.path)
        found = re.fullmatch(re.sub(r":\w+", "[^/]+", pattern), path)
        if found is None or method.upper() not in self.methods:
            return False
        return not found.groups() or found[1].split("/")[0] not in self.beside


def service_policies(plan: Plan) -> tuple[Policy, ...]:
    """The limits of all requests."""
    limits = plan.blueprint.parts_of(Limit)
    return tuple(Policy(f"{i.per}-{i.span}", int(i.most), SECONDS[i.span], i.per) for i in limits)


def route_policies(r: Route) -> tuple[Policy, ...]:
    """The limits of one route of a gateway that are stored."""
    return tuple(Policy(f"{r.name} {i.per}-{i.span}", int(i.count), SECONDS[i.span], i.per) for i in r.stored_limits)


def literals(policies: Iterable[Policy]) -> str:
    """Limits as an array of TypeScript."""
    made = (f"{{ name: {literal(p.name)}, most: {p.most}, seconds: {p.seconds}, per: {literal(p.per)} }}" for p in policies)
    return f"[{', '.join(made)}]"


def write_policies(e: Entity) -> tuple[Policy, ...]:
    """The limits of the writes of an entity alone."""
    return tuple(
        Policy(
            f"{kebab(e.name)}-{'-'.join(map(kebab, i.writes))}-{i.per}-{i.span}", int(i.most), SECONDS[i.span], i.per, (e,), i.kinds
        )
        for i in e.parts_of(WriteLimit)
    )


def joint_policies(plan: Plan) -> tuple[Policy, ...]:
    """The limits of the writes of several entities together."""
    b = plan.blueprint
    return tuple(
        Policy("-".join(["all", *map(kebab, i.entities), *i.writes, i.per, i.span]), int(i.most), SECONDS[i.span], i.per, i.counted(b), i.kinds)
        for i in b.parts_of(JointLimit)
    )


def policies_of(plan: Plan, e: Entity) -> tuple[Policy, ...]:
    """The limits that count writes of an entity: its own, and those of several together."""
    return (*write_policies(e), *(p for p in joint_policies(plan) if e in p.entities))


def write_routes(plan: Plan, e: Entity) -> Iterator[WriteRoute]:
    """All requests that write rows of an entity, by whichever path."""
    create, update, delete = WRITES
    base = f"/api/{plan.path(e)}"
    yield WriteRoute(create, ("POST",), base)
    # No row answers POST: what stands there makes many rows at once.
    yield WriteRoute(create, ("POST",), f"{base}/:id")
    for c in plan.children:
        if c.child.name == e.name:
            yield WriteRoute(create, ("POST",), f"/api/{plan.path(c.parent)}/:id/{c.path}")
    yield WriteRoute(update, ("PUT", "PATCH"), f"{base}/:id")
    beside = [c.path for c in plan.children if c.parent.name == e.name]
    for link in plan.links:
        if link.target.name == e.name and not link.is_self:
            beside.append(link.target_path)
        elif link.source.name == e.name and not link.is_self:
            yield WriteRoute(update, ("PUT", "DELETE"), f"/api/{plan.path(link.target)}/:id/{link.target_path}/:other")
    yield WriteRoute(update, ("POST", "PUT", "PATCH", "DELETE"), f"{base}/:id/:part{{.+}}", tuple(beside))
    yield WriteRoute(delete, ("DELETE",), f"{base}/:id")
    for action in e.parts_of(Action):
        if action.name not in (*WRITES, "writes"):
            yield WriteRoute(action.name, ("POST",), f"{base}/:id/{action.segment}")
