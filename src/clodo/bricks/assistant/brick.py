"""The routes of the assistant, and what binds a model to the service."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from clodo.blueprint.plan import Plan, kebab
from clodo.blueprint.values import Entity, FieldType, Who
from clodo.bricks.assistant.language import Assistant, below, path_of_assistant
from clodo.bricks.assistant.patterns import patterns_module
from clodo.bricks.limits.brick import BRICK as LIMITS
from clodo.emit.brick import Brick, Import, Parts, Stage
from clodo.emit.openapi import json_answer, list_parameters, operation, path_parameter, ref
from clodo.emit.schemas import Schema
from clodo.emit.typescript import entity_const, literal
from clodo.lm.escalation import THRESHOLD

#: What each caller may ask in a minute, all together.
PER_MINUTE = 20
_FUNCTIONS = {"search": "assistantSearch", "summary": "assistantSummary", "classify": "assistantClassify"}
_VARIABLES = {
    "ASSISTANT_PROVIDERS": "edge",
    "ASSISTANT_PRIVACY": "local-only",
    "ASSISTANT_CONFIDENCE": str(THRESHOLD),
    "ASSISTANT_OPENAI_URL": "",
    "ASSISTANT_OPENAI_MODEL": "",
    "ASSISTANT_WORKERS_AI_MODEL": "",
    "ASSISTANT_SECONDS": "20",
    "ASSISTANT_CHARACTERS": "12000",
}
_ENV = {
    # No bindings of wrangler.jsonc and no secrets of the manifest: without them the service works, and asks nobody.
    "MODEL": "Fetcher | undefined",
    "AI": "{ run(model: string, input: object): Promise<unknown> } | undefined",
    "ASSISTANT_EDGE_KEY": "string | undefined",
    "ASSISTANT_OPENAI_KEY": "string | undefined",
    **dict.fromkeys(_VARIABLES, "string"),
}
#: Parameters of lists that no model may choose: whose rows and which page is not for it to say, and it knows no ids.
_NOT_CHOSEN = ("id", "cursor", "owner_id")


def assisted(plan: Plan) -> Iterator[tuple[Entity, Assistant]]:
    """Everything that a model does, with its entity."""
    for e in plan.blueprint.entities:
        for a in e.parts_of(Assistant):
            yield e, a


def chosen_parameters(plan: Plan, e: Entity) -> dict[str, Schema]:
    """The parameters of the list of an entity that a model may choose, each with its JSON Schema."""
    # Nobody asks for a row by the whole of a long text, or in the order of long texts.
    left_out = {*_NOT_CHOSEN, *(f"{r.name}_id" for r in e.references), *(f.name for f in e.fields if f.type is FieldType.LONG_TEXT)}
    kept = ("type", "format", "enum", "minimum", "maximum")
    found = {
        p["name"]: {k: v for k, v in p["schema"].items() if k in kept}
        for p in list_parameters(plan.blueprint, e)
        if p["name"] not in left_out and p["name"].rpartition("_")[0] not in left_out - {"id"}
    }
    found["sort"]["enum"] = [s for s in found["sort"]["enum"] if s == "-id" or s.lstrip("-") not in left_out]
    return found


def _parts(plan: Plan) -> Parts:
    used = list(assisted(plan))
    # Counting is the limits' affair; where the blueprint has none, this brings what they need.
    own = not LIMITS.applies(plan)
    counting = LIMITS.parts(plan) if own else Parts()

    def amend(document: dict[str, Any]) -> None:
        if counting.amend is not None:
            counting.amend(document)
        for e, a in used:
            _amend(plan, e, a, document["paths"])

    names = sorted({_FUNCTIONS[a.kind] for _, a in used})
    return Parts(
        imports=(Import("limited", "./lib/limits"), *(Import(name, "./lib/assistant") for name in names)),
        middleware=tuple((Stage.KNOWN, _counted(plan, e, a)) for e, a in used),
        ahead=tuple(_route(plan, e, a) for e, a in used),
        env=_ENV,
        wrangler={"vars": dict(_VARIABLES)},
        secrets=counting.secrets,
        sql=counting.sql,
        files={"src/lib/assistant-patterns.ts": patterns_module(), **(LIMITS.sources() if own else {})},
        readme=_readme(plan, used),
        amend=amend,
    )


def _counted(plan: Plan, e: Entity, a: Assistant) -> str:
    path = path_of_assistant(plan, e, a).replace("{id}", ":id")
    who = plan.blueprint.read_access(e).who
    per = {Who.PUBLIC: "address", Who.KEY: "key"}.get(who, "user")
    limit = f'{{ name: "assistant", most: {PER_MINUTE}, seconds: 60, per: {literal(per)} }}'
    return f'app.on("POST", {literal(path)}, limited([{limit}]));'


def _route(plan: Plan, e: Entity, a: Assistant) -> str:
    start = f"{_FUNCTIONS[a.kind]}(app, {entity_const(e)}"
    if a.kind == "search":
        return f"{start}, {literal(chosen_parameters(plan, e))});"
    if a.kind == "summary":
        return f"{start}, {literal(kebab(a.source))}, {literal(a.source)});"
    target = e.field(a.target)
    assert target is not None
    return f"{start}, {literal(kebab(a.target))}, {literal(a.source)}, {literal(a.target)}, {literal(list(target.values))});"


_CONFIDENCE = {"type": ["number", "null"], "minimum": 0, "maximum": 1}
_TRIED = {
    "type": "object",
    "properties": {"provider": {"type": "string"}, "reason": {"type": "string"}, "confidence": _CONFIDENCE},
    "required": ["provider", "reason", "confidence"],
    "additionalProperties": False,
}
_BY = {
    "model": {"type": "string"},
    "provider": {"type": "string"},
    "confidence": {**_CONFIDENCE, "description": "How likely the model found its own words; null where its provider does not tell"},
    "tried": {"type": "array", "items": _TRIED, "description": "Providers that did not do, and why; the one that answered is among them where others were asked after it in vain"},
}
_FAILURES = {
    422: "The body has invalid fields, or the text cannot be shown to a model",
    502: "The model cannot be reached, or gave an answer that does not hold up",
    503: "No model is bound, may be asked, or is whole",
    504: "The model did not answer in time",
}


def _answer(properties: Schema) -> Schema:
    whole = {**properties, **_BY}
    return {"type": "object", "properties": whole, "required": list(whole), "additionalProperties": False}


def _amend(plan: Plan, e: Entity, a: Assistant, paths: dict[str, Any]) -> None:
    rules, noun = (plan.blueprint.read_access(e),), e.name.replace("_", " ")
    text = {"type": "string"}
    if a.kind == "search":
        rows = {"items": {"type": "array", "items": ref(plan.schemas.row(e))}, "list": text}
        body = {
            "type": "object",
            "properties": {"question": {"type": "string", "minLength": 1, "maxLength": 500}},
            "required": ["question"],
            "additionalProperties": False,
        }
        made = operation(
            f"ask_{e.name}", f"Find {plan.path(e)} by a question in plain words", e.name,
            {200: json_answer(_answer(rows), "The rows, and the list that the question was turned into")}, rules=rules, body=body,
        )  # fmt: skip
    elif a.kind == "summary":
        shown = _answer({"field": {"const": a.source}, "summary": text})
        made = operation(
            f"summary_of_{e.name}_{a.source}", f"Sum up the {a.source.replace('_', ' ')} of one {noun}", e.name,
            {200: json_answer(shown, "The summary")}, rules=rules, problems=(404,),
        )  # fmt: skip
    else:
        target = e.field(a.target)
        assert target is not None
        shown = _answer({"field": {"const": a.target}, "value": {"type": "string", "enum": list(target.values)}})
        made = operation(
            f"classify_{e.name}_{a.target}", f"Propose the {a.target.replace('_', ' ')} of one {noun}", e.name,
            {200: json_answer(shown, "The value; nothing is stored")}, rules=rules, problems=(404,),
        )  # fmt: skip
    problem = {"application/problem+json": {"schema": ref("Problem")}}
    for status, words in _FAILURES.items():
        made["responses"][str(status)] = {"description": words, "content": problem}
    headers = {name: {"$ref": f"#/components/headers/{name}"} for name in ("Retry-After", "RateLimit", "RateLimit-Policy")}
    words = "Too many requests; Retry-After tells when to try again"
    made["responses"]["429"] = {"description": words, "headers": headers, "content": problem}
    item: dict[str, Any] = {"post": made}
    if "{id}" in below(a):
        item["parameters"] = [path_parameter("id")]
    paths[path_of_assistant(plan, e, a)] = item


def _readme(plan: Plan, used: list[tuple[Entity, Assistant]]) -> str:
    routes = "".join(f"- `POST {path_of_assistant(plan, e, a)}`\n" for e, a in used)
    return f"""## Assistant

