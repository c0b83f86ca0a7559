"""One suite that every text model passes: the double, alone and behind others, the adapters of services against a server that
speaks their protocols, llama.cpp in process, and the adapter for endpoints against llama.cpp's own server on loopback."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from clodo.blueprint.gbnf import gbnf
from clodo.errors import ModelError
from clodo.lm import Constraint, Message, TextModel
from clodo.lm.privacy import Privacy
from clodo.lm.redacting import RedactingModel
from clodo.runtime.edge import edge_model
from clodo.runtime.endpoint import Hands
from clodo.runtime.hybrid import HybridModel
from clodo.runtime.llamacpp import LlamaCppModel
from clodo.runtime.openai import OpenAIModel
from clodo.runtime.store import catalogue, fetch
from clodo.runtime.workers_ai import WorkersAIModel
from clodo.testing import ScriptedModel
from clodo.testing.model_server import ACCOUNT, TOKEN, ModelServer, model_server
from tests.edge.llama.tiny import tiny_gguf

HELLO = (Message("system", "You are brief."), Message("user", "Is the sky blue? Say yes or no."))


@pytest.fixture(scope="session")
def stock_file() -> Path:
    """The stock model's file, fetched once."""
    return fetch(catalogue()["smollm2"], print)


@pytest.fixture(scope="session")
def in_process(stock_file: Path) -> Iterator[LlamaCppModel]:
    """The stock model in llama.cpp, in this process; its server answers on loopback, too."""
    made = LlamaCppModel(stock_file, "smollm2")
    yield made
    made.close()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    """A server on loopback that says yes in every protocol."""
    with model_server() as made:
        monkeypatch.setenv("CLOUDFLARE_API_BASE_URL", made.api)
        monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", ACCOUNT)
        monkeypatch.setenv("CLOUDFLARE_API_TOKEN", TOKEN)
        yield made


def spoken_to(kind: str, server: ModelServer) -> TextModel:
    return WorkersAIModel("@cf/meta/tiny") if kind == "workers-ai" else edge_model(server.url)


@pytest.fixture
def model(request: pytest.FixtureRequest) -> TextModel:
    """The model under test."""
    if request.param == "scripted":
        return ScriptedModel(["yes", "no", "yes"])
    if request.param == "redacting":
        return RedactingModel(ScriptedModel(["yes", "no", "yes"]))
    if request.param == "hybrid":
        return HybridModel([ScriptedModel(["yes", "no", "yes"]), ScriptedModel([])])
    if request.param in ("workers-ai", "edge"):
        return spoken_to(request.param, request.getfixturevalue("server"))
    local = request.getfixturevalue("in_process")
    if request.param == "llama.cpp":
        return local  # type: ignore[no-any-return]
    return OpenAIModel(f"{local.address}/v1", "smollm2", grammar="grammar")


EVERY = [
    "scripted",
    "redacting",
    "hybrid",
    "workers-ai",
    "edge",
    pytest.param("llama.cpp", marks=pytest.mark.llama),
    pytest.param("endpoint", marks=pytest.mark.llama),
]
REAL = EVERY[5:]


@pytest.mark.parametrize("model", EVERY, indirect=True)
def test_it_answers_with_text(model: TextModel) -> None:
    assert model.profile.name and model.profile.provider and model.profile.local
    answer = model.complete(HELLO, None, 16)
    assert answer.text.strip()
    assert answer.confidence is None or 0 < answer.confidence <= 1


@pytest.mark.parametrize("model", EVERY, indirect=True)
def test_it_follows_a_constraint_that_it_can_take(model: TextModel) -> None:
    answer = model.complete(HELLO, Constraint('root ::= "yes" | "no"'), 16)
    assert answer.text in ("yes", "no") and answer.finished


@pytest.mark.parametrize("model", REAL, indirect=True)
def test_a_grammar_that_does_not_compile_is_an_error(model: TextModel) -> None:
    with pytest.raises(ModelError, match="grammar"):
        model.complete(HELLO, Constraint("root ::= nothing ( such"), 16)


