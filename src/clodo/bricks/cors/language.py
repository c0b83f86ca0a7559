"""``cors "https://app.example.com", "https://*.example.com"`` or ``cors any``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lark import Token, Tree

from clodo.blueprint.constructs import Construct, path_of
from clodo.blueprint.problems import Problem
from clodo.blueprint.text import quote
from clodo.blueprint.values import Blueprint
from clodo.bricks.cookies.language import Cookies

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_ORIGIN = re.compile(
    rf"(?P<scheme>https?)://(?P<host>(?P<star>\*\.)?{_LABEL}(\.{_LABEL})*|\[[0-9a-f:]+\])(:(?P<port>[1-9][0-9]{{0,4}}))?"
)
_LOCAL = ("localhost", "127.0.0.1", "[::1]")
_LARGEST_PORT = 65535
_USUAL_PORTS = {"http": "80", "https": "443"}
_MOST = 50
#: Below these anybody can have a host of their own.
_SHARED = (
    "amazonaws.com", "appspot.com", "azurewebsites.net", "cloudfront.net", "firebaseapp.com", "fly.dev", "github.io", "gitlab.io",
    "herokuapp.com", "netlify.app", "ngrok.app", "ngrok.io", "onrender.com", "pages.dev", "surge.sh", "vercel.app", "web.app",
    "workers.dev",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cors:
    """The origins whose pages may read answers; none stands for any origin."""

    origins: tuple[str, ...] = ()


def cookie_origins(b: Blueprint) -> tuple[str, ...]:
    """The origins whose pages may act for whoever is logged in with a cookie."""
    found = b.users.parts_of(Cookies) if b.users is not None else ()
    return tuple(origin for cookies in found for origin in cookies.origins)


def covers(listed: str, origin: str) -> bool:
    """Whether an origin is the one that is listed, or below the domain behind its star."""
    pattern = re.escape(listed).replace(r"\*", r"[a-z0-9-]+(\.[a-z0-9-]+)*")
    return re.fullmatch(pattern, origin) is not None


def _cors(tree: Tree[Any]) -> Cors:
    return Cors(tuple(str(json.loads(str(t))) for t in tree.children if isinstance(t, Token)))


def _problems(b: Blueprint, owner: None, cors: Cors) -> Iterator[Problem]:
    where = path_of(None, cors)
    for origin in cookie_origins(b) if cors.origins else ():
        if not any(covers(listed, origin) for listed in cors.origins):
            yield Problem(f"Pages of {origin!r} may use cookies, and cors does not let them in.", f'Add "{origin}" to cors.', where)
    if len(cors.origins) > _MOST:
        yield Problem(f"cors lists {len(cors.origins)} origins, and {_MOST} are possible.", "Use a wildcard for those of one domain.", where)
    for origin in sorted({o for o in cors.origins if cors.origins.count(o) > 1}):
        yield Problem(f"cors lists {origin!r} twice.", "Remove one of the two.", where)
    for origin in dict.fromkeys(cors.origins):
        fault = _fault(origin)
        if fault is not None:
            yield Problem(*fault, where)


def _fault(origin: str) -> tuple[str, str] | None:
    """What is wrong with an origin, and how to mend it."""
    if origin == "*":
        return "A single * is no origin.", "Write cors any."
    found = _ORIGIN.fullmatch(origin)
    if found is None or int(found["port"] or 1) > _LARGEST_PORT:
        return (
            f"{origin!r} is no origin as browsers send it: a scheme and a host in small letters, perhaps a port, no path.",
            'Write "https://app.example.com" or "https://*.example.com", say.',
        )
    host, port = found["host"], found["port"]
    if port == _USUAL_PORTS[found["scheme"]]:
        return f"{origin!r} names the port that browsers leave out.", f'Write "{origin.rpartition(":")[0]}".'
    if found["scheme"] == "http" and host not in _LOCAL and not host.endswith(".localhost"):
        return f"Pages of {origin!r} come over a line that others can change.", f'Write "https{origin[4:]}".'
    parent = host.removeprefix("*.")
    if found["star"] and "." not in parent and parent != "localhost":
        return f"{origin!r} stands for hosts of everybody.", 'Name a domain of your own: "https://*.example.com", say.'
    if found["star"] and parent in _SHARED:
        return f"Anybody can have a host below {parent!r}.", "Name the hosts one by one."
    return None


CONSTRUCTS = (
    Construct(
        name="cors",
        place="service",
        value=Cors,
        grammar='cors: "cors" ("any" | STRING ("," STRING)*) _NL',
        build=_cors,
        lines=lambda cors: [f"cors {', '.join(map(quote, cors.origins)) or 'any'}"],
        check=_problems,
        once=True,
        storeless=True,
    ),
)
