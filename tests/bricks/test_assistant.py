"""The assistant: its lines, faults that the proof finds, and the ways to a model."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from clodo.blueprint import InvalidBlueprint, format_blueprint, parse
from clodo.blueprint.plan import make_plan
from clodo.bricks.assistant.bench import KEY, MODEL, Bench, Reply
from clodo.bricks.assistant.brick import chosen_parameters
from clodo.bricks.registry import service_checks, service_secrets, service_tree
from clodo.edge.llama import bundle
from clodo.edge.platform.serving import served_bundle
from clodo.proof.client import Client
from clodo.proof.host import Host
from clodo.proof.session import Fault as ProofFault
from clodo.proof.session import expect
from clodo.proof.verify import proof_secrets
from clodo.toolchain import Toolchain
from tests.bricks.proving import Fault, example_of, expect_caught, made, proof
from tests.edge.llama.tiny import tiny_gguf

ROUTES, MODELS, PROVIDERS, ANSWERS, SETTINGS = (
    f"src/lib/assistant{name}.ts" for name in ("", "-model", "-providers", "-answers", "-settings")
)


def note(*lines: str, more: str = "") -> str:
    fields = "  title: text\n  body: longtext\n  mood: enum(good, bad)\n  secret: text write-only\n  stars: integer\n"
    return f"service s\n\nentity note {{\n{fields}" + "".join(f"  {line}\n" for line in lines) + f"}}\n{more}"


@pytest.mark.parametrize("line", ["assistant search", "assistant summary of body", "assistant classify body as mood"])
def test_a_line_is_kept_as_it_is(line: str) -> None:
    assert format_blueprint(parse(note(line))) == note(line)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["assistant search", "assistant search"], "at one path"),
        (["assistant classify body as mood", "assistant classify title as mood"], "at one path"),
        (["assistant summary of nothing"], "no field 'nothing'"),
        (["assistant summary of stars"], "no text that a model"),
        (["assistant summary of secret"], "shown to nobody"),
        (["assistant classify body as stars"], "no values to choose"),
        (["assistant classify body as nothing"], "no field 'nothing'"),
        (["assistant classify mood as mood"], "no text that a model"),
    ],
)
def test_what_makes_no_sense_is_told(lines: list[str], words: str) -> None:
    with pytest.raises(InvalidBlueprint, match=words):
        parse(note(*lines))


def test_several_lines_answer_at_paths_of_their_own() -> None:
    source = note("assistant search", "assistant summary of body", "assistant summary of title", "assistant classify body as mood")
    paths = json.loads(service_tree(parse(source), source)["openapi.json"])["paths"]
    assert {p for p in paths if p.count("/") > 2 and "post" in paths[p] and p.startswith("/api/notes/")} == {
        "/api/notes/ask", "/api/notes/{id}/summary/body", "/api/notes/{id}/summary/title", "/api/notes/{id}/classification/mood",
    }  # fmt: skip


def test_a_model_may_choose_neither_owners_nor_ids_nor_secrets_nor_whole_texts() -> None:
    source = note("read owner", "write owner", "by: -> pen", "assistant search", more="\nentity pen {\n  ink: text\n}\n\nusers {\n}\n")
    plan = make_plan(parse(source))
    found = chosen_parameters(plan, plan.blueprint.entities[0])
    assert set(found) == {
        "limit", "sort", "title", "mood", "stars", "stars_min", "stars_max",
        *(f"{at}{bound}" for at in ("created_at", "updated_at") for bound in ("", "_min", "_max")),
    }  # fmt: skip
    sorts = {s.lstrip("-") for s in found["sort"]["enum"]}
    assert sorts == {"id", "title", "mood", "stars", "created_at", "updated_at"}


def test_bindings_and_keys_are_nothing_that_a_service_needs() -> None:
    source = example_of("assistant")
    assert service_secrets(parse(source)) == ("API_KEY", "JWT_SECRET", "ADMIN_EMAIL", "LIMIT_SECRET")
    config = service_tree(parse(source), source)["wrangler.jsonc"]
    assert '"ASSISTANT_PRIVACY": "local-only"' in config and "KEY" not in config and '"ai"' not in config


def test_limits_are_counted_by_the_one_that_is_there() -> None:
    source = note("assistant search", more="\nlimit 100 per minute per address\n")
    tree = service_tree(parse(source), source)
    assert tree["migrations/0001_init.sql"].count('CREATE TABLE "rate-limit"') == 1
    assert service_secrets(parse(source)).count("LIMIT_SECRET") == 1


ROW = 'await readRow(c, entity, caller, c.req.param("id") ?? "")'
ANY_ROW = '(await c.env.DB.prepare(`SELECT * FROM ${quote(entity.name)} WHERE "id" = ?`).bind(c.req.param("id") ?? "").first<Row>()) ?? ({} as Row)'
PROPOSED = "return c.json({ field: target, value, ...by });"
FAULTS = [
    Fault("the limit is not the model's", ROUTES, "value.query.limit)", "100)", "assistant.search"),
    Fault("a filter is put into the SQL", "src/lib/list.ts", "`${quote(name)} ${operator} ?`, parsed", "`${quote(name)} ${operator} '${parsed}'`", "assistant.injection"),
    Fault("a question has no end", ROUTES, "if (question.length > MOST_QUESTION_CHARACTERS)", "if (question.length < 0)", "assistant.question"),
    Fault("a proposal is stored", ROUTES, PROPOSED, f'await c.env.DB.prepare(`UPDATE ${{quote(entity.name)}} SET ${{quote(target)}} = ?`).bind(value).run();\n      {PROPOSED}', "assistant.classify"),
    Fault("rows that nobody may read are read", ROUTES, ROW, ANY_ROW, "assistant.row"),
    Fault("any filter goes", ROUTES, "!Object.hasOwn(parameters, name) || ", "", "assistant.filters"),
    Fault("what the list refuses is told as the caller's fault", ROUTES, "if (error instanceof Problem) throw new Unsound();", "", "assistant.filters"),
    Fault("rows of all are found", ROUTES, "[...visible(entity, caller), ...value.query.conditions]", "[...value.query.conditions]", "assistant.hidden"),
    Fault("anybody may ask", ROUTES, "const caller = await admit(c, entity.read);\n      const text", 'const caller = await admit(c, "public");\n      const text', "assistant.access"),
    Fault("any row is summed up", ROUTES, 'const caller = await admit(c, entity.read);\n  const row', 'const caller = await admit(c, "public");\n  const row', "assistant.access"),
    Fault("any value goes", ROUTES, "if (chosen === undefined) throw new Unsound();", "if (chosen === undefined) return word;", "assistant.unsound"),
    Fault("a text has no end", ANSWERS, " || content.length > most", "", "assistant.unsound"),
    Fault("terminals are told what to do", ANSWERS, " || /[^\\P{Cc}\\n\\t]/u.test(text)", "", "assistant.unsound"),
    Fault("the model is told the row", ROUTES, "  return text;\n}", "  return `${text} ${JSON.stringify(row)}`;\n}", "assistant.summary"),
    Fault("an endless answer is read", ANSWERS, "if (size > MOST_BYTES) throw", "if (size < 0) throw", "assistant.unsound"),
    Fault("silence is told as a failure", MODELS, 'reject(new Failure("timeout"))', 'reject(new Failure("unavailable"))', "assistant.slow"),
    Fault("redirects are followed", PROVIDERS, 'redirect: "manual"', 'redirect: "follow"', "assistant.failure"),
    Fault("it is never left alone", MODELS, "if (now < state.until) throw", "if (now < 0) throw", "assistant.break"),
    Fault("the first is always believed", MODELS, "confidence < least ?", "confidence < 0 ?", "assistant.unsure"),
    Fault("the last counts, and not the best", MODELS, "(one.confidence ?? 0) > (later.confidence ?? 0)", "false", "assistant.unsure"),
    Fault("where all are unsure there is no answer", MODELS, "if (usable.length > 0)", "if (usable.length > 9)", "assistant.unsure"),
    Fault("half an answer is one", ANSWERS, 'first?.finish_reason !== "length"', "true", "assistant.unsure"),
    Fault("half an answer is as good as a whole one", MODELS, "if (one.whole !== later.whole) return one.whole;", "", "assistant.unsure"),
    Fault("one sure token is enough", ANSWERS, "logs.reduce((sum, log) => sum + log, 0) / logs.length", "Math.log(logs.reduce((sum, log) => sum + Math.exp(log), 0) / logs.length)", "assistant.unsure"),
    Fault("nobody asks how sure a model is", PROVIDERS, "{ logprobs: true }", "{}", "assistant.unsure"),
    Fault("probabilities may be anything", ANSWERS, ' || !logs.every((log) => typeof log === "number")', "", "assistant.unsure"),
    Fault("the last one is said to have been tried in vain", MODELS, "tried.slice(0, -1)", "tried", "assistant.unsure"),
    Fault("a text that is too long ends it", MODELS, "      last = error;\n", '      if (error.reason === "too-long") throw new Problem(422, DETAIL["too-long"]);\n      last = error;\n', "assistant.unfit"),
    Fault("nobody knows what is too long", PROVIDERS, "(unfit && TOO_LONG.test(text))", "(unfit && TOO_LONG.test(\"\"))", "assistant.unfit"),
    Fault("secrets leave", PROVIDERS, "run({ ...question, text: redaction.text })", "run(question)", "assistant.private"),
    Fault("placeholders stay", PROVIDERS, "content: redaction.restored(reply.content)", "content: reply.content", "assistant.private"),
    Fault("cards leave", "src/lib/assistant-redaction.ts", "sum % 10 === 0", "sum % 10 > 10", "assistant.private"),
    Fault("the limit holds for nobody", "src/index.ts", "most: 20", "most: 200", "assistant.limit"),
]


@pytest.mark.workerd
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
def test_a_fault_is_caught(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(example_of("assistant"), tmp_path / "s", toolchain, host, fault)


@pytest.mark.workerd
def test_it_is_proven_beside_other_limits(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    """Both count requests, and free the counts of the other's checks."""
    source = note("assistant search", more="\nlimit 30 per minute per address\n")
    kept = ("assistant.limit", "assistant.filters", "limits.exact", "limits.document")
    report = proof(source, tmp_path / "s", toolchain, host, checks=lambda plan: (c for c in service_checks(plan) if c.id.startswith(kept) or c.prepare))
    assert report.proven, report.summary()