@pytest.mark.parametrize("model", REAL, indirect=True)
def test_an_answer_that_was_cut_off_says_so(model: TextModel) -> None:
    assert not model.complete((Message("user", "Count from 1 to 1000."),), None, 5).finished


@pytest.mark.llama
def test_an_answer_that_goes_round_in_circles_is_stopped(in_process: LlamaCppModel) -> None:
    round_ = Constraint('root ::= ("  the same line is said again and again\\n"){60}')
    answer = in_process.complete(HELLO, round_, 600)
    assert not answer.finished and answer.text.count("\n") < 6


@pytest.mark.parametrize("model", REAL, indirect=True)
def test_the_blueprint_grammar_is_taken(model: TextModel) -> None:
    answer = model.complete(HELLO, Constraint(gbnf()), 24)
    assert answer.text.lstrip().startswith("service ")
    assert answer.decode_ms > 0


@pytest.fixture(autouse=True)
def own_cache(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ledger of its own for each test that loads no model."""
    if "llama" not in request.keywords:
        monkeypatch.setenv("CLODO_CACHE", str(tmp_path))


def endpoint(answer: Callable[[httpx.Request], httpx.Response], **options: Any) -> OpenAIModel:
    """The adapter before a server that answers so."""
    hands = Hands(transport=httpx.MockTransport(answer), sleep=lambda _: None)
    return OpenAIModel("http://models.example/v1", "m", privacy=Privacy.OPEN, hands=hands, **options)


def test_an_endpoint_elsewhere_is_not_called_local() -> None:
    profile = endpoint(lambda _: httpx.Response(200)).profile
    assert not profile.local and "models.example" in profile.provider


def test_a_constraint_goes_where_the_endpoint_wants_it_or_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLODO_API_KEY", "k-123")
    seen: list[tuple[dict[str, Any], str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        import json

        seen.append((json.loads(request.content), request.headers.get("authorization", "")))
        return httpx.Response(200, json={"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]})

    endpoint(answer, grammar="guided_grammar").complete(HELLO, Constraint("root ::= x"), 5)
    endpoint(answer).complete(HELLO, Constraint("root ::= x"), 5)
    assert seen[0][0]["guided_grammar"] == "root ::= x" and seen[0][1] == "Bearer k-123"
    assert not {"grammar", "guided_grammar"} & set(seen[1][0])


@pytest.mark.parametrize(
    ("response", "words"),
    [
        (httpx.Response(401, json={"error": {"message": "bad key"}}), "401: bad key"),
        (httpx.Response(500, text="oops"), "500: no reason"),
        (httpx.Response(200, json={"choices": []}), "without text"),
        (httpx.Response(200, text="<html>"), "without text"),
    ],
)
def test_bad_answers_are_errors(response: httpx.Response, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        endpoint(lambda _: response).complete(HELLO, None, 5)


def test_a_server_that_is_not_there_is_told_with_a_next_step() -> None:
    with pytest.raises(ModelError) as failure:
        OpenAIModel("http://127.0.0.1:9/v1", "m").complete(HELLO, None, 5)
    assert "cannot be reached" in failure.value.message and "--model" in failure.value.hint


def test_a_file_that_is_no_model_is_told(tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp")
    (tmp_path / "x.gguf").write_bytes(b"not a model")
    with pytest.raises(ModelError, match="no GGUF"):
        LlamaCppModel(tmp_path / "x.gguf", "x")


def test_a_model_can_be_freed_at_once(tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp")
    path = tiny_gguf(tmp_path / "tiny.gguf")
    # On one core, where the server's own threads begin late; apart, since what hangs would hang with the interpreter's lock.
    script = f"""
import os
from pathlib import Path
from clodo.runtime.llamacpp import serving
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, list(os.sched_getaffinity(0))[:1])
for _ in range(8):
    serving(Path({str(path)!r}), 64, 1)
"""
    assert subprocess.run([sys.executable, "-c", script], timeout=60, check=False).returncode == 0
