"""What the front of a language model answers, as OpenAPI: OpenAI's two ways to ask."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from clodo.edge.openapi import array, document, guarded, one_of, whole
from clodo.emit.openapi import json_answer, ref

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_FLAG: Schema = {"type": ["boolean", "null"]}
_NUMBERS = {
    "temperature": ("number", 0, 2, 1),
    "top_p": ("number", 0, 1, 1),
    "top_k": ("integer", 0, 1_000_000, 40),
    "seed": ("integer", -(2**53), 2**53, None),
    "presence_penalty": ("number", -2, 2, 0),
    "frequency_penalty": ("number", -2, 2, 0),
}


def openapi(model: str, context: int, refusal: str | None) -> Schema:
    """The document of a model of that name; ``context`` is what it sees, in tokens, and ``refusal`` why it answers no chats,
    where it answers none."""
    paths = {
        "/v1/chat/completions": {"post": _asked("chat", "Answer a conversation", "Chat") if refusal is None else _refused(refusal)},
        "/v1/completions": {"post": _asked("complete", "Go on with a text", "Completion")},
        "/v1/models": {"get": guarded("models", "The model", "model", {200: json_answer(_models(model, context), "It")}, error="OpenAIError")},
    }
    error = whole({"message": _TEXT, "type": _TEXT, "param": {"type": ["string", "null"]}, "code": {"type": ["string", "null"]}})
    schemas = {
        "OpenAIError": whole({"error": error}),
        "CompletionRequest": _request("completion", {"prompt": _prompt()}),
        "Completion": _answer("text_completion", {"text": _TEXT, "logprobs": {"type": "null"}}),
    }
    if refusal is None:
        message = whole({"role": {"const": "assistant"}, "content": _TEXT, "refusal": {"type": "null"}})
        schemas |= {
            "Message": _message(),
            "ChatRequest": _request("chat", {"messages": array(ref("Message"), minItems=1, maxItems=256)}),
            "Chat": _answer("chat.completion", {"message": message, "logprobs": _logprobs()}),
        }
    return document(model, paths, schemas)


def _asked(name: str, summary: str, schema: str) -> Schema:
    whole_or_stream = json_answer(ref(schema), "The answer; with `stream`, server-sent events of OpenAI's chunks, `[DONE]` the last")
    whole_or_stream["content"]["text/event-stream"] = {"schema": _TEXT}
    wrong = {"description": "The body is no JSON, or a field is invalid or not supported: `param` names it", "content": {"application/json": {"schema": ref("OpenAIError")}}}
    stuck = {"description": "No token of the model can go on with the form that is asked for", "content": wrong["content"]}
    return guarded(name, summary, "model", {200: whole_or_stream, 400: wrong, 422: stuck}, body=ref(f"{schema}Request"), error="OpenAIError")


def _refused(reason: str) -> Schema:
    answer = {"description": f"{reason} Use /v1/completions.", "content": {"application/json": {"schema": ref("OpenAIError")}}}
    return guarded("chat", "This model answers no chats", "model", {400: answer}, body={"type": "object"}, error="OpenAIError")


def _request(kind: str, asked: dict[str, Schema]) -> Schema:
    """A body. What is null is not given; of what is not supported the values stand here that ask for nothing."""
    lists = json.loads(files("clodo.edge.llama").joinpath("ts", "parameters.json").read_text("utf-8"))
    known = {*lists["read"]["both"], *lists["read"][kind]}
    read = {
        name: {"type": [sort, "null"], "minimum": least, "maximum": most} | ({} if default is None else {"default": default})
        for name, (sort, least, most, default) in _NUMBERS.items()
    } | {
        "max_tokens": {"type": ["integer", "null"], "minimum": 1},
        "max_completion_tokens": {"type": ["integer", "null"], "minimum": 1},
        "stop": {"anyOf": [{**_TEXT, "minLength": 1, "maxLength": 1000}, array({**_TEXT, "minLength": 1, "maxLength": 1000}, maxItems=8), {"type": "null"}]},
        "stream": _FLAG,
        "stream_options": {"type": ["object", "null"], "properties": {"include_usage": _FLAG, "include_obfuscation": {}}, "additionalProperties": False},
        "ignore_eos": {**_FLAG, "description": "Write on past the model's own end"},
        "logprobs": {**_FLAG, "description": "Of the chosen tokens"},
        "grammar": {"type": ["string", "null"], "maxLength": 65536, "description": "A grammar in GBNF that the answer keeps to"},
        "response_format": {
            "anyOf": [
                {"type": "null"},
                whole({"type": {"enum": ["text", "json_object"]}}),
                whole({"type": {"const": "json_schema"}, "json_schema": {"type": "object", "required": ["schema"]}}),
            ]
        },
        **asked,
    }
    neutral = {name: {"enum": [*values, None], "description": "Not supported"} for name, values in lists["neutral"].items() if name not in known}
    ignored = {name: {"description": "Ignored"} for name in lists["ignored"]}
    # A name that is read and not described here stands as what may hold anything, rather than not at all.
    properties = {name: read.get(name, {}) for name in sorted(known)} | neutral | ignored
    return {"type": "object", "properties": properties, "required": list(asked), "additionalProperties": {"type": "null"}}


def _prompt() -> Schema:
    tokens = array(_COUNT, description="Tokens of this model")
    return {"anyOf": [_TEXT, tokens, array({"anyOf": [_TEXT, tokens]}, minItems=1, maxItems=1)]}


def _message() -> Schema:
    part = {"type": "object", "properties": {"type": {"const": "text"}, "text": _TEXT}, "required": ["type", "text"]}
    return {
        "type": "object",
        "properties": {
            "role": one_of(("system", "developer", "user", "assistant")),
            "content": {"anyOf": [_TEXT, array(part, minItems=1)]},
            **{name: {"description": "Ignored"} for name in ("name", "annotations", "reasoning_content")},
        },
        "required": ["role", "content"],
        "additionalProperties": {"enum": [None, []]},
    }


def _answer(kind: str, said: dict[str, Schema]) -> Schema:
    choice = whole({"index": {"const": 0}, **said, "finish_reason": one_of(("stop", "length"))})
    cached = whole({"cached_tokens": {**_COUNT, "description": "Those of the prompt that were known from a request before"}})
    usage = whole({"prompt_tokens": _COUNT, "completion_tokens": _COUNT, "total_tokens": _COUNT, "prompt_tokens_details": cached})
    return whole(
        {
            "id": _TEXT, "object": {"const": kind}, "created": {"type": "integer"}, "model": _TEXT, "provider": {"const": "edge"},
            "choices": array(choice, minItems=1, maxItems=1), "usage": usage,
        }
    )  # fmt: skip


def _logprobs() -> Schema:
    token = whole({"id": _COUNT, "token": _TEXT, "logprob": {"type": "number"}, "bytes": array(_COUNT), "top_logprobs": array({}, maxItems=0)})
    return {"anyOf": [{"type": "null"}, whole({"content": array(token), "refusal": {"type": "null"}})]}


def _models(model: str, context: int) -> Schema:
    one = whole({"id": {"const": model}, "object": {"const": "model"}, "owned_by": {"const": "edge"}, "context_length": {"const": context}})
    return whole({"object": {"const": "list"}, "data": array(one, minItems=1, maxItems=1)})
