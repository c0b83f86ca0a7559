"""``login limit 5 per 15 minutes`` in ``users``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lark import Tree

from clodo.blueprint.constructs import Construct, path_of
from clodo.blueprint.problems import Problem
from clodo.blueprint.text import number
from clodo.blueprint.values import Blueprint, Users

FEWEST, MOST = 3, 1000
MOST_MINUTES = 7 * 24 * 60


@dataclass(frozen=True, slots=True)
class LoginLimit:
    """So many attempts to log in fail in so many minutes, then there is a pause."""

    attempts: Decimal
    minutes: Decimal


def _build(tree: Tree[Any]) -> LoginLimit:
    attempts, window = tree.children
    count = Decimal(str(window.children[0])) if window.children else Decimal(1)
    return LoginLimit(Decimal(str(attempts)), count * (60 if str(window.data).startswith("in_hour") else 1))


def _lines(value: LoginLimit) -> list[str]:
    hours = value.minutes >= 60 and value.minutes % 60 == 0
    count, unit = (value.minutes / 60, "hour") if hours else (value.minutes, "minute")
    window = unit if count == 1 else f"{number(count)} {unit}s"
    return [f"login limit {number(value.attempts)} per {window}"]


def _problems(blueprint: Blueprint, owner: Users, value: LoginLimit) -> Iterator[Problem]:
    path = path_of(owner, value)
    if value.attempts % 1 or not FEWEST <= value.attempts <= MOST:
        yield Problem(
            f"{number(value.attempts)} is no number of attempts to log in.",
            f"Choose a whole number from {FEWEST} to {MOST}: people mistype.",
            path,
        )
    if value.minutes % 1 or not 1 <= value.minutes <= MOST_MINUTES:
        yield Problem(
            f"A login cannot be limited per {number(value.minutes)} minutes.",
            "Choose from 1 minute to a week, such as 'per 15 minutes'.",
            path,
        )


_GRAMMAR = """login_limit: "login" "limit" NUMBER "per" login_window _NL
login_window: NUMBER ("minute" | "minutes") -> in_minutes
            | NUMBER ("hour" | "hours")     -> in_hours
            | "minute"                      -> in_minute
            | "hour"                        -> in_hour
"""

CONSTRUCTS = (
    Construct(
        name="login_limit",
        place="users",
        value=LoginLimit,
        grammar=_GRAMMAR,
        build=_build,
        lines=_lines,
        check=_problems,
        once=True,
    ),
)
