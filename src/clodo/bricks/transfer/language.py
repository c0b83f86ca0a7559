"""``export csv, ndjson``, ``import csv`` and ``bulk create 100`` in an entity."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lark import Tree

from clodo.blueprint.constructs import Construct, path_of
from clodo.blueprint.problems import Problem
from clodo.blueprint.values import Blueprint, Entity, FieldType

#: Rows in one request; each may be as large as the body of a creation allows, and all of them together no larger.
MOST_BULK = 1000


@dataclass(frozen=True, slots=True)
class Export:
    """Rows can be had as a file in these formats."""

    formats: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Import:
    """Rows can be made from a file in these formats."""

    formats: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bulk:
    """Up to ``most`` rows can be made in one request."""

    most: Decimal


def _formats(tree: Tree[Any]) -> tuple[str, ...]:
    return tuple(str(name) for name in tree.children)


def _format_problems(blueprint: Blueprint, owner: Entity, value: Export | Import) -> Iterator[Problem]:
    word = "export" if isinstance(value, Export) else "import"
    for name in sorted({n for n in value.formats if value.formats.count(n) > 1}):
        yield Problem(f"The line '{word}' names {name} twice.", "Remove one.", path_of(owner, value))


def _export_problems(blueprint: Blueprint, owner: Entity, value: Export) -> Iterator[Problem]:
    yield from _format_problems(blueprint, owner, value)
    # An export takes the filters of the list, and 'format' is one of its own parameters.
    for field in owner.fields:
        if field.name == "format" and field.type not in (FieldType.JSON, FieldType.LIST) and not field.write_only:
            yield Problem(
                f"An export is asked for its format by 'format', so that the {owner.name} cannot be filtered by a field of that name.",
                f"Call the field {owner.name}_format, say, or remove 'export'.",
                path_of(owner, value),
            )


def _bulk_problems(blueprint: Blueprint, owner: Entity, value: Bulk) -> Iterator[Problem]:
    if value.most != value.most.to_integral_value() or not 1 <= value.most <= MOST_BULK:
        yield Problem(
            f"A bulk of {value.most} rows is not possible.",
            f"Write 'bulk create 100', say: a whole number from 1 to {MOST_BULK}.",
            path_of(owner, value),
        )


CONSTRUCTS = (
    Construct(
        name="export",
        place="entity",
        value=Export,
        grammar='export: "export" TRANSFER_FORMAT ("," TRANSFER_FORMAT)* _NL\nTRANSFER_FORMAT: "csv" | "ndjson"',
        build=lambda tree: Export(_formats(tree)),
        lines=lambda value: [f"export {', '.join(value.formats)}"],
        check=_export_problems,
        once=True,
        claims=lambda plan, owner, value: ["export"],
    ),
    Construct(
        name="import",
        place="entity",
        value=Import,
        grammar='import: "import" TRANSFER_FORMAT ("," TRANSFER_FORMAT)* _NL',
        build=lambda tree: Import(_formats(tree)),
        lines=lambda value: [f"import {', '.join(value.formats)}"],
        check=_format_problems,
        once=True,
        claims=lambda plan, owner, value: ["import"],
    ),
    Construct(
        name="bulk",
        place="entity",
        value=Bulk,
        grammar='bulk: "bulk" "create" NUMBER _NL',
        build=lambda tree: Bulk(Decimal(str(tree.children[0]))),
        lines=lambda value: [f"bulk create {value.most:f}"],
        check=_bulk_problems,
        once=True,
        claims=lambda plan, owner, value: ["bulk"],
    ),
)