{routes}
A model answers; what it says is checked, and changes no row. Each caller may ask {PER_MINUTE} times a minute. Bind a model to the service:

- one in a Worker of yours (`clodo edge build`): `"services": [{{ "binding": "MODEL", "service": "NAME-OF-ITS-FRONT" }}]` in `wrangler.jsonc`,
  and its API key with `npx wrangler secret put ASSISTANT_EDGE_KEY`. This is what `ASSISTANT_PROVIDERS` names (`edge`).
- Workers AI: `"ai": {{ "binding": "AI" }}`, `ASSISTANT_PROVIDERS` `workers-ai` and the model in `ASSISTANT_WORKERS_AI_MODEL`.
- any endpoint that speaks OpenAI's chat completions: `ASSISTANT_PROVIDERS` `openai`, `ASSISTANT_OPENAI_URL` (with `/v1`),
  `ASSISTANT_OPENAI_MODEL`, and the key with `npx wrangler secret put ASSISTANT_OPENAI_KEY`.

Several, as `edge, workers-ai`, are asked in their order: the next where the one before fails, gives nothing that holds up, or is less sure of its words than
`ASSISTANT_CONFIDENCE` (0 to 1; empty: it need not be sure). The answer says who gave it, how sure it was where that is known, and who was asked besides.

`ASSISTANT_PRIVACY` says what anybody but your own Worker (and, in development, an endpoint on this machine) is shown: nothing (`local-only`), the text without the secrets
and names that are found in it (`redacted`), or the text as it is (`open`). What it is shown goes to whoever runs that model.
"""


BRICK = Brick("assistant", "clodo.bricks.assistant", lambda plan: any(True for _ in assisted(plan)), _parts, order=96)