# The ways to a model.

#: Stands in for the bindings MODEL and AI: each asks the bench. A header of a request changes variables for it alone, so that
#: one boot serves every case.
STUB = """
type Variables = Record<string, string>;
const post = (env: Variables, body: unknown, headers: HeadersInit) =>
  fetch(`${env["BENCH"]}/chat/completions`, { method: "POST", headers, body: JSON.stringify(body) });
const MODEL = (env: Variables) => ({
  fetch: async (request: Request) => post(env, await request.json(), request.headers),
});
const AI = (env: Variables) => ({
  run: async (model: string, input: object) => {
    const answer = await post(env, { ...input, model }, {});
    if (!answer.ok) throw new Error("3006: request is too large");
    const { choices } = (await answer.json()) as { choices: [{ message: { content: string } }] };
    const content = choices[0].message.content;
    return { response: env["AS_OBJECT"] ? JSON.parse(content) : content };
  },
});
export default {
  fetch: (request: Request, given: Variables, context: ExecutionContext) => {
    const env = { ...given, ...JSON.parse(request.headers.get("x-variables") ?? "{}") };
    const bound = { ...(env["MODEL_BOUND"] ? { MODEL: MODEL(env) } : {}), ...(env["AI_BOUND"] ? { AI: AI(env) } : {}) };
    return app.fetch(request, { ...env, ...bound } as never, context);
  },
};
"""
QUESTION = "Which?"
AI = {"ASSISTANT_PROVIDERS": "workers-ai", "AI_BOUND": "1", "ASSISTANT_WORKERS_AI_MODEL": "@cf/m"}
OPEN = {"ASSISTANT_PRIVACY": "open"}

