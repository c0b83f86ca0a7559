"""``motto "…"`` in the service, ``starred`` in an entity."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from lark import Tree

from clodo.blueprint.constructs import Construct
from clodo.blueprint.problems import Problem
from clodo.blueprint.text import quote
from clodo.blueprint.values import Blueprint, Entity, Field, FieldType


@dataclass(frozen=True, slots=True)
class Motto:
    """What the service says of itself."""

    text: str


@dataclass(frozen=True, slots=True)
class Starred:
    """Rows have a star or none."""


def _motto(tree: Tree[Any]) -> Motto:
    return Motto(json.loads(str(tree.children[0])))


def _motto_problems(blueprint: Blueprint, owner: None, motto: Motto) -> Iterator[Problem]:
    if not motto.text.strip():
        yield Problem("A motto needs words.", 'Write motto "We care", say.', "(motto)")


def _with_star(entity: Entity, starred: Starred) -> Entity:
    star = Field("star", FieldType.BOOLEAN, required=True, default=False)
    return replace(entity, fields=(*entity.fields, star))


CONSTRUCTS = (
    Construct(
        name="motto",
        place="service",
        value=Motto,
        grammar='motto: "motto" STRING _NL',
        build=_motto,
        lines=lambda motto: [f"motto {quote(motto.text)}"],
        check=_motto_problems,
        claims=lambda plan, owner, motto: ["/motto"],
        once=True,
    ),
    Construct(
        name="starred",
        place="entity",
        value=Starred,
        grammar='starred: "starred" _NL',
        build=lambda tree: Starred(),
        lines=lambda starred: ["starred"],
        expand=_with_star,
        once=True,
    ),
)
