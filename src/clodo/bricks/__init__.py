"""The bricks that services are put together from. Each folder holds what its brick adds: code
(``ts``), the checks of the proof (``checks.py``) and its page (``README.md``)."""

from __future__ import annotations

from collections.abc import Iterator

from clodo.blueprint import Blueprint
from clodo.blueprint.plan import Plan
from clodo.bricks.api_key import checks as api_key
from clodo.bricks.core import checks as core
from clodo.bricks.relations import checks as relations
from clodo.bricks.resources import checks as resources
from clodo.bricks.search import checks as search
from clodo.bricks.soft_delete import checks as soft_delete
from clodo.bricks.users import checks as users
from clodo.emit import Brick, FileTree, emit, make_plan, needed_secrets
from clodo.proof.check import Check

BRICKS: tuple[Brick, ...] = (
    Brick("core", "clodo.bricks.core", lambda plan: True),
    Brick("resources", "clodo.bricks.resources", lambda plan: True),
    Brick("relations", "clodo.bricks.relations", lambda plan: bool(plan.children or plan.links)),
    Brick("search", "clodo.bricks.search", lambda plan: any(e.search for e in plan.blueprint.entities)),
    Brick("soft_delete", "clodo.bricks.soft_delete", lambda plan: plan.uses_soft_delete),
    Brick("api_key", "clodo.bricks.api_key", lambda plan: plan.uses_key, ("API_KEY",)),
    Brick(
        "users",
        "clodo.bricks.users",
        lambda plan: plan.blueprint.users is not None,
        ("JWT_SECRET", "ADMIN_EMAIL"),
    ),
)


def service_tree(blueprint: Blueprint, source: str) -> FileTree:
    """The files of a service but its secrets."""
    return emit(blueprint, source, BRICKS)


def service_secrets(blueprint: Blueprint) -> tuple[str, ...]:
    """The names of the secrets of a service."""
    return needed_secrets(make_plan(blueprint), BRICKS)


def service_checks(plan: Plan) -> Iterator[Check]:
    """The checks of every brick."""
    for brick in (core, resources, relations, search, soft_delete, api_key, users):
        yield from brick.checks(plan)
