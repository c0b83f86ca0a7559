"""All bricks: Clodo's own and those of plug-ins, and what they make of a blueprint together."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from clodo.blueprint import Blueprint
from clodo.blueprint.constructs import packages
from clodo.blueprint.plan import Plan
from clodo.emit import Brick, FileTree, emit, make_plan, needed_secrets
from clodo.errors import PluginError
from clodo.proof.check import Check


@cache
def bricks() -> tuple[Brick, ...]:
    """Every brick, in its order.

    Raises:
        PluginError: a plug-in cannot be loaded, or two bricks have one name.
    """
    found: dict[str, Brick] = {}
    for package in packages():
        module = _module(package, "brick")
        if module is None:
            raise PluginError(f"The brick {package!r} has no module 'brick'.", hint="Uninstall the plug-in that brings it.")
        brick: Brick = module.BRICK
        if brick.name in found:
            raise PluginError(f"There are two bricks {brick.name!r}.", hint="Uninstall one of the two plug-ins.")
        found[brick.name] = brick
    return tuple(sorted(found.values(), key=lambda b: (b.order, b.name)))


def _module(package: str, name: str) -> Any:
    """A module of a brick, ``None`` where it has none."""
    try:
        return import_module(f"{package}.{name}") if find_spec(f"{package}.{name}") is not None else None
    except Exception as error:  # a plug-in may break in any way
        raise PluginError(
            f"The brick {package!r} cannot be loaded: {type(error).__name__}: {error}.",
            hint="Uninstall or mend the plug-in that brings it.",
        ) from error


def service_tree(blueprint: Blueprint, source: str) -> FileTree:
    """The files of a service but its secrets."""
    return emit(blueprint, source, bricks())


def service_secrets(blueprint: Blueprint) -> tuple[str, ...]:
    """The names of the secrets of a service."""
    return needed_secrets(make_plan(blueprint), bricks())


def service_checks(plan: Plan) -> Iterator[Check]:
    """The checks of every brick that applies."""
    for brick in bricks():
        module = _module(brick.package, "checks") if brick.applies(plan) else None
        if module is not None:
            yield from module.checks(plan)
