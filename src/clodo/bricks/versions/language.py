"""``versions`` and ``versions required`` in an entity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from lark import Tree

from clodo.blueprint.constructs import Construct, path_of
from clodo.blueprint.problems import Problem
from clodo.blueprint.values import Blueprint, Entity, Field, FieldType

#: The field that the line brings.
VERSION = Field("version", FieldType.UUID, required=True, read_only=True, made=True)


@dataclass(frozen=True, slots=True)
class Versions:
    """Each state of a row has a version; ``required``: a change must name the one that it is made to."""

    required: bool = False


def _versions(tree: Tree[Any]) -> Versions:
    return Versions(bool(tree.children))


def _lines(versions: Versions) -> list[str]:
    return ["versions required" if versions.required else "versions"]


def _problems(blueprint: Blueprint, owner: Entity, versions: Versions) -> Iterator[Problem]:
    if any(f.name == VERSION.name and f != VERSION for f in owner.fields):
        yield Problem(
            f"{owner.name} has a field {VERSION.name!r}, which the line 'versions' brings.",
            "Rename the field or remove the line.",
            path_of(owner, versions),
        )


def _with_version(entity: Entity, versions: Versions) -> Entity:
    if entity.field(VERSION.name) is not None:
        return entity
    return replace(entity, fields=(*entity.fields, VERSION))


def _headers(versions: Versions) -> Mapping[str, str]:
    return {"if-match": "*"} if versions.required else {}


CONSTRUCTS = (
    Construct(
        name="versions",
        place="entity",
        value=Versions,
        grammar='versions: "versions" versions_required? _NL\nversions_required: "required"',
        build=_versions,
        lines=_lines,
        check=_problems,
        expand=_with_version,
        headers=_headers,
        once=True,
    ),
)
