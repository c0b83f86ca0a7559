"""How Clodo speaks to a model over HTTP: time, retries, budgets, the breaker, and that nothing goes where it may not."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

import httpx2 as httpx
import pytest

from clodo.errors import ModelError
from clodo.lm.limits import Limits
from clodo.lm.privacy import Privacy
from clodo.runtime.endpoint import Endpoint, Hands
from clodo.runtime.usage import Usage
from clodo.testing.model_server import ModelServer, Reply, model_server

ELSEWHERE = "https://models.example/v1"


class Clock:
    """A clock that goes on only when somebody sleeps, or when it is told to."""

    def __init__(self) -> None:
        self.now, self.slept = 1_000_000.0, list[float]()

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Elsewhere:
    """An endpoint elsewhere that answers from a list, the last again and again."""

    def __init__(self, path: Path, *answers: httpx.Response | BaseException, **limits: Any) -> None:
        self.clock, self.answers, self.requests = Clock(), list(answers), list[httpx.Request]()
        self.usage = Usage(path / "usage.json", self.clock)
        self.hands = Hands(httpx.MockTransport(self.answer), self.usage, Limits(**limits), self.clock, self.clock.sleep)
        self.endpoint = Endpoint(ELSEWHERE, "endpoint", Privacy.OPEN, {}, self.hands)

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(found, BaseException):
            raise found
        return httpx.Response(found.status_code, headers=found.headers, content=found.content)

    def post(self, tokens: int = 10) -> dict[str, Any]:
        return self.endpoint.post("chat/completions", {}, tokens, lambda a: int(a.get("used", 0)))[0]

    def code(self, tokens: int = 10) -> str:
        with pytest.raises(ModelError) as failure:
            self.post(tokens)
        return failure.value.code


GOOD = httpx.Response(200, json={"text": "yes", "used": 4})


def test_what_passes_is_tried_again_with_growing_pauses(tmp_path: Path) -> None:
    e = Elsewhere(tmp_path, httpx.Response(503), httpx.Response(500), GOOD)
    assert e.post()["text"] == "yes" and len(e.requests) == 3
    assert 0.25 <= e.clock.slept[0] <= 0.5 and 0.5 <= e.clock.slept[1] <= 1


@pytest.mark.parametrize("status", [408, 425, 429, 500, 504, 522])
def test_these_answers_may_pass(status: int, tmp_path: Path) -> None:
    assert Elsewhere(tmp_path, httpx.Response(status), GOOD).post()["text"] == "yes"


def test_a_server_may_ask_for_a_pause(tmp_path: Path) -> None:
    e = Elsewhere(tmp_path, httpx.Response(429, headers={"retry-after": "7"}), GOOD)
    assert e.post()["text"] == "yes" and e.clock.slept == [7]


def test_nobody_waits_for_longer_than_the_call_may_take(tmp_path: Path) -> None:
    e = Elsewhere(tmp_path, httpx.Response(429, headers={"retry-after": "70"}), GOOD)
    assert e.code() == "rate-limited" and e.clock.slept == [] and len(e.requests) == 1


def test_it_gives_up(tmp_path: Path) -> None:
    e = Elsewhere(tmp_path, httpx.Response(502))
    assert e.code() == "unavailable" and len(e.requests) == 4
    gone = Elsewhere(tmp_path / "b", httpx.ConnectError("no route"))
    assert gone.code() == "unavailable" and len(gone.requests) == 4


@pytest.mark.parametrize(
    ("url", "answer", "attempts"),
    [
        (ELSEWHERE, httpx.ConnectError("no route"), 4),
        (ELSEWHERE, httpx.Response(503), 4),
        (ELSEWHERE, httpx.Response(501), 1),
        ("http://127.0.0.1:9/v1", httpx.ConnectError("refused"), 1),  # nobody starts it within seconds
        ("http://127.0.0.1:9/v1", httpx.Response(503), 4),  # it is loading
    ],
)
def test_unavailable_is_told_to_be_retryable_where_it_was_tried_again(
    url: str, answer: httpx.Response | BaseException, attempts: int, tmp_path: Path
) -> None:
    """As the table in docs/providers.md says."""
    e = Elsewhere(tmp_path, answer)
    with pytest.raises(ModelError) as failure:
        Endpoint(url, "endpoint", Privacy.OPEN, {}, e.hands).post("x", {}, 10)
    assert failure.value.code == "unavailable"
    assert (len(e.requests), failure.value.retryable) == (attempts, attempts > 1)


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (httpx.Response(401, json={"error": {"message": "bad key"}}), "unauthorized"),
        (httpx.Response(404, json={"error": "no such model"}), "refused"),
        (httpx.Response(400, json={"error": {"message": "too many tokens", "code": "context_length_exceeded"}}), "too-long"),
        (httpx.Response(400, json={"error": {"message": "too many", "type": "exceed_context_size_error"}}), "too-long"),
        (httpx.Response(413), "too-long"),
        (httpx.Response(200, text="<html>"), "invalid-answer"),
        (httpx.Response(200, text="[1]"), "invalid-answer"),
        (httpx.Response(200, text="[" * 100_000), "invalid-answer"),
        (httpx.Response(307, headers={"location": "https://elsewhere.example/"}), "refused"),
    ],
)
def test_what_does_not_pass_is_not_tried_again(response: httpx.Response, code: str, tmp_path: Path) -> None:
    e = Elsewhere(tmp_path, response, GOOD)
    assert e.code() == code and len(e.requests) == 1


def test_a_server_that_repeats_the_key_is_quoted_without_it(tmp_path: Path) -> None:
    e = Elsewhere(tmp_path, httpx.Response(401, json={"error": {"message": "x" * 190 + " Key s3cret-key is wrong"}}))
    with pytest.raises(ModelError) as failure:
        Endpoint(ELSEWHERE, "endpoint", Privacy.OPEN, {"authorization": "Bearer s3cret-key"}, e.hands).post("x", {}, 1)
    assert "answered 401: xxx" in failure.value.message and "s3" not in failure.value.message


def test_the_budget_of_requests_holds_over_runs_and_retries(tmp_path: Path) -> None:
    e = Elsewhere(tmp_path, httpx.Response(500), GOOD, day_requests=3)
    e.post()  # two requests
    again = Elsewhere(tmp_path, httpx.Response(500), day_requests=3)
    assert again.code() == "unavailable" and len(again.requests) == 1  # the third; no retry is left
    assert again.code() == "over-budget" and len(again.requests) == 1
    again.clock.now += 24 * 3600
    again.answers = [GOOD]
    assert again.post()["text"] == "yes"


def test_the_budget_of_tokens_counts_what_was_used(tmp_path: Path) -> None:
    e = Elsewhere(tmp_path, GOOD, day_tokens=20)
    for _ in range(3):
        e.post(10)  # four of ten were used
    assert e.usage.today()["endpoint"]["tokens"] == 12
    assert e.code(10) == "over-budget" and len(e.requests) == 3
    e.answers = [httpx.Response(200, json={})]
    e.post(8)  # not told: all of it counts
    assert e.usage.today()["endpoint"]["tokens"] == 20


def test_one_call_may_not_take_too_much(tmp_path: Path) -> None:
    e = Elsewhere(tmp_path, GOOD, call_tokens=9)
    assert e.code(10) == "over-budget" and e.requests == [] and e.usage.today() == {}


def test_a_provider_that_keeps_failing_is_left_alone_then_tried_once(tmp_path: Path) -> None:
    e = Elsewhere(tmp_path, httpx.ConnectError("down"), call_seconds=0.2)
    for _ in range(3):
        assert e.code() == "unavailable"
    asked = len(e.requests)
    other_run = Elsewhere(tmp_path, GOOD)
    other_run.clock.now = e.clock.now
    assert other_run.code() == "circuit-open" and other_run.requests == []
    e.clock.now += 31
    assert e.code() == "unavailable" and len(e.requests) == asked + 1  # the trial
    assert e.code() == "circuit-open"
    e.clock.now += 61
    e.answers = [GOOD]
    assert e.post()["text"] == "yes"
    assert e.post()["text"] == "yes"


def test_what_we_did_wrong_does_not_open_the_breaker(tmp_path: Path) -> None:
    e = Elsewhere(tmp_path, httpx.Response(401))
    assert {e.code() for _ in range(5)} == {"unauthorized"}


def test_stopping_it_says_nothing_of_the_provider(tmp_path: Path) -> None:
    e = Elsewhere(tmp_path, KeyboardInterrupt())
    for _ in range(4):
        with pytest.raises(KeyboardInterrupt):
            e.post()
    e.answers = [GOOD]
    assert e.post()["text"] == "yes"


def test_without_a_ledger_nothing_is_sent(tmp_path: Path) -> None:
    (tmp_path / "usage.json").mkdir()
    e = Elsewhere(tmp_path, GOOD)
    assert e.code() == "over-budget" and e.requests == []


def test_a_damaged_ledger_begins_anew(tmp_path: Path) -> None:
    for text in ("{", "[]", '{"providers": {"endpoint": 5}}', '{"providers": {"endpoint": {"requests": "x", "tokens": 1}}}'):
        (tmp_path / "usage.json").write_text(text)
        assert Elsewhere(tmp_path, GOOD).post()["text"] == "yes"
    kept = json.loads((tmp_path / "usage.json").read_text())
    assert kept["providers"]["endpoint"]["requests"] == 1 and set(kept) == {"day", "providers"}


# Over real sockets.


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with model_server() as made:
        yield made


def here(server: ModelServer, seconds: float = 5.0, **hands: Any) -> Endpoint:
    limits = Limits(call_seconds=seconds, call_tokens=1000)
    return Endpoint(f"{server.url}/v1", "endpoint", Privacy.LOCAL_ONLY, {}, Hands(limits=limits, **hands))


@pytest.mark.parametrize("reply", [Reply("late", delay=2), Reply("drips", drip=0.05)])
def test_a_call_ends_when_its_time_is_over(server: ModelServer, reply: Reply) -> None:
    server.replies = [reply]
    started = time.monotonic()
    with pytest.raises(ModelError, match="within 0.3 s") as failure:
        here(server, 0.3).post("chat/completions", {}, 1)
    assert failure.value.code == "timeout" and failure.value.retryable and time.monotonic() - started < 1.5


def test_a_call_ends_though_its_headers_never_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def drip() -> None:
            connection, _ = listening.accept()
            with connection, suppress(OSError):
                connection.sendall(b"HTTP/1.1 200 OK\r\nx-drip: ")
                for _ in range(60):
                    time.sleep(0.05)
                    connection.sendall(b"x")

        Thread(target=drip, daemon=True).start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        started = time.monotonic()
        with pytest.raises(ModelError, match="within 0.3 s") as failure:
            Endpoint(url, "endpoint", Privacy.LOCAL_ONLY, {}, Hands(limits=Limits(call_seconds=0.3))).post("x", {}, 1)
        assert failure.value.code == "timeout" and time.monotonic() - started < 1.5


def test_an_endless_answer_is_cut(server: ModelServer) -> None:
    server.replies = [Reply(body=b'"' + b"x" * (9 * 1024 * 1024))]
    with pytest.raises(ModelError, match="8 MB"):
        here(server).post("chat/completions", {}, 1)


def test_a_redirect_is_not_followed(server: ModelServer) -> None:
    with model_server() as other:
        server.replies = [Reply(status=307, body={}, headers={"location": f"{other.url}/v1/chat/completions"})]
        with pytest.raises(ModelError, match="307"):
            here(server).post("chat/completions", {}, 1)
        assert len(server.asked) == 1 and other.asked == []


def test_a_proxy_of_the_environment_sees_nothing_of_this_machine(server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with model_server() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        assert here(server).post("chat/completions", {}, 1)[0]["choices"]
        assert proxy.asked == []


def test_this_machine_has_no_daily_budget_and_no_ledger(server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLODO_CACHE", str(tmp_path))
    monkeypatch.setenv("CLODO_DAY_REQUESTS", "1")
    for _ in range(3):
        here(server).post("chat/completions", {}, 1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["", "models.example", "ftp://x/v1", "http://", "http://[::1", "file:///etc/passwd"])
def test_what_is_no_address_is_told(url: str) -> None:
    with pytest.raises(ModelError, match="no address"):
        Endpoint(url, "endpoint", Privacy.OPEN, {})