SECRET, HIDDEN = "Which are of ann@example.com?", "Which are of [EMAIL_1]?"
WRONG = [
    *(("ASSISTANT_CONFIDENCE", value) for value in ("2", "-1", "1.1", "half", "0,5", "NaN", "Infinity", "0x1", "50%", "1e-1")),
    *(("ASSISTANT_PRIVACY", value) for value in ("Open", "none", "toString", "open, redacted")),
    *(("ASSISTANT_SECONDS", value) for value in ("0", "301", "soon")),
    *(("ASSISTANT_CHARACTERS", value) for value in ("0", "1.5", "many")),
]

Ask = Callable[..., Awaitable[Any]]


async def ways(bench: Bench, ask: Ask) -> None:
    """Every way to a model: how it is asked, and what becomes of its answer."""
    # A Worker of one's own, over its binding, with its key. One that takes no JSON Schema, as older ones do, is asked
    # without one from then on.
    edge = {"ASSISTANT_PROVIDERS": "edge", "MODEL_BOUND": "1"}
    refusal = Reply(status=400, body=b'{"error": {"message": "Only text is supported.", "param": "response_format"}}')
    seen = bench.expect(QUESTION, refusal, Reply({}))
    for _ in range(2):
        await ask(200, **edge)
    assert ["response_format" in s.body for s in seen] == [True, False, False]
    seen = bench.expect(QUESTION, Reply({}))
    answer = await ask(200, **edge, ASSISTANT_EDGE_KEY="edge-key")
    assert answer["provider"] == "edge" and seen[0].headers["authorization"] == "Bearer edge-key"

    # Workers AI: text or, in JSON mode, the object itself.
    for as_object in ("", "1"):
        seen = bench.expect(QUESTION, Reply({"limit": 1}))
        answer = await ask(200, **AI, **OPEN, AS_OBJECT=as_object)
        assert (answer["provider"], answer["model"], answer["list"]) == ("workers-ai", "@cf/m", "/api/notes?limit=1")
        assert seen[0].body["response_format"]["json_schema"]["type"] == "object"
    bench.expect(QUESTION, Reply(status=500))
    await ask(422, **AI, **OPEN)

    # What is not bound, or may not be asked, is not.
    seen = bench.expect(QUESTION, Reply({}))
    for variables in (
        AI,
        {**AI, "ASSISTANT_PRIVACY": ""},
        {**AI, **OPEN, "AI_BOUND": ""},
        {**AI, **OPEN, "ASSISTANT_WORKERS_AI_MODEL": ""},
        {"ASSISTANT_PROVIDERS": "openai", "ASSISTANT_OPENAI_URL": "https://models.example/v1"},
        {"ASSISTANT_PROVIDERS": "openai", "ASSISTANT_OPENAI_URL": "https://127.0.0.1.models.example/v1"},
        {"ASSISTANT_PROVIDERS": "openai", "ASSISTANT_OPENAI_URL": "https://127.0.0.1@models.example/v1"},
        {"ASSISTANT_PROVIDERS": "openai", "ASSISTANT_OPENAI_URL": "http://models.example/v1", **OPEN},
        {"ASSISTANT_PROVIDERS": "edge"},
        {"ASSISTANT_PROVIDERS": "toString"},
        {"ASSISTANT_PROVIDERS": ""},
    ):
        await ask(503, **variables)
    assert seen == []

    # Values that make no sense are told at once, and nobody is asked.
    for name, value in WRONG:
        told = await ask(500, **AI, **{**OPEN, name: value})
        assert told["detail"].startswith(f"The variable {name} must be "), told
    assert seen == []

    # Others are shown a text without its secrets where the policy says so, and get them in no other way.
    for policy in ("redacted", "redact"):
        bench.expect(SECRET, Reply({"title": "hacked"}))
        seen = bench.expect(HIDDEN, Reply({"title": "[EMAIL_1]"}))
        answer = await ask(200, SECRET, **AI, ASSISTANT_PRIVACY=policy, ASSISTANT_CONFIDENCE="0.5")
        assert answer["list"] == "/api/notes?title=ann%40example.com" and len(seen) == 1
    seen = bench.expect(SECRET, Reply({}))
    await ask(200, SECRET, **AI, **OPEN)
    await ask(200, SECRET, **edge, ASSISTANT_PRIVACY="redacted")
    assert len(seen) == 2

    # How sure a model is, is asked for where it counts; one that does not tell is asked without from then on.
    seen = bench.expect(QUESTION, Reply({}, chances=(0.1,)))
    for confidence, told in (("", None), ("0", 0.1), (" .5 ", 0.1), ("1", 0.1)):
        answer = await ask(200, **edge, ASSISTANT_CONFIDENCE=confidence)
        assert (answer["confidence"], answer["tried"]) == (told, [])
    assert ["logprobs" in s.body for s in seen] == [False, True, True, True]
    both = {**AI, **OPEN, "ASSISTANT_PROVIDERS": "edge, workers-ai", "MODEL_BOUND": "1"}
    for confidence, provider in (("", "edge"), ("0.1", "edge"), ("0.11", "workers-ai")):
        bench.expect(QUESTION, Reply({}, chances=(0.1,)))
        answer = await ask(200, **both, ASSISTANT_CONFIDENCE=confidence)
        assert answer["provider"] == provider, confidence
    refusal = Reply(status=400, body=b'{"error": {"message": "Unsupported parameter: logprobs is not supported with this model."}}')
    seen = bench.expect(QUESTION, refusal, Reply({}))
    for _ in range(2):
        assert (await ask(200, ASSISTANT_PROVIDERS="openai", ASSISTANT_CONFIDENCE="0.5"))["confidence"] is None
    assert ["logprobs" in s.body for s in seen] == [True, False, False]

    # One that is silent leaves time for the next.
    bench.expect(QUESTION, Reply(silent=True), Reply({"limit": 2}))
    answer = await ask(200, **both)
    assert [(t["provider"], t["reason"]) for t in answer["tried"]] == [("edge", "timeout")] and answer["provider"] == "workers-ai"

    # Several are asked in their order, and it is told why they did not do.
    bench.expect(QUESTION, Reply(["hacked"]), Reply({}))
    answer = await ask(200, **{**AI, "ASSISTANT_PROVIDERS": "workers-ai, edge, openai", "MODEL_BOUND": "1"})
    assert (answer["provider"], answer["model"]) == ("openai", MODEL) and KEY not in json.dumps(answer)
    assert [(t["provider"], t["reason"]) for t in answer["tried"]] == [("workers-ai", "privacy"), ("edge", "invalid-answer")]


