"""Requests are counted before anything stored is looked at."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Entity
from clodo.bricks.gateway.values import Route
from clodo.bricks.limits.policies import (
    UNCOUNTED,
    Policy,
    joint_policies,
    literals,
    policies_of,
    route_policies,
    service_policies,
    write_policies,
    write_routes,
)
from clodo.emit.brick import Brick, Import, Parts, Stage
from clodo.emit.openapi import ref
from clodo.emit.typescript import literal

_METHODS = ("get", "put", "post", "delete", "patch")
_HEADERS = {
    "Retry-After": {"description": "Seconds until another request is possible.", "schema": {"type": "integer", "minimum": 1}},
    "RateLimit": {"description": "What is left of each limit, and the seconds until it is whole again.", "schema": {"type": "string"}},
    "RateLimit-Policy": {"description": "Each limit: how many requests in how many seconds.", "schema": {"type": "string"}},
}
_TABLE = """CREATE TABLE "rate-limit" (
  "policy" TEXT NOT NULL,
  "subject" TEXT NOT NULL,
  "count" INTEGER NOT NULL,
  "reset" INTEGER NOT NULL,
  PRIMARY KEY ("policy", "subject")
);
CREATE INDEX "rate-limit__reset" ON "rate-limit" ("reset");"""


def _applies(plan: Plan) -> bool:
    routed = any(r.stored_limits for r in plan.blueprint.parts_of(Route))
    return routed or bool(service_policies(plan)) or any(policies_of(plan, e) for e in plan.blueprint.entities)


def _parts(plan: Plan) -> Parts:
    service = service_policies(plan)
    by_address = [p for p in service if p.per == "address"]
    by_caller = [p for p in service if p.per != "address"]
    wares = [(Stage.LIMIT, f"app.use(limited({literals(by_address)}));")] if by_address else []
    wares += [(Stage.KNOWN, f"app.use(limited({literals(by_caller)}));")] if by_caller else []
    wares += [(Stage.KNOWN, line) for e in plan.blueprint.entities for line in _of_writes(plan, e)]
    return Parts(
        imports=(Import("limited", "./lib/limits"),) if wares else (),
        middleware=tuple(wares),
        secrets=("LIMIT_SECRET",),
        sql=(_TABLE,),
        readme=_readme(plan),
        amend=lambda document: _amend(plan, document),
    )


def _of_writes(plan: Plan, e: Entity) -> Iterable[str]:
    """Middleware for each path that writes an entity."""
    policies = policies_of(plan, e)
    for route in write_routes(plan, e):
        held = [p for p in policies if route.kind in p.kinds]
        beside = f", {literal(list(route.beside))}" if route.beside else ""
        if held:
            yield f"app.on({literal(list(route.methods))}, {literal(route.path)}, limited({literals(held)}{beside}));"


def _amend(plan: Plan, document: dict[str, Any]) -> None:
    """429 wherever it can be answered."""
    document["components"].setdefault("headers", {}).update(_HEADERS)
    everywhere = bool(service_policies(plan))
    routes = [
        r
        for e in plan.blueprint.entities
        for r in write_routes(plan, e)
        if any(r.kind in p.kinds for p in policies_of(plan, e))
    ]
    for path, item in document["paths"].items():
        for method in _METHODS:
            counted = everywhere and path not in UNCOUNTED
            if method in item and (counted or any(r.matches(method, path) for r in routes)):
                item[method]["responses"].setdefault("429", _refusal())


def _refusal() -> dict[str, Any]:
    return {
        "description": "Too many requests; Retry-After tells when to try again",
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in _HEADERS},
        "content": {"application/problem+json": {"schema": ref("Problem")}},
    }


def _readme(plan: Plan) -> str:
    rows = [f"| every request | {_words(p)} |" for p in service_policies(plan)]
    rows += [f"| `{r.name}` | {_words(p)} |" for r in plan.blueprint.parts_of(Route) for p in route_policies(r)]
    for e in plan.blueprint.entities:
        rows += [f"| {', '.join(p.kinds)}: {e.name.replace('_', ' ')} | {_words(p)} |" for p in write_policies(e)]
    for p in joint_policies(plan):
        names = ", ".join(e.name.replace("_", " ") for e in p.entities)
        rows.append(f"| {', '.join(p.kinds)}, together: {names} | {_words(p)} |")
    return (
        "## Limits\n\n| what | at most |\n|---|---|\n" + "\n".join(rows) + "\n\nAnything beyond is 429 with `Retry-After`. "
        "Answers tell what is left in `RateLimit` and `RateLimit-Policy`. Who is counted is stored only as a hash, made with "
        "the secret `LIMIT_SECRET`, until the limit is whole again.\n"
    )


def _words(p: Policy) -> str:
    span = {60: "minute", 3600: "hour", 86400: "day"}[p.seconds]
    return f"{p.most:,} per {span} per {p.per}"


# Late, behind tenants too: the document has the routes of all others by then.
BRICK = Brick("limits", "clodo.bricks.limits", _applies, _parts, order=97)
