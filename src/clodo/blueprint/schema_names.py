"""The names of schemas in the OpenAPI document: one for each, however entities are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from clodo.blueprint.values import Blueprint, Entity, Reference


def pascal(name: str) -> str:
    """snake_case as a schema name."""
    return "".join(part.capitalize() for part in name.split("_"))


@dataclass(frozen=True)
class SchemaNames:
    """Which schema is called what."""

    rows: Mapping[str, str]
    bodies: Mapping[str, str]
    changes: Mapping[str, str]
    children: Mapping[tuple[str, str], str]

    def row(self, e: Entity) -> str:
        """The rows of an entity, as they are answered."""
        return self.rows[e.name]

    def body(self, e: Entity) -> str:
        """The body that creates or replaces a row."""
        return self.bodies[e.name]

    def change(self, e: Entity) -> str:
        """The body that changes a row."""
        return self.changes[e.name]

    def child(self, e: Entity, r: Reference) -> str:
        """The body that creates a row below the one that it refers to."""
        return self.children[e.name, r.name]


def schema_names(b: Blueprint) -> SchemaNames:
    """The names for a blueprint. Where two would be the same, rows come before bodies and the service's
    own schemas before both; the other one gets another ending."""
    taken = {"Problem"} | ({"User", "Registration"} if b.users is not None else set())

    def name(plain: str, other: str) -> str:
        options = [plain, other, *(f"{other}{n}" for n in range(2, len(taken) + 3))]
        chosen = next(o for o in options if o not in taken)
        taken.add(chosen)
        return chosen

    rows = {e.name: name(pascal(e.name), f"{pascal(e.name)}Row") for e in b.entities}
    bodies = {n: name(f"{row}Body", f"{row}Input") for n, row in rows.items()}
    changes = {n: name(f"{row}Change", f"{row}Patch") for n, row in rows.items()}
    children = {}
    for e in b.entities:
        for r in e.references:
            plain = f"{rows[e.name]}Of{pascal(r.name)}"
            children[e.name, r.name] = name(plain, f"{plain}Body")
    return SchemaNames(rows, bodies, changes, children)
