"""A gateway's routes: their code, their bindings, their place in the document."""

from __future__ import annotations

import zlib
from decimal import Decimal
from typing import Any

from clodo.blueprint.plan import Plan, camel
from clodo.bricks.gateway.values import Header, Limit, Route, Upstream
from clodo.bricks.limits.policies import Policy, literals, route_policies
from clodo.emit.brick import Brick, Import, Parts
from clodo.emit.openapi import operation, ref
from clodo.emit.typescript import literal, rule

#: The largest body where a route says nothing, in megabytes.
USUAL_MEGABYTES = Decimal(1)


def body_bytes(r: Route) -> int:
    """The most bytes that a body may have."""
    megabytes = USUAL_MEGABYTES if r.max_body is None else r.max_body
    return int(megabytes * 1024 * 1024)


def limiters(plan: Plan) -> dict[str, Route]:
    """The name of the binding that counts → the route."""
    limited = [r for r in plan.blueprint.parts_of(Route) if r.limit is not None]
    return {f"LIMIT_{i}": r for i, r in enumerate(limited, 1)}


def _parts(plan: Plan) -> Parts:
    b = plan.blueprint
    routes, upstreams = b.parts_of(Route), b.parts_of(Upstream)
    counted = limiters(plan)
    secrets = tuple(dict.fromkeys(h.secret.upper() for r in routes for h in r.set if h.secret))
    names = {route.name: binding for binding, route in counted.items()}
    listed = "".join(f"\n  {_route(r, names.get(r.name))}," for r in routes)
    # Counting longer than a minute is the limits' affair.
    stored = (Import("counted", "./lib/limits"),) if any(r.stored_limits for r in routes) else ()
    return Parts(
        imports=(Import("gateway", "./lib/gateway"), Import("Upstream", "./lib/upstream"), *stored),
        routes=(*(_upstream(u) for u in upstreams), f"gateway(app, [{listed}\n]);"),
        env={u.variable: "string" for u in upstreams} | dict.fromkeys(counted, "RateLimit"),
        wrangler=_wrangler(b.name, upstreams, counted),
        secrets=secrets,
        readme=_readme(routes, upstreams),
        amend=lambda document: _amend(routes, document),
    )


def _wrangler(service: str, upstreams: tuple[Upstream, ...], counted: dict[str, Route]) -> dict[str, Any]:
    out: dict[str, Any] = {"vars": {u.variable: u.address for u in upstreams}}
    if counted:
        out["ratelimits"] = [
            {
                "name": name,
                # Counters of one number are shared within an account.
                "namespace_id": str(zlib.crc32(f"{service} {route.name}".encode()) % 1_000_000_000 + 1),
                "simple": {"limit": int(route.limit.count), "period": 60},
            }
            for name, route in counted.items()
            if route.limit is not None
        ]
    return out


def _const(name: str) -> str:
    return f"{camel(name)}Upstream"


def _upstream(u: Upstream) -> str:
    options = [
        f"name: {literal(u.name)}",
        f"address: (env) => env.{u.variable}",
        f"timeoutMs: {int(u.timeout * 1000)}",
        f"retries: {literal(u.retries)}",
    ]
    if u.failures is not None:
        options.append(f"breaker: {{ failures: {literal(u.failures)}, pauseMs: {int(u.pause * 1000)} }}")
    return f"const {_const(u.name)} = new Upstream({{ {', '.join(options)} }});"


def _route(r: Route, limiter: str | None) -> str:
    options = [
        f"path: {literal(r.prefix)}",
        f"below: {literal(r.below)}",
        f"methods: {literal(list(r.all_methods))}",
        f"upstream: {_const(r.upstream)}",
        f"strip: {literal(r.strip)}",
        f"rule: {rule(r.access)}",
    ]
    if r.limit is not None:
        options.append(f"limit: {{ limiter: (env) => env.{limiter}, per: {literal(r.limit.per)} }}")
    if r.stored_limits:
        policies = route_policies(r)
        sides = {"address": [p for p in policies if p.per == "address"], "caller": [p for p in policies if p.per != "address"]}
        options.append(f"counts: {{ {', '.join(f'{side}: {_counter(held)}' for side, held in sides.items() if held)} }}")
    options.append(f"maxBodyBytes: {body_bytes(r)}")
    if r.cache is not None:
        options.append(f"cacheSeconds: {literal(r.cache)}")
    options.append(f"request: {_rules(r.set, r.remove)}")
    options.append(f"answer: {_rules(r.answer_set, r.answer_remove)}")
    options.append(f"credentials: {literal(r.credentials)}")
    return f"{{ {', '.join(options)} }}"


