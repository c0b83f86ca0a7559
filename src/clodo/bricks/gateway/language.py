"""``upstream …`` and ``route …`` in the service: what stands behind a gateway, and which paths lead there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

from lark import Tree

from clodo.blueprint.constructs import Construct
from clodo.blueprint.syntax import access_of, text_of
from clodo.blueprint.text import number, quote
from clodo.blueprint.values import PUBLIC
from clodo.bricks.gateway.problems import route_problems, upstream_problems
from clodo.bricks.gateway.values import Header, Limit, Route, Upstream


def _number(token: Any) -> Decimal:
    return Decimal(str(token))


_UPSTREAM: dict[str, Callable[[list[Any]], dict[str, Any]]] = {
    "upstream_timeout": lambda c: {"timeout": _number(c[0])},
    "upstream_retry": lambda c: {"retries": _number(c[0])},
    "upstream_break": lambda c: {"failures": _number(c[0]), "pause": _number(c[1])},
}
_ROUTE: dict[str, Callable[[list[Any]], dict[str, Any]]] = {
    "route_methods": lambda c: {"methods": tuple(str(m) for m in c)},
    "route_strip": lambda c: {"strip": text_of(c[0])},
    "route_allow": lambda c: {"access": access_of(c[0])},
    "route_body": lambda c: {"max_body": _number(c[0])},
    "route_cache": lambda c: {"cache": _number(c[0])},
    "route_credentials": lambda c: {"credentials": True},
}
_LISTS: dict[str, tuple[str, Callable[[list[Any]], Any]]] = {
    "route_limit": ("limits", lambda c: Limit(_number(c[0]), str(c[2]), str(c[1]))),
    "route_set": ("set", lambda c: Header(text_of(c[0]), text_of(c[1]))),
    "route_secret": ("set", lambda c: Header(text_of(c[0]), secret=str(c[1]))),
    "route_remove": ("remove", lambda c: text_of(c[0])),
    "route_answer_set": ("answer_set", lambda c: Header(text_of(c[0]), text_of(c[1]))),
    "route_answer_remove": ("answer_remove", lambda c: text_of(c[0])),
}


def _upstream(tree: Tree[Any]) -> Upstream:
    name, address, *members = tree.children
    upstream = Upstream(str(name), text_of(address))
    for member in members:
        upstream = replace(upstream, **_UPSTREAM[str(member.data)](member.children))
    return upstream


def _route(tree: Tree[Any]) -> Route:
    path, upstream, *members = tree.children
    route, seen = Route(text_of(path), str(upstream)), set()
    for member in members:
        kind = str(member.data)
        if kind in _LISTS:
            slot, make = _LISTS[kind]
            longer: dict[str, Any] = {slot: (*getattr(route, slot), make(member.children))}
            route = replace(route, **longer)
            continue
        if kind in seen:
            route = replace(route, twice=(*route.twice, kind.removeprefix("route_")))
        seen.add(kind)
        route = replace(route, **_ROUTE[kind](member.children))
    return route


def _upstream_lines(u: Upstream) -> Iterator[str]:
    usual = Upstream(u.name, u.address)
    inner = []
    if u.timeout != usual.timeout:
        inner.append(f"timeout {number(u.timeout)} s")
    if u.retries != usual.retries:
        inner.append(f"retry {number(u.retries)} times")
    if u.failures is not None:
        inner.append(f"break after {number(u.failures)} failures for {number(u.pause)} s")
    yield from _block(f"upstream {u.name} {quote(u.address)}", inner)


def _route_lines(r: Route) -> Iterator[str]:
    inner = []
    if r.methods:
        inner.append(f"methods {', '.join(r.methods)}")
    if r.strip:
        inner.append(f"strip {quote(r.strip)}")
    if r.access != PUBLIC:
        inner.append(f"allow {r.access}")
    inner += [f"limit {number(i.count)} per {i.span} per {i.per}" for i in r.limits]
    if r.max_body is not None:
        inner.append(f"body max {number(r.max_body)} MB")
    if r.cache is not None:
        inner.append(f"cache {number(r.cache)} s")
    inner += [f"set {quote(h.name)} {f'from secret {h.secret}' if h.secret else quote(h.value)}" for h in r.set]
    inner += [f"remove {quote(name)}" for name in r.remove]
    inner += [f"answer set {quote(h.name)} {quote(h.value)}" for h in r.answer_set]
    inner += [f"answer remove {quote(name)}" for name in r.answer_remove]
    if r.credentials:
        inner.append("forward credentials")
    yield from _block(f"route {quote(r.path)} to {r.upstream}", inner)


def _block(head: str, inner: list[str]) -> Iterator[str]:
    if not inner:
        yield head
        return
    yield f"{head} {{"
    yield from (f"  {line}" for line in inner)
    yield "}"


_UPSTREAM_GRAMMAR = """
upstream: "upstream" NAME STRING ("{" _NL upstream_member* "}")? _NL
?upstream_member: upstream_timeout | upstream_retry | upstream_break
upstream_timeout: "timeout" NUMBER "s" _NL
upstream_retry: "retry" NUMBER "times" _NL
upstream_break: "break" "after" NUMBER "failures" "for" NUMBER "s" _NL
"""
_ROUTE_GRAMMAR = """
route: "route" STRING "to" NAME ("{" _NL route_member* "}")? _NL
?route_member: route_methods
             | route_strip
             | route_allow
             | route_limit
             | route_body
             | route_cache
             | route_set
             | route_secret
             | route_remove
             | route_answer_set
             | route_answer_remove
             | route_credentials
route_methods: "methods" ROUTE_METHOD ("," ROUTE_METHOD)* _NL
route_strip: "strip" STRING _NL
route_allow: "allow" access _NL
route_limit: "limit" NUMBER "per" ROUTE_SPAN "per" ROUTE_CALLER _NL
route_body: "body" "max" NUMBER "MB" _NL
route_cache: "cache" NUMBER "s" _NL
route_set: "set" STRING STRING _NL
route_secret: "set" STRING "from" "secret" NAME _NL
route_remove: "remove" STRING _NL
route_answer_set: "answer" "set" STRING STRING _NL
route_answer_remove: "answer" "remove" STRING _NL
route_credentials: "forward" "credentials" _NL
ROUTE_METHOD: "GET" | "POST" | "PUT" | "PATCH" | "DELETE"
ROUTE_SPAN: "minute" | "hour" | "day"
ROUTE_CALLER: "address" | "key" | "user"
"""

CONSTRUCTS = (
    Construct(
        name="upstream",
        place="service",
        value=Upstream,
        grammar=_UPSTREAM_GRAMMAR,
        build=_upstream,
        lines=_upstream_lines,
        check=upstream_problems,
        storeless=True,
        places={rule: rule.removeprefix("upstream_") for rule in _UPSTREAM},
        singles=frozenset(_UPSTREAM),
    ),
    Construct(
        name="route",
        place="service",
        value=Route,
        grammar=_ROUTE_GRAMMAR,
        build=_route,
        lines=_route_lines,
        check=route_problems,
        storeless=True,
        stores=lambda route: bool(route.stored_limits),
        claims=lambda plan, owner, route: [route.prefix],
        places={**{rule: rule.removeprefix("route_") for rule in (*_ROUTE, *_LISTS)}, "route_secret": "set"},
    ),
)
