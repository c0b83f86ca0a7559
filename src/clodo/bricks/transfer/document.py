"""Export, import and bulk in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Entity
from clodo.bricks.transfer.language import Bulk, Export, Import
from clodo.emit.openapi import json_answer, operation, ref
from clodo.emit.schemas import Schema

MEDIA = {"csv": "text/csv", "ndjson": "application/x-ndjson"}


def amend(plan: Plan, document: dict[str, Any]) -> None:
    """Adds the paths of all entities. None of their last segments is a UUID, as an id is."""
    for e in plan.blueprint.entities:
        path = f"/api/{plan.path(e)}"
        for export in e.parts_of(Export):
            listed = document["paths"][path]["get"].get("parameters", [])
            document["paths"][f"{path}/export"] = {"get": _export(plan, e, export, listed)}
        for given in e.parts_of(Import):
            document["components"]["schemas"]["ImportResult"] = _import_result()
            document["paths"][f"{path}/import"] = {"post": _import(plan, e, given)}
        for bulk in e.parts_of(Bulk):
            document["paths"][f"{path}/bulk"] = {"post": _bulk(plan, e, bulk)}


def _query(name: str, values: list[str], default: str, description: str) -> Schema:
    schema = {"type": "string", "enum": values, "default": default}
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": description}


def _format(formats: tuple[str, ...]) -> Schema:
    return _query("format", list(formats), formats[0], "The format of the file.")


def _content(formats: tuple[str, ...]) -> Schema:
    schemas = {"csv": {"type": "string"}, "ndjson": {"description": "A JSON object on each line."}}
    return {MEDIA[name]: {"schema": schemas[name]} for name in formats}


def _export(plan: Plan, e: Entity, export: Export, listed: list[Schema]) -> Schema:
    parameters = [_format(export.formats), *(p for p in listed if p["name"] not in ("limit", "cursor"))]
    file = {
        "description": "All rows of the list, as a file",
        "headers": {"Content-Disposition": {"schema": {"type": "string"}}},
        "content": _content(export.formats),
    }
    made = operation(
        f"export_{e.name}", f"Export {plan.path(e)}", e.name, {200: file},
        rules=(plan.blueprint.read_access(e),), problems=(400,), parameters=parameters,
    )  # fmt: skip
    made["description"] = (
        "Takes the filters and the order of the list, and has no pages. A text that a spreadsheet would take for a "
        "formula has an apostrophe in front in CSV, which an import takes away again. 'export' is no id."
    )
    return made


def _import(plan: Plan, e: Entity, given: Import) -> Schema:
    mode = _query("mode", ["all", "partial"], "all", "Whether one bad row refuses the file, or only itself.")
    made = operation(
        f"import_{e.name}", f"Import {plan.path(e)}", e.name, {200: json_answer(ref("ImportResult"), "What became of the rows")},
        rules=(plan.blueprint.write_access(e),), problems=(400, 409, 413, 415, 422), parameters=[_format(given.formats), mode],
    )  # fmt: skip
    made["requestBody"] = {"required": True, "content": _content(given.formats)}
    made["description"] = (
        "With mode=partial the good rows are stored. Where it takes too many attempts to find the others, the rows behind are "
        "left and count as failed: the first error then names the first row that was not tried."
    )
    for status, words in (
        ("409", "Rows meet others that are stored, or each other"),
        ("413", "The file is larger than 10 MiB, has more than 10,000 rows, or a line of more than 1 MiB"),
        ("415", "The body is not of the format"),
        ("422", "Rows have invalid fields; each fault has the number of its row, counted from 1"),
    ):
        made["responses"][status]["description"] = words
    return made


def _import_result() -> Schema:
    count = {"type": "integer", "minimum": 0}
    error = {
        "type": "object",
        "properties": {"path": {"type": "string"}, "message": {"type": "string"}},
        "required": ["path", "message"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {"created": count, "failed": count, "errors": {"type": "array", "items": error, "maxItems": 50}},
        "required": ["created", "failed", "errors"],
        "additionalProperties": False,
    }


def _bulk(plan: Plan, e: Entity, bulk: Bulk) -> Schema:
    items = {"type": "array", "items": ref(plan.schemas.row(e))}
    made = {"type": "object", "properties": {"items": items}, "required": ["items"], "additionalProperties": False}
    body = {"type": "array", "items": ref(plan.schemas.body(e)), "minItems": 1, "maxItems": int(bulk.most)}
    return operation(
        f"bulk_create_{e.name}", f"Create many {plan.path(e)}: all of them or none", e.name,
        {201: json_answer(made, "The stored rows, in the order of the bodies")},
        rules=(plan.blueprint.write_access(e),), problems=(409,), body=body,
    )  # fmt: skip
