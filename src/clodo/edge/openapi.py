"""The OpenAPI 3.1 document of a front: what every front answers, and what its kind of model adds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clodo.emit.openapi import json_answer, ref

Schema = dict[str, Any]

#: The most bytes of a body, as `shared_ts/front.ts` has it.
MOST_BODY_KIB = 256

_TITLES = {
    400: "The body is no JSON",
    401: "No API key, or not the right one",
    413: f"The body has more than {MOST_BODY_KIB} KiB",
    415: "The body is not application/json",
    422: "The body has invalid fields, or is no object",
    429: "Too many requests wait; Retry-After says how long to wait",
    500: "Something went wrong, loading the model perhaps",
    503: "The secret API_KEY is not set, or the request took too long and lost its place",
}
_KEY = (401, 503)
_BODY = (400, 413, 415, 422, 429, 500)


def document(title: str, paths: Mapping[str, Any], schemas: Mapping[str, Schema]) -> Schema:
    """The document of a front whose model is called ``title``; ``paths`` and ``schemas`` are those of its model."""
    text = {"schema": {"type": "string"}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": "1.0.0",
            "description": f"A model in Cloudflare Workers. A body may have {MOST_BODY_KIB} KiB, so that many at once stay within the memory of a Worker.",
        },
        "paths": {
            "/health": {"get": _open("health", "Whether the model is loaded; asking makes it load", json_answer(_health(), "It is up"))},
            "/metrics": {"get": _open("metrics", "Counts of the isolate that answers, for Prometheus", {"description": "The counts", "content": {"text/plain": text}})},
            "/openapi.json": {"get": _open("openapi", "This document", json_answer({"type": "object"}, "The document"))},
            "/docs": {"get": _open("docs", "This document as a page", {"description": "The page", "content": {"text/html": text}})},
            **paths,
        },
        "components": {
            "schemas": {"Problem": _problem(), **schemas},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
    }  # fmt: skip


def guarded(
    name: str, summary: str, tag: str, answers: Mapping[int, Schema], *, body: Schema | None = None, error: str = "Problem"
) -> Schema:
    """An operation that wants the key. ``body`` is the schema of its JSON body; refusals are of the schema ``error`` where
    ``answers`` say nothing else."""
    kind = "application/problem+json" if error == "Problem" else "application/json"
    refusals = {
        code: {"description": _TITLES[code], "content": {kind: {"schema": ref(error)}}} for code in (*_KEY, *(_BODY if body else ()))
    }
    answered = {str(code): answer for code, answer in sorted({**refusals, **answers}.items())}
    made: Schema = {"operationId": name, "summary": summary, "tags": [tag], "security": [{"bearer": []}, {"apiKey": []}]}
    if body is not None:
        made["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return {**made, "responses": answered}


def whole(properties: Mapping[str, Schema], **more: Any) -> Schema:
    """An object that has exactly these properties."""
    return {"type": "object", "properties": dict(properties), "required": list(properties), "additionalProperties": False, **more}


def array(items: Schema, **more: Any) -> Schema:
    """A list."""
    return {"type": "array", "items": items, **more}


def one_of(values: Sequence[Any]) -> Schema:
    """One of some values."""
    return {"enum": list(values)}


def _open(name: str, summary: str, answer: Schema) -> Schema:
    return {"operationId": name, "summary": summary, "tags": ["service"], "responses": {"200": answer}}


def _health() -> Schema:
    return whole({"status": {"const": "ok"}, "ready": {"type": "boolean", "description": "Whether all weights are in their place"}})


def problem_properties() -> dict[str, Schema]:
    """What a problem has always (RFC 9457), and its code."""
    return {
        "type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"}, "detail": {"type": "string"}, "code": {"type": "string"},
    }  # fmt: skip


def _problem() -> Schema:
    entry = whole({"path": {"type": "string"}, "message": {"type": "string"}})
    made = whole(problem_properties())
    return {**made, "properties": {**made["properties"], "errors": array(entry)}}
