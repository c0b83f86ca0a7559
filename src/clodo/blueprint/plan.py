"""Names and places that follow from a blueprint: paths, tables, routes. Nothing here is a choice
of the user's; everything that the code, the schema and the documents share is decided once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from clodo.blueprint.constructs import construct_of, expanded, needs_key
from clodo.blueprint.linking import columns_of
from clodo.blueprint.schema_names import SchemaNames, schema_names
from clodo.blueprint.values import Blueprint, Entity, Link, Reference

#: Nouns without a plural of their own, of which the inflector knows no better.
_UNCOUNTED = (
    "baggage", "data", "equipment", "feedback", "furniture", "hardware", "luggage", "metadata", "police", "software",
    "staff",
)  # fmt: skip

#: Nouns whose plurals do not end in s. A name that is one of these plurals already stays as it is.
_IRREGULAR = frozenset({"person", "child", "man", "woman", "foot", "tooth", "goose", "mouse", "ox"})


@cache
def _inflector() -> Any:
    import inflect

    engine = inflect.engine()
    for name in _UNCOUNTED:
        engine.defnoun(name, name)
    engine.defnoun("lens", "lenses")
    return engine


@cache
def plural(name: str) -> str:
    """The English plural of a snake_case singular; what is a plural already is left so."""
    *front, last = name.split("_")
    if last.endswith("s") and not last.endswith(("ss", "us", "is", "as", "lens")):
        made = last if _inflector().singular_noun(last) else f"{last}es"
    elif last.endswith("as"):
        made = f"{last}es"
    elif _inflector().singular_noun(last) in _IRREGULAR:
        made = last
    else:
        made = str(_inflector().plural_noun(last) or f"{last}s")
    return "_".join([*front, "".join(c for c in made.lower() if c.isalnum())])


def kebab(name: str) -> str:
    """snake_case as a path segment."""
    return name.replace("_", "-")


def camel(name: str) -> str:
    """snake_case as a TypeScript identifier; different names give different ones."""
    first, *rest = name.split("_")
    # A part without a first letter keeps its underscore: ``level_1`` is not ``level1``.
    return first + "".join(part.capitalize() if part[:1].isalpha() else f"_{part}" for part in rest)


@dataclass(frozen=True)
class Child:
    """The rows of ``child`` below the rows of ``parent``, found by ``reference``."""

    parent: Entity
    child: Entity
    reference: Reference
    path: str


@dataclass(frozen=True)
class LinkTable:
    """A many-to-many relation: its table, columns, and the path on either side."""

    source: Entity
    target: Entity
    table: str
    source_column: str
    target_column: str
    source_path: str
    target_path: str

    @property
    def is_self(self) -> bool:
        """Whether both sides are one entity (then there is one path only)."""
        return self.source.name == self.target.name


@dataclass(frozen=True)
class Plan:
    """A blueprint with its derived names."""

    blueprint: Blueprint
    paths: dict[str, str]
    children: tuple[Child, ...]
    links: tuple[LinkTable, ...]
    schemas: SchemaNames

    def path(self, entity: Entity) -> str:
        """The path segment of an entity's collection."""
        return self.paths[entity.name]

    @property
    def uses_key(self) -> bool:
        """Whether any rule asks for the API key, or a part is guarded by it."""
        return needs_key(self.blueprint)

    @property
    def stores(self) -> bool:
        """Whether the service needs a database. Only parts that say so need none."""
        b = self.blueprint
        return bool(b.entities) or b.users is not None or not b.parts or not all(construct_of(p).storeless and not construct_of(p).stores(p) for p in b.parts)

    @property
    def uses_soft_delete(self) -> bool:
        """Whether any entity keeps its deleted rows."""
        return any(e.soft_delete for e in self.blueprint.entities)


def is_owned(blueprint: Blueprint, entity: Entity) -> bool:
    """Whether rows carry an ``owner_id``."""
    return blueprint.is_owned(entity)


def make_plan(blueprint: Blueprint) -> Plan:
    """The plan of a blueprint, with all that follows from what bricks brought to it."""
    blueprint = expanded(blueprint)
    paths: dict[str, str] = {}
    for e in blueprint.entities:
        path = kebab(plural(e.name))
        if path in {*paths.values(), "auth"}:
            path = kebab(f"{e.name}_list")
        while path in paths.values():
            path += "-list"
        paths[e.name] = path
    segments: dict[str, set[str]] = {e.name: set() for e in blueprint.entities}
    links = tuple(_link(blueprint, e, k, paths, segments) for e in blueprint.entities for k in e.links)
    children = tuple(_children(blueprint, paths, segments))
    return Plan(blueprint, paths, children, links, schema_names(blueprint))


def _link(
    b: Blueprint, e: Entity, link: Link, paths: dict[str, str], segments: dict[str, set[str]]
) -> LinkTable:
    target = b.entity(link.target)
    assert target is not None, link
    same = target.name == e.name
    forward = _free(segments[e.name], kebab(plural(link.name)) if same else paths[target.name], link.name)
    backward = "" if same else _free(segments[target.name], paths[e.name], link.name)
    table, source_column, target_column = columns_of(e.name, link)
    return LinkTable(
        source=e,
        target=target,
        table=table,
        source_column=source_column,
        target_column=target_column,
        source_path=forward,
        target_path=backward,
    )


def _children(b: Blueprint, paths: dict[str, str], segments: dict[str, set[str]]) -> list[Child]:
    found = []
    for child in b.entities:
        for r in child.references:
            parent = b.entity(r.target)
            if parent is None:
                continue  # the service's users are not a resource of their own
            path = _free(segments[parent.name], paths[child.name], r.name)
            found.append(Child(parent, child, r, path))
    return found


def _free(taken: set[str], path: str, name: str) -> str:
    """A sub-path that is still free on this entity: ``letters``, else ``letters-as-sender``."""
    chosen = path if path not in taken else f"{path}-as-{kebab(name)}"
    taken.add(chosen)
    return chosen
