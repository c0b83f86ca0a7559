"""Slugs, publishing and Markdown: hooks of the entities that have them, and their routes."""

from __future__ import annotations

from typing import Any

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Entity
from clodo.bricks.content.language import SLUG_PATTERN, Markdown, Publish, Slug
from clodo.emit.brick import Brick, EntityParts, Import, Parts
from clodo.emit.openapi import json_answer, operation, path_parameter, ref
from clodo.emit.typescript import entity_const, literal

_EVERY_MINUTE = "* * * * *"


def with_slug(plan: Plan) -> list[Entity]:
    """The entities whose rows have slugs."""
    return [e for e in plan.blueprint.entities if e.parts_of(Slug)]


def with_states(plan: Plan) -> list[Entity]:
    """The entities whose rows are published."""
    return [e for e in plan.blueprint.entities if e.parts_of(Publish)]


def _entity_parts(e: Entity) -> EntityParts:
    imports: list[Import] = []
    hooks: list[str] = []
    for slug in e.parts_of(Slug):
        imports.append(Import("slugged", "../lib/slug"))
        hooks.append(f"slugged({literal(slug.source)}, {literal(slug.follow)})")
    for markdown in e.parts_of(Markdown):
        imports.append(Import("rendered", "../lib/rendered"))
        hooks.append(f"rendered({literal(markdown.source)}, {literal(markdown.html)})")
    published = bool(e.parts_of(Publish))
    if published:
        imports.append(Import("published", "../lib/published"))
    return EntityParts(tuple(imports), tuple(hooks), limits=("published",) if published else ())


def _parts(plan: Plan) -> Parts:
    slugged, stated = with_slug(plan), with_states(plan)
    imports = [Import("bySlug", "./lib/slug")] if slugged else []
    if stated:
        imports += [Import("publishDue", "./lib/publish"), Import("publishing", "./lib/publish")]
    due = ", ".join(entity_const(e) for e in stated)

    def amend(document: dict[str, Any]) -> None:
        for e in plan.blueprint.entities:
            _amend_entity(plan, e, document)

    return Parts(
        imports=tuple(imports),
        ahead=tuple(f"bySlug(app, {entity_const(e)});" for e in slugged),
        routes=tuple(f"publishing(app, {entity_const(e)});" for e in stated),
        handlers={"scheduled": f"publishDue([{due}])"} if stated else {},
        wrangler={"triggers": {"crons": [_EVERY_MINUTE]}} if stated else {},
        entities={e.name: _entity_parts(e) for e in plan.blueprint.entities if _has_content(e)},
        amend=amend,
    )


def _amend_entity(plan: Plan, e: Entity, document: dict[str, Any]) -> None:
    name, path, read = plan.schemas.row(e), f"/api/{plan.path(e)}", plan.blueprint.read_access(e)
    noun = e.name.replace("_", " ")
    row = {200: json_answer(ref(name), "The row")}
    for markdown in e.parts_of(Markdown):
        html = {"type": ["string", "null"], "readOnly": True, "description": f"{markdown.source} as safe HTML."}
        document["components"]["schemas"][name]["properties"][markdown.html] = html
    if e.parts_of(Slug):
        parameter = {**path_parameter("slug"), "schema": {"type": "string", "pattern": SLUG_PATTERN}}
        document["paths"][f"{path}/by-slug/{{slug}}"] = {
            "parameters": [parameter],
            "get": operation(f"get_{e.name}_by_slug", f"Read one {noun} by its slug", e.name, row, rules=(read,), problems=(404,)),
        }
    if e.parts_of(Publish):
        document["paths"] |= _publishing_paths(plan, e)


def _publishing_paths(plan: Plan, e: Entity) -> dict[str, Any]:
    path, write = f"/api/{plan.path(e)}/{{id}}", (plan.blueprint.write_access(e),)
    noun, row = e.name.replace("_", " "), {200: json_answer(ref(plan.schemas.row(e)), "The row")}
    at = {"type": "string", "format": "date-time", "description": "A moment to come; without it the row is published now."}
    body = {"type": "object", "properties": {"at": at}, "additionalProperties": False}
    publish = operation(f"publish_{e.name}", f"Publish one {noun}, now or at a time", e.name, row, rules=write, problems=(404, 409), body=body)
    publish["requestBody"]["required"] = False
    unpublish = operation(f"unpublish_{e.name}", f"Make one {noun} a draft again", e.name, row, rules=write, problems=(404, 409))
    parameters = [path_parameter("id")]
    return {
        f"{path}/publish": {"parameters": parameters, "post": publish},
        f"{path}/unpublish": {"parameters": parameters, "post": unpublish},
    }


def _has_content(e: Entity) -> bool:
    return any(e.parts_of(kind) for kind in (Slug, Publish, Markdown))


BRICK = Brick(
    "content",
    "clodo.bricks.content",
    lambda plan: any(_has_content(e) for e in plan.blueprint.entities),
    _parts,
)
