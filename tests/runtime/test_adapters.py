"""Workers AI, edge Workers and hybrids of text models, against a server on loopback that speaks their protocols."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from clodo.errors import ModelError, UsageError
from clodo.lm import Message, TextModel
from clodo.runtime.edge import EdgeReader, edge_model, origin
from clodo.runtime.hybrid import HybridModel
from clodo.runtime.openai import OpenAIModel
from clodo.runtime.workers_ai import WorkersAIModel, over_openai
from clodo.testing import ScriptedModel
from clodo.testing.model_server import ACCOUNT, TOKEN, ModelServer, Reply, model_server

HELLO = (Message("system", "Be brief."), Message("user", "Is the sky blue?"))
MODEL = "@cf/meta/llama-3.1-8b-instruct"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ModelServer]:
    with model_server() as made:
        monkeypatch.setenv("CLOUDFLARE_API_BASE_URL", made.api)
        monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", ACCOUNT)
        monkeypatch.setenv("CLOUDFLARE_API_TOKEN", TOKEN)
        monkeypatch.setenv("CLODO_CACHE", str(tmp_path))
        yield made


def test_workers_ai_by_its_own_interface(server: ModelServer) -> None:
    answer = WorkersAIModel(MODEL).complete(HELLO, None, 16)
    (asked,) = server.asked
    assert asked.path == f"/client/v4/accounts/{ACCOUNT}/ai/run/{MODEL}"
    assert asked.body == {
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Is the sky blue?"}],
        "max_tokens": 16,
        "temperature": 0,
    }
    assert (answer.text, answer.finished, answer.tokens, answer.confidence) == ("yes", True, 25, None)


def test_workers_ai_says_by_its_count_that_it_was_cut_off(server: ModelServer) -> None:
    assert not WorkersAIModel(MODEL).complete(HELLO, None, 5).finished


def test_workers_ai_by_openais(server: ModelServer) -> None:
    answer = over_openai(MODEL).complete(HELLO, None, 16)
    assert server.asked[0].path == f"/client/v4/accounts/{ACCOUNT}/ai/v1/chat/completions"
    assert server.asked[0].body["model"] == MODEL and (answer.text, answer.tokens) == ("yes", 10)


def test_newer_models_of_workers_ai_answer_in_openais_shape(server: ModelServer) -> None:
    choice = {"message": {"role": "assistant", "content": "aye"}, "finish_reason": "length"}
    server.replies = [Reply(body={"result": {"choices": [choice]}, "success": True, "errors": [], "messages": []})]
    answer = WorkersAIModel(MODEL).complete(HELLO, None, 16)
    assert (answer.text, answer.finished) == ("aye", False)


@pytest.mark.parametrize("make", [WorkersAIModel, over_openai])
@pytest.mark.parametrize(
    ("status", "code", "expected", "requests"),
    [(429, 3036, "over-budget", 1), (400, 5007, "refused", 1), (413, 3006, "too-long", 1), (403, 5016, "unauthorized", 1), (429, 3040, "rate-limited", 4)],
)
def test_the_error_envelope(
    make: type[WorkersAIModel], status: int, code: int, expected: str, requests: int, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clodo.lm.retries.FIRST_PAUSE", 0.001)
    body = {"result": None, "success": False, "errors": [{"code": code, "message": "It did not work"}], "messages": []}
    server.replies = [Reply(status=status, body=body)]
    with pytest.raises(ModelError, match=f"answered {status}: It did not work") as failure:
        make(MODEL).complete(HELLO, None, 16)
    assert failure.value.code == expected and len(server.asked) == requests
    assert TOKEN not in failure.value.message and ACCOUNT not in failure.value.message


def test_a_failure_in_an_envelope_of_200_is_one(server: ModelServer) -> None:
    server.replies = [Reply(body={"result": None, "success": False, "errors": [{"code": 1, "message": "odd"}]})]
    with pytest.raises(ModelError, match="odd"):
        WorkersAIModel(MODEL).complete(HELLO, None, 16)


@pytest.mark.parametrize("result", [None, {}, {"response": None}, {"response": 5}, [], {"choices": []}, {"choices": None}])
def test_an_answer_without_text_is_one(result: object, server: ModelServer) -> None:
    server.replies = [Reply(body={"result": result, "success": True, "errors": []})]
    with pytest.raises(ModelError, match="without text"):
        WorkersAIModel(MODEL).complete(HELLO, None, 16)


def test_a_wrong_token_and_a_wrong_account(server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "another")
    with pytest.raises(ModelError, match="Authentication error"):
        WorkersAIModel(MODEL).complete(HELLO, None, 16)


@pytest.mark.parametrize(
    ("name", "value"),
    [("CLOUDFLARE_ACCOUNT_ID", None), ("CLOUDFLARE_ACCOUNT_ID", "a/../b"), ("CLOUDFLARE_API_TOKEN", None), ("CLOUDFLARE_API_TOKEN", "a\nb")],
)
def test_who_calls_must_be_told(name: str, value: str | None, server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name)
    with pytest.raises(ModelError, match=name):
        WorkersAIModel(MODEL)


@pytest.mark.parametrize("name", ["", "llama", "@cf", "@cf/../../x", "@cf/a?b", "@cf/a b"])
def test_a_name_that_is_no_model(name: str, server: ModelServer) -> None:
    with pytest.raises(UsageError, match="no model of Workers AI"):
        WorkersAIModel(name)


def test_an_edge_worker_is_asked_with_its_own_key(server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLODO_EDGE_KEY", "edge-key")
    monkeypatch.setenv("CLODO_API_KEY", "other-key")
    model = edge_model(f"{server.url}/v1/chat/completions")
    assert model.complete(HELLO, None, 16).text == "yes" and model.profile.provider == "edge Worker on this machine"
    server.replies = [Reply(body={"blueprint": None})]
    assert EdgeReader(server.url).ask("Books.")[0] == {"blueprint": None}
    assert [(a.path, a.headers["authorization"]) for a in server.asked] == [
        ("/v1/chat/completions", "Bearer edge-key"),
        ("/v1/blueprint", "Bearer edge-key"),
    ]
    assert server.asked[1].body == {"description": "Books."}


def test_an_edge_worker_that_has_questions_answers_with_them(server: ModelServer) -> None:
    problem = {"title": "Unclear description", "status": 422, "detail": "Not clear enough.", "code": "unclear"}
    server.replies = [Reply(status=422, body={**problem, "blueprint": None, "questions": ["What?"], "model": "m", "confidence": 0.9})]
    assert EdgeReader(server.url).ask("x")[0]["questions"] == ["What?"]


def test_who_answers_for_default_says_so(server: ModelServer) -> None:
    server.replies = [Reply(body={"model": "tiny 1", "choices": [{"message": {"content": "x"}}]}), Reply(body={"model": "tiny-1", "choices": [{"message": {"content": "x"}}]})]
    model = OpenAIModel(f"{server.url}/v1", "default")
    assert [model.complete(HELLO, None, 4).model for _ in range(2)] == ["", "tiny-1"]


def test_problem_details_of_an_edge_worker_are_told(server: ModelServer) -> None:
    server.replies = [Reply(status=422, body={"title": "Unprocessable", "detail": "The description is empty", "status": 422})]
    with pytest.raises(ModelError, match="422: The description is empty"):
        EdgeReader(server.url).ask("x")


@pytest.mark.parametrize("url", ["http://h:1", "http://h:1/", "http://h:1/v1", "http://h:1/v1/", "http://h:1/v1/blueprint", "http://h:1#m"])
def test_the_origin_of_a_worker(url: str) -> None:
    assert origin(url) == "http://h:1"


def test_what_is_no_worker() -> None:
    with pytest.raises(UsageError, match="no address"):
        origin("127.0.0.1:8787")


def endpoint(server: ModelServer) -> TextModel:
    return OpenAIModel(f"{server.url}/v1", "large")


@pytest.mark.parametrize(("logprob", "answered"), [(-0.1, "small"), (-2.0, "large")])
def test_a_hybrid_goes_further_where_confidence_is_low(logprob: float, answered: str, server: ModelServer) -> None:
    with model_server() as near:
        near.replies = [Reply("maybe", logprob=logprob)]
        model = HybridModel([OpenAIModel(f"{near.url}/v1", "small"), endpoint(server)])
        answer = model.complete(HELLO, None, 16)
        assert (answer.model, answer.provider) == (answered, "endpoint on this machine")
        assert [t.reason for t in answer.tried] == ["low-confidence"] * (answered == "large")
        assert len(server.asked) == len(answer.tried)


def test_a_hybrid_does_not_ask_who_cannot_read_it(server: ModelServer) -> None:
    with model_server() as near:
        model = HybridModel([OpenAIModel(f"{near.url}/v1", "small", context=39), endpoint(server)])
        answer = model.complete(HELLO, None, 16)
        assert near.asked == [] and (answer.model, answer.tried[0].reason) == ("large", "too-long")


def test_a_hybrid_goes_on_where_an_answer_is_empty_cut_off_or_missing(server: ModelServer) -> None:
    for first, reason in (
        (ScriptedModel([" "]), "invalid-answer"),
        (ScriptedModel(["half of"], finished=False), "cut-off"),
        (OpenAIModel("http://127.0.0.1:9/v1", "gone"), "unavailable"),
    ):
        answer = HybridModel([first, endpoint(server)]).complete(HELLO, None, 16)
        assert (answer.text, answer.tried[0].reason) == ("yes", reason)


def test_a_hybrid_is_as_local_as_its_least_local() -> None:
    profile = HybridModel([ScriptedModel([]), OpenAIModel("http://127.0.0.1:9/v1", "m", context=10, grammar="g")]).profile
    assert (profile.local, profile.context, profile.grammar, profile.name) == (True, None, "g", "hybrid:scripted,m")