def tried(folder: Path, host: Host, fault: Fault | None = None) -> None:
    """Every way to a model of a service."""
    bench = Bench()
    made(note("assistant search"), folder, fault)
    index = folder / "src" / "index.ts"
    index.write_text(index.read_text().replace("export default app;\n", STUB))

    async def whole(url: str) -> None:
        client = Client(url)
        numbers = itertools.count(1)

        async def ask(status: int, question: str = QUESTION, **variables: str) -> Any:
            headers = {"x-variables": json.dumps(variables), "cf-connecting-ip": f"192.0.2.{next(numbers)}"}
            return expect(await client.send("POST", "/api/notes/ask", {"question": question}, headers=headers), status, str(variables)).body

        try:
            await ways(bench, ask)
        finally:
            await client.close()

    try:
        with bench.running() as found:
            own = {"ASSISTANT_PRIVACY": "local-only", "ASSISTANT_CONFIDENCE": "", "BENCH": found["ASSISTANT_OPENAI_URL"]}
            bindings = {**proof_secrets(folder), **found, **own}
            asyncio.run(whole(host.serve(folder, bindings=bindings).url))
    finally:
        host.reset()


@pytest.mark.workerd
def test_the_ways_to_a_model(tmp_path: Path, host: Host) -> None:
    tried(tmp_path / "s", host)


