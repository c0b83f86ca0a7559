"""The routes of children and of links."""

from __future__ import annotations

from collections.abc import Iterator

from clodo.blueprint.plan import Plan
from clodo.emit.brick import Brick, Import, Parts
from clodo.emit.typescript import entity_const, literal


def _parts(plan: Plan) -> Parts:
    imports = [Import("children", "./lib/children")] if plan.children else []
    imports += [Import("links", "./lib/links")] if plan.links else []
    return Parts(imports=tuple(imports), routes=(*_children(plan), *_links(plan)))


def _children(plan: Plan) -> Iterator[str]:
    for c in plan.children:
        parts = [entity_const(c.parent), entity_const(c.child), literal(f"{c.reference.name}_id")]
        yield f"children(app, {', '.join([*parts, literal(c.path)])});"


def _links(plan: Plan) -> Iterator[str]:
    for link in plan.links:
        sides = [(link.source, link.target, link.source_column, link.target_column, link.source_path)]
        if not link.is_self:
            sides.append(
                (link.target, link.source, link.target_column, link.source_column, link.target_path)
            )
        for here, there, own, other, path in sides:
            side = f"{{ table: {literal(link.table)}, here: {literal(own)}, there: {literal(other)}, path: {literal(path)} }}"
            yield f"links(app, {entity_const(here)}, {entity_const(there)}, {side});"


BRICK = Brick(
    "relations", "clodo.bricks.relations", lambda plan: bool(plan.children or plan.links), _parts, order=20
)
