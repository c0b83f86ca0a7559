"""The routes of export, import and bulk."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from clodo.blueprint.plan import Plan
from clodo.bricks.transfer import language
from clodo.bricks.transfer.document import amend
from clodo.emit.brick import Brick, Import, Parts
from clodo.emit.typescript import entity_const, literal


def _routes(plan: Plan) -> Iterator[tuple[str, str, str]]:
    """Function, module and call."""
    for e in plan.blueprint.entities:
        name = entity_const(e)
        for export in e.parts_of(language.Export):
            yield "exporting", "export", f"exporting(app, {name}, {literal(list(export.formats))});"
        for given in e.parts_of(language.Import):
            yield "importing", "import", f"importing(app, {name}, {literal(list(given.formats))});"
        for bulk in e.parts_of(language.Bulk):
            yield "bulk", "bulk", f"bulk(app, {name}, {literal(bulk.most)});"


def _parts(plan: Plan) -> Parts:
    routes = list(_routes(plan))
    return Parts(
        imports=tuple(Import(name, f"./lib/{module}") for name, module, _ in routes),
        ahead=tuple(call for _, _, call in routes),
        amend=partial(amend, plan),
    )


BRICK = Brick("transfer", "clodo.bricks.transfer", lambda plan: any(_routes(plan)), _parts)
