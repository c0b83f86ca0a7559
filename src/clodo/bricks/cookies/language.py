"""``cookies`` in ``users``, perhaps ``from`` the origins of pages that may use them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lark import Tree

from clodo.blueprint.constructs import Construct, path_of
from clodo.blueprint.problems import Problem
from clodo.blueprint.text import quote
from clodo.blueprint.values import Blueprint, Users
from clodo.bricks.sessions.language import with_sessions

_ORIGIN = re.compile(r"https://[a-z0-9.-]+(:\d{1,5})?|http://(localhost|127\.0\.0\.1)(:\d{1,5})?")


@dataclass(frozen=True, slots=True)
class Cookies:
    """Logins set a cookie. ``origins`` are those of pages, beside the service's own, that may use it."""

    origins: tuple[str, ...] = ()


def _build(tree: Tree[Any]) -> Cookies:
    return Cookies(tuple(json.loads(str(token)) for token in tree.children))


def _lines(value: Cookies) -> list[str]:
    return [f"cookies from {', '.join(map(quote, value.origins))}" if value.origins else "cookies"]


def _problems(blueprint: Blueprint, owner: Users, value: Cookies) -> Iterator[Problem]:
    for origin in value.origins:
        if not _ORIGIN.fullmatch(origin):
            yield Problem(
                f"{origin!r} is not an origin.",
                'Write the front of an address alone, such as "https://app.example.com".',
                path_of(owner, value),
            )


CONSTRUCTS = (
    Construct(
        name="cookies",
        place="users",
        value=Cookies,
        grammar='cookies: "cookies" ("from" STRING ("," STRING)*)? _NL',
        build=_build,
        lines=_lines,
        check=_problems,
        expand=with_sessions,
        once=True,
    ),
)
