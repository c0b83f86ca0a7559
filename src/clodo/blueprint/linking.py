"""Many-to-many links between the rows of two entities, as tables: what they are called, and which of them an expression asks."""

from __future__ import annotations

from dataclasses import dataclass

from clodo.blueprint.values import Blueprint, Link


@dataclass(frozen=True)
class Linking:
    """The table of a link, the column of the rows that are asked about, and that of those that they are linked with."""

    table: str
    own: str
    other: str


def columns_of(entity: str, link: Link) -> tuple[str, str, str]:
    """The table of a link of an entity, and the columns of the entity and of the target."""
    same = link.target == entity
    return f"{entity}__{link.name}", "source_id" if same else f"{entity}_id", "target_id" if same else f"{link.target}_id"


def linking(b: Blueprint, own: str, other: str) -> Linking | None:
    """How rows of two entities are linked, whichever of them says so; ``None`` where they are not, and for an entity linked with itself,
    whose links have a direction."""
    for source, target in ((own, other), (other, own)):
        e = b.entity(source)
        link = next((k for k in e.links if k.target == target), None) if e is not None and own != other else None
        if link is not None:
            table, first, second = columns_of(source, link)
            return Linking(table, first, second) if source == own else Linking(table, second, first)
    return None
