"""What is wrong with upstreams and routes, which a grammar cannot see."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from decimal import Decimal
from urllib.parse import urlsplit

from clodo.blueprint.constructs import path_of, place_name
from clodo.blueprint.plan import kebab, plural
from clodo.blueprint.problems import Problem
from clodo.blueprint.values import Blueprint, ServiceType, Who
from clodo.bricks.gateway.values import Header, Route, Upstream

#: Of what is hidden, ``/.well-known`` alone is for others to ask for (RFC 8615), and it stands at the front.
_PATH = re.compile(r"(/\.well-known)?(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*(/\*)?")
_HEADER = re.compile(r"[A-Za-z0-9-]{1,64}")
_VALUE = re.compile(r"[\x20-\x7e]{0,1000}")
#: Headers that the gateway alone decides on.
_OWN_HEADERS = frozenset(
    ["connection", "content-length", "host", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-request-id", "x-user-id", "x-user-role"]
)
_OWN_PATHS = ("/health", "/openapi.json", "/docs")
_SECRETS = ("api_key", "jwt_secret", "admin_email", "db")


def upstream_problems(b: Blueprint, owner: None, u: Upstream) -> Iterator[Problem]:
    """What is wrong with an upstream."""
    path = path_of(owner, u)
    try:
        parts = urlsplit(u.address)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        fine = False
    if not fine or re.search(r"[\s\\*]", u.address):
        yield Problem(f"{u.address!r} is no address of a server.", 'Write it as "https://catalog.example".', path)
        return
    if parts.username is not None or parts.query or parts.fragment or "#" in u.address or "?" in u.address:
        yield Problem(
            f"The address of {u.name} has credentials, a query or a fragment.",
            "Leave scheme, host and path; a route may set a header from a secret.",
            path,
        )
    if parts.scheme == "http":
        yield Problem(f"What goes to {u.name} can be read on its way.", "Use https.", path, severity="warning")
    breaks = f"{path}.(break)"
    yield from _outside(u.timeout, Decimal("0.05"), 60, "The timeout", f"{path}.(timeout)")
    yield from _outside(u.retries, 0, 5, "The number of retries", f"{path}.(retry)", whole=True)
    if u.failures is not None:
        yield from _outside(u.failures, 1, 1000, "The number of failures", breaks, whole=True)
        yield from _outside(u.pause, 1, 3600, "The pause", breaks)
        if u.retries and u.failures <= u.retries + 1:
            yield Problem(
                f"The retries of one request to {u.name} would open its breaker.",
                f"Let it break after {int(u.retries) + 2} failures or more.",
                breaks,
            )
    if not any(r.upstream == u.name for r in b.parts_of(Route)):
        yield Problem(f"No route leads to {u.name}.", f'Add a line such as route "/{u.name}/*" to {u.name}.', path, severity="warning")


def route_problems(b: Blueprint, owner: None, r: Route) -> Iterator[Problem]:
    """What is wrong with a route."""
    path = path_of(owner, r)
    for n, what in enumerate(r.twice):
        place = f"{path}.{place_name(what, 1 + r.twice[:n].count(what))}"
        yield Problem(f"The route {r.path} says {what!r} twice.", "Remove one of the two.", place)
    known = [u.name for u in b.parts_of(Upstream)]
    if r.upstream not in known:
        near = difflib.get_close_matches(r.upstream, known, n=1)
        mend = f"Did you mean {near[0]}?" if near else f'Add a line such as upstream {r.upstream} "https://{kebab(r.upstream)}.example".'
        yield Problem(f"The route {r.path} leads to {r.upstream!r}, which is no upstream.", mend, path)
    yield from _place(b, r, path)
    yield from _others(b, r, path)
    yield from _callers(b, r, path)
    yield from _sizes(r, path)
    yield from _headers(r, path)


def _place(b: Blueprint, r: Route, path: str) -> Iterator[Problem]:
    if not _PATH.fullmatch(r.path) or not r.path:
        yield Problem(
            f"{r.path!r} is no path of a route.",
            'Write "/catalog/*" for all below a path, "/status" for one path: letters, digits, - and _.',
            path,
        )
        return
    taken = [*_OWN_PATHS, *(f"/api/{kebab(plural(e.name))}" for e in b.entities)]
    taken += ["/api/auth"] if b.users is not None else []
    # Elsewhere a line of the users says that it is there, and claims it.
    taken += ["/.well-known/jwks.json"] if b.users is not None and b.type is ServiceType.AUTH else []
    for other in taken:
        if r.prefix and (r.prefix == other or r.prefix.startswith(f"{other}/")):
            yield Problem(f"The path {r.path} belongs to {other} of the service itself.", "Choose another.", path)
    if r.prefix != r.prefix.lower():
        yield Problem(f"The path {r.path} has capitals.", "Write it small, as callers will.", path)
    if r.strip and not (r.strip.startswith("/") and f"{r.prefix}/".startswith(f"{r.strip}/")):
        yield Problem(f"{r.path} does not begin with {r.strip!r}, which is to be stripped.", f"Strip {r.prefix or '/'!r}, or nothing.", f"{path}.(strip)")


def _others(b: Blueprint, r: Route, path: str) -> Iterator[Problem]:
    routes = b.parts_of(Route)
    for other in routes[: routes.index(r)]:
        if other.path == r.path and other.name != r.name and set(other.all_methods) & set(r.all_methods):
            both = ", ".join(m for m in r.all_methods if m in other.all_methods)
            yield Problem(f"Two routes for {r.path} have {both}.", "Give each its own methods.", f"{path}.(methods)")
    for method in {m for m in r.methods if r.methods.count(m) > 1}:
        yield Problem(f"The route {r.path} names {method} twice.", "Remove one.", f"{path}.(methods)")


def _callers(b: Blueprint, r: Route, path: str) -> Iterator[Problem]:
    access, allow = r.access, f"{path}.(allow)"
    if access.who is Who.OWNER:
        yield Problem(f"The route {r.path} has no rows that could have an owner.", "Write 'allow user'.", allow)
    elif access.who in (Who.USER, Who.ROLE) and b.users is None:
        yield Problem(f"The rule '{access}' needs users.", "Add a block 'users { }' to the service.", allow)
    for role in access.roles if b.users is not None else ():
        if role not in {"admin", "user", *b.users.roles}:  # type: ignore[union-attr]
            yield Problem(f"No role {role!r} is declared.", f"Add '{role}' to the line 'roles' of the block 'users'.", allow)
    for n, limit in enumerate(r.limits):
        wanted = {"key": (Who.KEY,), "user": (Who.USER, Who.ROLE, Who.OWNER), "address": tuple(Who)}[limit.per]
        if access.who not in wanted:
            yield Problem(
                f"The limit of {r.path} counts for each {limit.per}, and the route asks for none.",
                f"Write 'per address', or 'allow {limit.per}'.",
                f"{path}.{place_name('limit', n)}",
            )
    if r.cache is not None and r.credentials:
        # Cookies are not what the gateway knows callers by.
        yield Problem(
            f"The route {r.path} would answer one caller with what was cached for another.",
            "Remove 'cache' or 'forward credentials'.",
            f"{path}.(cache)",
        )


def _sizes(r: Route, path: str) -> Iterator[Problem]:
    for n, limit in enumerate(r.limits):
        line = f"{path}.{place_name('limit', n)}"
        yield from _outside(limit.count, 1, 100_000 if limit.span == "minute" else 1_000_000, "The limit", line, whole=True)
        # There is one limit by the minute, and of the longer ones one for each kind of caller.
        if any(other.span == limit.span and (limit.span == "minute" or other.per == limit.per) for other in r.limits[:n]):
            yield Problem(f"The route {r.path} has two limits per {limit.span}.", "Remove one of the two.", line)
    if r.max_body is not None:
        yield from _outside(r.max_body, Decimal("0.001"), 100, "The largest body", f"{path}.(body)")
    if r.cache is not None:
        yield from _outside(r.cache, 1, 86_400, "The time in the cache", f"{path}.(cache)", whole=True)
        if "GET" not in r.all_methods:
            yield Problem(f"Only GET is cached, which {r.path} does not have.", "Remove 'cache'.", f"{path}.(cache)")


def _headers(r: Route, path: str) -> Iterator[Problem]:
    for kind, group in (("set", r.set), ("answer_set", r.answer_set)):
        names = [h.name.lower() for h in group]
        for n, h in enumerate(group):
            line = f"{path}.{place_name(kind, n)}"
            yield from _header(h, line)
            if h.name.lower() in names[:n]:
                yield Problem(f"The route {r.path} sets {h.name} twice.", "Remove one of the two.", line)
    for kind, removed in (("remove", r.remove), ("answer_remove", r.answer_remove)):
        for n, name in enumerate(removed):
            yield from _header(Header(name), f"{path}.{place_name(kind, n)}")


def _header(h: Header, path: str) -> Iterator[Problem]:
    if not _HEADER.fullmatch(h.name):
        yield Problem(f"{h.name!r} is no name of a header.", "Use letters, digits and hyphens.", path)
    elif h.name.lower() in _OWN_HEADERS:
        yield Problem(f"The gateway itself decides on the header {h.name}.", "Remove that line.", path)
    if not _VALUE.fullmatch(h.value):
        yield Problem(f"The value of {h.name} has signs that a header cannot carry.", "Use plain ASCII, 1,000 signs at most.", path)
    if h.secret in _SECRETS or h.secret.startswith(("upstream_", "limit_")):
        yield Problem(f"The secret {h.secret!r} is the service's own.", "Choose another name.", path)


def _outside(value: Decimal, least: Decimal | int, most: int, what: str, path: str, *, whole: bool = False) -> Iterator[Problem]:
    if not least <= value <= most or (whole and value != value.to_integral_value()):
        kind = "a whole number" if whole else "a number"
        yield Problem(f"{what} must be {kind} from {least} to {most:,}.", "Change it.", path)