@pytest.mark.workerd
@pytest.mark.parametrize(
    "fault",
    [
        Fault("the policy lets all out", PROVIDERS, 'if (settings.privacy === "local-only") throw new Failure("privacy");', "", "privacy"),
        Fault("any policy is open", SETTINGS, "if (policy === undefined) throw", 'if (policy === undefined) return "open"; else if (name === "-") throw', "policies"),
        Fault("any confidence goes", SETTINGS, "value >= 0 && value <= 1", "value >= 0 || value <= 1", "confidence"),
        Fault("the silent one has all the time", MODELS, " / (settings.providers.length - place)", "", "time"),
        Fault("what is refused is asked for again", PROVIDERS, "refused.set(base", "new Map<string, Set<string>>().set(base", "options"),
    ],
    ids=lambda f: f.name,
)
def test_a_fault_of_the_ways_is_caught(fault: Fault, tmp_path: Path, host: Host) -> None:
    with pytest.raises((AssertionError, ProofFault)):
        tried(tmp_path / "s", host, fault)


#: The service, with what it has said in its log since it began.
NOTED = """
import { noted } from "./noted";
import app from "./service";

export default { fetch: (request: Request, env: never, context: ExecutionContext) =>
  request.url.endsWith("/noted") ? Response.json(noted) : app.fetch(request, env, context) };
"""
NOTING = 'export const noted: string[] = [];\nconsole.error = (...said: unknown[]) => noted.push(said.join(" "));\n'


@pytest.mark.workerd
@pytest.mark.parametrize(
    ("confidence", "said"), [("high", ["The variable ASSISTANT_CONFIDENCE must be a number from 0 to 1, or empty."]), ("0.5", []), ("", [])]
)
def test_a_wrong_value_is_told_when_the_service_starts(confidence: str, said: list[str], tmp_path: Path, host: Host) -> None:
    source = made(note("assistant search"), tmp_path / "s") / "src"
    (source / "index.ts").rename(source / "service.ts")
    (source / "index.ts").write_text(NOTED)
    (source / "noted.ts").write_text(NOTING)

    async def asked(url: str) -> Any:
        client = Client(url)
        try:
            expect(await client.send("GET", "/api/notes"), 200, "all else of the service works")
            return expect(await client.send("GET", "/noted"), 200).body
        finally:
            await client.close()

    try:
        bindings = {**proof_secrets(source.parent), "ASSISTANT_CONFIDENCE": confidence}
        assert asyncio.run(asked(host.serve(source.parent, bindings=bindings).url)) == said
    finally:
        host.reset()


