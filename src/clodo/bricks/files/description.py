"""Files in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Entity
from clodo.bricks.files.language import FileField
from clodo.emit.openapi import json_answer, operation, path_parameter, ref

Schema = dict[str, Any]

#: The longest life of a link, in seconds.
MOST_SECONDS = 24 * 60 * 60
_DEFAULT_SECONDS = 600
_TEXT = {"schema": {"type": "string"}}


def amend(plan: Plan, found: Iterable[tuple[Entity, FileField]], document: Schema) -> None:
    """Says in the document what rows tell of their files, and the routes of these."""
    for e, f in found:
        row = document["components"]["schemas"][plan.schemas.row(e)]
        row["properties"][f.name] = metadata_schema(f)
        path = f"/api/{plan.path(e)}/{{id}}/{f.path}"
        document["paths"][path] = _file_path(plan, e, f)
        if f.private:
            document["paths"][f"{path}/link"] = _link_path(plan, e, f)


def metadata_schema(f: FileField) -> Schema:
    """What a row tells of its file, or null."""
    type_: Schema = {"type": "string"}
    if f.allowed:
        type_["enum"] = list(f.allowed)
    properties: Schema = {
        "name": {"type": "string", "minLength": 1, "description": "As the upload named it, made safe."},
        "content_type": type_,
        "size": {"type": "integer", "minimum": 1, "maximum": f.max_bytes, "description": "In bytes."},
        "uploaded_at": {"type": "string", "format": "date-time"},
        "version": {"type": "string", "format": "uuid", "description": "Another one after each upload."},
    }
    return {
        "type": ["object", "null"],
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
        "readOnly": True,
    }


def _file_path(plan: Plan, e: Entity, f: FileField) -> Schema:
    b, noun, name = plan.blueprint, f"{e.name} {f.name}".replace("_", " "), f"{e.name}_{f.name}"
    read, write = (b.read_access(e),), (b.write_access(e),)
    row = ref(plan.schemas.row(e))
    disposition: Schema = {
        "name": "Content-Disposition", "in": "header", "required": False, "schema": {"type": "string"},
        "description": "Names the file: attachment; filename=\"…\", or filename*=UTF-8''….",
    }  # fmt: skip
    answers = {200: json_answer(row, "The row; it had a file before"), 201: json_answer(row, "The row; it had no file")}
    put = operation(f"upload_{name}", f"Store the {noun}", e.name, answers, rules=write, problems=(404, 409), parameters=[disposition])
    put["requestBody"] = {"required": True, "content": _contents(f)}
    put["responses"] |= {
        "413": _refusal(f"The file is larger than {f.size}"),
        "415": _refusal("Files of that type are not taken, or the first bytes are no image of it" if f.kind == "image" else "Files of that type are not taken"),
        "422": _refusal("The body is empty"),
    }
    gone: dict[int, Schema] = {204: {"description": "The row has no file now"}}
    return {
        "parameters": [path_parameter("id")],
        "put": put,
        "get": _download(f, name, noun, e, read),
        "delete": operation(f"remove_{name}", f"Remove the {noun}", e.name, gone, rules=write, problems=(404, 409)),
    }  # fmt: skip


def _download(f: FileField, name: str, noun: str, e: Entity, rules: tuple[Any, ...]) -> Schema:
    parameters = [_header("If-None-Match"), _header("Range"), _header("If-Range")]
    if f.private:
        parameters += [_query(name) for name in ("version", "expires", "signature")]
    headers = dict.fromkeys(("ETag", "Content-Disposition", "Content-Length", "Accept-Ranges"), _TEXT)
    answers: dict[int, Schema] = {
        200: {"description": "The file", "headers": headers, "content": _contents(f)},
        206: {"description": "The part that Range asks for", "headers": {**headers, "Content-Range": _TEXT}, "content": _contents(f)},
        304: {"description": "If-None-Match names this very file", "headers": {"ETag": _TEXT}},
    }  # fmt: skip
    made = operation(f"download_{name}", f"Read the {noun}", e.name, answers, rules=rules, problems=(404,), parameters=parameters)
    if f.private:
        # The link is the credential.
        made.pop("security", None)
    made["responses"]["416"] = _refusal("The file has no such part") | {"headers": {"Content-Range": _TEXT}}
    if f.private:
        made["responses"]["403"] = _refusal("There is no signed link, or it is not valid, or not any more")
    return made


def _link_path(plan: Plan, e: Entity, f: FileField) -> Schema:
    noun, name = f"{e.name} {f.name}".replace("_", " "), f"{e.name}_{f.name}"
    seconds = {"type": "integer", "minimum": 1, "maximum": MOST_SECONDS, "default": _DEFAULT_SECONDS}
    body = {"type": "object", "properties": {"expires_in": seconds}, "additionalProperties": False}
    moment = {"type": "string", "format": "date-time"}
    given = {"url": {"type": "string", "format": "uri"}, "expires_at": moment}
    answer = {"type": "object", "properties": given, "required": list(given), "additionalProperties": False}
    said = {200: json_answer(answer, "A link that opens the file until it expires")}
    post = operation(f"link_{name}", f"A signed link to the {noun}", e.name, said, rules=(plan.blueprint.read_access(e),), problems=(404,), body=body)
    post["requestBody"]["required"] = False
    return {"parameters": [path_parameter("id")], "post": post}


def _contents(f: FileField) -> Schema:
    return {type_: {"schema": {"type": "string", "format": "binary"}} for type_ in f.allowed or ("*/*",)}


def _refusal(description: str) -> Schema:
    return {"description": description, "content": {"application/problem+json": {"schema": ref("Problem")}}}


def _header(name: str) -> Schema:
    return {"name": name, "in": "header", "required": False, **_TEXT}


def _query(name: str) -> Schema:
    return {"name": name, "in": "query", "required": False, **_TEXT}
