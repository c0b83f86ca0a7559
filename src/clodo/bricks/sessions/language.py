"""``sessions 14 days`` in ``users``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from lark import Tree

from clodo.blueprint.constructs import Construct, path_of
from clodo.blueprint.problems import Problem
from clodo.blueprint.text import number
from clodo.blueprint.values import Blueprint, Users

USUAL_DAYS = Decimal(30)
MOST_DAYS = 400


@dataclass(frozen=True, slots=True)
class Sessions:
    """Logins are kept as sessions that end ``days`` after the login."""

    days: Decimal = USUAL_DAYS


def with_sessions(users: Users, value: object) -> Users:
    """Users with sessions: what needs them brings them."""
    return users if users.parts_of(Sessions) else replace(users, parts=(*users.parts, Sessions()))


def _build(tree: Tree[Any]) -> Sessions:
    return Sessions(Decimal(str(tree.children[0]))) if tree.children else Sessions()


def _lines(value: Sessions) -> list[str]:
    if value.days == USUAL_DAYS:
        return ["sessions"]
    return [f"sessions {number(value.days)} {'day' if value.days == 1 else 'days'}"]


def _problems(blueprint: Blueprint, owner: Users, value: Sessions) -> Iterator[Problem]:
    if value.days != value.days.to_integral_value() or not 1 <= value.days <= MOST_DAYS:
        yield Problem(
            f"A session cannot last {number(value.days)} days.",
            f"Choose a whole number from 1 to {MOST_DAYS}, or write 'sessions' alone for {number(USUAL_DAYS)}.",
            path_of(owner, value),
        )


CONSTRUCTS = (
    Construct(
        name="sessions",
        place="users",
        value=Sessions,
        grammar='sessions: "sessions" (NUMBER ("day" | "days"))? _NL',
        build=_build,
        lines=_lines,
        check=_problems,
        once=True,
    ),
)
