"""``restore`` in an entity with ``soft delete``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from clodo.blueprint.constructs import Construct, path_of
from clodo.blueprint.problems import Problem
from clodo.blueprint.values import Blueprint, Entity


@dataclass(frozen=True, slots=True)
class Restore:
    """Deleted rows can be listed and restored."""


def _problems(blueprint: Blueprint, owner: Entity, value: Restore) -> Iterator[Problem]:
    if not owner.soft_delete:
        yield Problem(
            f"Deleted rows of {owner.name} are gone, so that none can be restored.",
            "Add the line 'soft delete'.",
            path_of(owner, value),
        )


CONSTRUCTS = (
    Construct(
        name="restore",
        place="entity",
        value=Restore,
        grammar='restore: "restore" _NL',
        build=lambda tree: Restore(),
        lines=lambda value: ["restore"],
        check=_problems,
        once=True,
        claims=lambda plan, owner, value: ["deleted", "{id}/restore"],
    ),
)