def _counter(policies: list[Policy]) -> str:
    return f"(c) => counted(c, {literals(policies)})"


def _rules(headers: tuple[Header, ...], removed: tuple[str, ...]) -> str:
    given = [f"{literal(h.name)}: {f'(env) => env.{h.secret.upper()}' if h.secret else literal(h.value)}" for h in headers]
    return f"{{ set: {{ {', '.join(given)} }}, remove: {literal(list(removed))} }}".replace("{  }", "{}")


def _readme(routes: tuple[Route, ...], upstreams: tuple[Upstream, ...]) -> str:
    rows = [f"| `{r.path}` | {', '.join(r.all_methods)} | {r.upstream} | {r.access} |" for r in routes]
    variables = [f"| `{u.variable}` | {u.address} |" for u in upstreams]
    return "\n".join(
        [
            "## Gateway",
            "",
            "| path | methods | leads to | who may |",
            "|---|---|---|---|",
            *rows,
            "",
            "Where the servers stand is said by variables in `wrangler.jsonc`. To try it with a server on your machine, put",
            "another address into `.dev.vars`.",
            "",
            "| variable | address |",
            "|---|---|",
            *variables,
            "",
        ]
    )


def _rate(limit: Limit) -> str:
    return f"{limit.count} requests in {'an' if limit.span == 'hour' else 'a'} {limit.span}"


def _problem(description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/problem+json": {"schema": ref("Problem")}}}


def _amend(routes: tuple[Route, ...], document: dict[str, Any]) -> None:
    for r in routes:
        places = [r.prefix or "/"] + ([f"{r.prefix}/{{path}}"] if r.below else [])
        for place in places:
            item = document["paths"].setdefault(place, {})
            for method in r.all_methods:
                item[method.lower()] = _operation(r, method, rest=place.endswith("{path}"))


def _operation(r: Route, method: str, *, rest: bool) -> dict[str, Any]:
    answers: dict[Any, Any] = {
        "default": {"description": f"What {r.upstream} answers", "content": {"*/*": {}}},
        400: _problem("The path can be read in two ways"),
        502: _problem(f"{r.upstream} cannot be reached"),
        503: _problem(f"{r.upstream} is down, or says so"),
        504: _problem(f"{r.upstream} did not answer in time"),
    }
    if method != "GET":
        answers[413] = _problem(f"The body is larger than {body_bytes(r):,} bytes")
    if r.limits:
        answers[429] = _problem(f"More than {' or '.join(_rate(i) for i in r.limits)}")
    words = (r.prefix.strip("/.") or "all").replace("/", "_").replace("-", "_").replace(".", "_")
    name = f"{method.lower()}_{words}{'_below' if rest else ''}"
    made = operation(name, f"Passed on to {r.upstream}", "gateway", answers, rules=(r.access,))
    # What the server behind answers under one of these numbers is passed on as well.
    for code in ("400", "401", "403", "413", "429", "502", "503", "504"):
        if code in made["responses"]:
            made["responses"][code]["content"]["*/*"] = {}
    if rest:
        made["parameters"] = [{"name": "path", "in": "path", "required": True, "schema": {"type": "string"}, "description": "All that follows, slashes too.", "x-rest": True}]
    if method in ("POST", "PUT", "PATCH"):
        made["requestBody"] = {"required": False, "content": {"*/*": {}}}
    return made


BRICK = Brick("gateway", "clodo.bricks.gateway", lambda plan: bool(plan.blueprint.parts_of(Route)), _parts, order=90)
