"""What the front of an encoder model answers, as OpenAPI."""

from __future__ import annotations

from typing import Any

from clodo.edge.openapi import array, document, guarded, one_of, problem_properties, whole
from clodo.emit.openapi import json_answer, ref
from clodo.understand.port import SPAN_ROLES

#: The most characters of a description, as `ts/index.ts` and the command line have it.
MOST_CHARACTERS = 20_000

_TEXT: dict[str, Any] = {"type": "string"}
_CHANCE = {"type": "number", "minimum": 0, "maximum": 1}
_TIME = {"type": "number", "minimum": 0, "description": "Milliseconds"}


def openapi(model: str) -> dict[str, Any]:
    """The document of a model of that name and version."""
    unclear = json_answer({"anyOf": [ref("Problem"), ref("Unclear")]}, "The body has invalid fields, or the description is not clear enough to build from")
    unclear["content"] = {"application/problem+json": unclear["content"]["application/json"]}
    description = {
        "type": "string", "minLength": 1, "maxLength": MOST_CHARACTERS,
        "description": "A service in plain words; white space around it does not count, and it is not white space alone",
    }  # fmt: skip
    read = guarded(
        "blueprint", "A description in, a blueprint out", "model",
        {200: json_answer(ref("Understanding"), "The blueprint, and how sure the model is of it"), 422: unclear},
        body=ref("Description"),
    )  # fmt: skip
    schemas = {
        "Description": whole({"description": description}),
        "Understanding": whole(_understanding(_TEXT, array(_TEXT, maxItems=0))),
        "Unclear": whole(problem_properties() | _understanding({"type": "null"}, array(_TEXT, minItems=1))),
    }
    return document(model, {"/v1/blueprint": {"post": read}}, schemas)


def _understanding(blueprint: dict[str, Any], questions: dict[str, Any]) -> dict[str, dict[str, Any]]:
    stretch: dict[str, dict[str, Any]] = {"start": {"type": "integer", "minimum": 0}, "end": {"type": "integer", "minimum": 0}}
    words = array(whole(stretch), description="The words that it comes from, in characters of the description")
    part = whole({"path": _TEXT, "kind": _TEXT, "confidence": _CHANCE, "spans": words})
    return {
        "blueprint": blueprint,
        "model": _TEXT,
        "provider": {"const": "edge"},
        "tried": array({}, maxItems=0),
        "confidence": _CHANCE,
        "questions": questions,
        "notes": array(_TEXT),
        "parts": array(part, description="What stands in the blueprint"),
        "not_understood": array(part, description="What was heard and does not stand in the blueprint"),
        "spans": array(whole({**stretch, "role": one_of(SPAN_ROLES)}), description="Stretches of the description, in characters"),
        "timings_ms": whole(dict.fromkeys(("prefill", "decode", "model", "build", "verify", "total"), _TIME)),
    }