#: The binding MODEL, with the Workers of a model at its end.
BOUND = """
export default {
  fetch: (request: Request, env: Record<string, string>, context: ExecutionContext) => {
    const MODEL = { fetch: (asked: Request) => fetch(new Request(new URL(new URL(asked.url).pathname, env["EDGE"]), asked)) };
    return app.fetch(request, { ...env, MODEL } as never, context);
  },
};
"""


@pytest.mark.workerd
def test_a_model_of_ones_own_answers(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    """The Workers of a decoder, as ``clodo edge build`` makes them, behind a service: what one side sends is what the other takes."""
    source, folder = note("assistant summary of body", "assistant classify body as mood"), tmp_path / "s"
    made(source, folder)
    index = folder / "src" / "index.ts"
    index.write_text(index.read_text().replace("export default app;\n", BOUND))

    async def asked(url: str) -> None:
        client = Client(url)
        try:
            row = expect(await client.send("POST", "/api/notes", {"body": "the kitchen was cold " * 5}), 201, "a note").body
            summary = expect(await client.send("POST", f"/api/notes/{row['id']}/summary/body"), 200, "its summary").body
            assert summary["provider"] == "edge" and summary["model"] == "tiny" and summary["summary"], summary
            assert 0 < summary["confidence"] < 1, summary
            # A model with random weights names no value of the enum, and what it names instead does not get through.
            expect(await client.send("POST", f"/api/notes/{row['id']}/classification/mood"), 502, "its mood")
        finally:
            await client.close()

    with served_bundle(bundle(tiny_gguf(tmp_path / "tiny.gguf", wordy=True), 48, 512, slots=2), toolchain) as model:
        variables = {"EDGE": model.url, "ASSISTANT_PROVIDERS": "edge", "ASSISTANT_EDGE_KEY": model.key}
        try:
            asyncio.run(asked(host.serve(folder, bindings={**proof_secrets(folder), **variables}).url))
        finally:
            host.reset()


@pytest.mark.workerd
@pytest.mark.parametrize(
    ("writes", "read", "stars"),
    [
        ('{"stars_min": 3}', "/api/notes?stars_min=3", {3, 5}),
        # The form of the answer has no such filter, so that the model cannot say it, and says none.
        ('{"secret": "x"}', "/api/notes", {1, 3, 5}),
        # Nor does it let an answer end here.
        ('{"title": "n', None, set()),
    ],
)
def test_a_search_asks_a_model_of_ones_own(writes: str, read: str | None, stars: set[int], tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    """What a decoder in Workers says under the schema of filters is the list that is read; what it does not say to the end is none."""
    source, folder = note("assistant search"), tmp_path / "s"
    made(source, folder)
    index = folder / "src" / "index.ts"
    index.write_text(index.read_text().replace("export default app;\n", BOUND))

    async def asked(url: str, stop: Callable[[], None]) -> None:
        client = Client(url)
        try:
            for number in (1, 3, 5):
                expect(await client.send("POST", "/api/notes", {"title": f"n{number}", "stars": number}), 201, "a note")
            answer = expect(await client.send("POST", "/api/notes/ask", {"question": "Which are good?"}), 200 if read else 502, "the found").body
            if read:
                assert {row["stars"] for row in answer["items"]} == stars and answer["list"] == read
                assert (answer["provider"], answer["model"], answer["tried"]) == ("edge", "tiny", [])
            stop()
            expect(await client.send("POST", "/api/notes/ask", {"question": "Which are good?"}), 502, "nobody there")
        finally:
            await client.close()

    file = tiny_gguf(tmp_path / "tiny.gguf", context=4096, answer=writes)
    with ExitStack() as running:
        model = running.enter_context(served_bundle(bundle(file, 48, 4096, layer_workers=1), toolchain))
        variables = {"EDGE": model.url, "ASSISTANT_PROVIDERS": "edge", "ASSISTANT_EDGE_KEY": model.key}
        try:
            url = host.serve(folder, bindings={**proof_secrets(folder), **variables}).url
            asyncio.run(asked(url, running.close))
        finally:
            host.reset()
