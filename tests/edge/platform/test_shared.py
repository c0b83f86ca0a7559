"""What every model's Worker shares, in workerd: the key, errors, loading, the queue, streams, metrics, memory, killing."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx2 as httpx
import pytest

from clodo.edge.platform.configuration import Options
from clodo.edge.platform.server import WorkersServer
from clodo.edge.platform.serving import Running, served_bundle
from clodo.toolchain import Toolchain
from tests.edge.platform.fake import WEIGHTS, fake_bundle

pytestmark = pytest.mark.workerd

SUM = sum(WEIGHTS) % 65_521


@pytest.fixture(scope="module")
def running(toolchain: Toolchain) -> Iterator[Running]:
    with served_bundle(fake_bundle(), toolchain, apart=["layers-0"]) as made:
        yield made


@pytest.fixture
def client(running: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=running.url, headers=running.headers, trust_env=False, timeout=20) as made:
        yield made


async def at_once(running: Running, bodies: list[dict[str, object]]) -> list[httpx.Response]:
    async with httpx.AsyncClient(base_url=running.url, headers=running.headers, trust_env=False, timeout=20) as client:
        return list(await asyncio.gather(*(client.post("/v1/echo", json=b) for b in bodies)))


def hang_up(running: Running, path: str, body: str, after: float) -> None:
    """Sends a request and breaks the connection off."""
    parts = urlsplit(running.url)
    with socket.create_connection((parts.hostname or "", parts.port or 80)) as connection:
        head = f"POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {running.key}\r\ncontent-type: application/json\r\n"
        connection.sendall(f"{head}content-length: {len(body)}\r\n\r\n{body}".encode())
        time.sleep(after)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def test_health_and_metrics_need_no_key_and_all_else_does(running: Running, client: httpx.Client) -> None:
    bare = httpx.Client(base_url=running.url, trust_env=False)
    assert bare.get("/health").json()["status"] == "ok" and bare.get("/metrics").status_code == 200
    for headers in ({}, {"authorization": "Bearer wrong"}, {"x-api-key": running.key + "x"}, {"authorization": f"Basic {running.key}"}):
        answer = bare.post("/v1/echo", json={"text": "a"}, headers=headers)
        assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer"
        assert answer.headers["content-type"] == "application/problem+json" and answer.json()["code"] == "invalid_api_key"
    assert bare.post("/v1/nothing").status_code == 401, "who has no key does not learn what there is"
    assert bare.post("/v1/echo", json={"text": "a"}, headers={"x-api-key": running.key}).status_code == 200
    started = time.perf_counter()
    assert bare.get("/health//").status_code == 200 and bare.get("/x" + "/" * 16_000 + "x").status_code == 404
    assert time.perf_counter() - started < 0.5, "no path of a stranger takes long"
    assert bare.get("/assets/table.bin").status_code == bare.get("/table.bin").status_code == 404, "weights are not given away"


def test_errors_are_problems_and_in_openai_s_shape_on_its_routes(client: httpx.Client) -> None:
    answer = client.post("/v1/echo", json={})
    assert answer.status_code == 422 and answer.json()["errors"] == [{"path": "text", "message": "text must be a string."}]
    assert client.post("/v1/echo", content="{", headers={"content-type": "application/json"}).status_code == 400
    assert client.post("/v1/echo", content="[]", headers={"content-type": "application/json"}).status_code == 422
    assert client.post("/v1/echo", content="a", headers={"content-type": "text/plain"}).status_code == 415
    assert client.post("/v1/echo", json={"text": "x" * 300_000}).status_code == 413
    assert client.get("/v1/echo").status_code == 405 and client.get("/v1/echo").headers["allow"] == "POST"
    assert client.get("/elsewhere").status_code == 404
    wrong = client.get("/v1/chat/completions").json()["error"]
    assert wrong.keys() == {"message", "type", "param", "code"} and wrong["type"] == "invalid_request_error"


def test_weights_arrive_whole_and_the_answer_says_who_gave_it(client: httpx.Client) -> None:
    body = client.post("/v1/echo", json={"text": "hello"}).json()
    assert (body["text"], body["sum"], body["model"], body["provider"]) == ("hello", SUM, "fake 1", "edge")
    assert client.get("/health").json() == {"status": "ok", "ready": True}


def test_the_first_come_is_the_first_served_and_too_many_are_refused(running: Running) -> None:
    async def staggered() -> list[httpx.Response]:
        async with httpx.AsyncClient(base_url=running.url, headers=running.headers, trust_env=False, timeout=20) as client:
            sent = []
            for i in range(6):
                sent.append(asyncio.create_task(client.post("/v1/echo", json={"text": str(i), "ms": 200})))
                await asyncio.sleep(0.02)
            return list(await asyncio.gather(*sent))

    answers = asyncio.run(staggered())
    assert [a.status_code for a in answers] == [200] * 4 + [429] * 2, "one is served and three may wait"
    orders = [a.json()["order"] for a in answers[:4]]
    assert orders == sorted(orders)
    assert all(a.headers["retry-after"] and a.json()["code"] == "queue-full" for a in answers[4:])


def test_a_caller_who_hangs_up_gives_its_slot_back(running: Running, client: httpx.Client) -> None:
    hang_up(running, "/v1/echo", '{"text": "gone", "ms": 9000}', 0.3)
    started = time.perf_counter()
    assert client.post("/v1/echo", json={"text": "next"}).status_code == 200
    assert time.perf_counter() - started < 2
    state = client.get("/v1/ended").json()
    assert "gone" in state["ended"], "its finally blocks ran"
    assert (state["busy"], state["waiting"]) == (0, 0)


def test_one_that_waits_and_hangs_up_leaves_the_queue(running: Running, client: httpx.Client) -> None:
    async def both() -> tuple[int, dict[str, int]]:
        async with httpx.AsyncClient(base_url=running.url, headers=running.headers, trust_env=False, timeout=20) as other:
            first = asyncio.create_task(other.post("/v1/echo", json={"text": "long", "ms": 800}))
            await asyncio.sleep(0.1)
            await asyncio.to_thread(hang_up, running, "/v1/echo", '{"text": "never", "ms": 9000}', 0.2)
            await asyncio.sleep(0.1)
            state = (await other.get("/v1/ended")).json()
            return (await first).status_code, state

    status, state = asyncio.run(both())
    assert status == 200 and (state["busy"], state["waiting"]) == (1, 0)
    assert "never" not in client.get("/v1/ended").json()["ended"]


def test_a_stream_ends_well_or_tells_why_and_stops_when_nobody_reads(running: Running, client: httpx.Client) -> None:
    text = client.post("/v1/chat/completions", json={"count": 3}).text
    assert text == 'data: {"i":0}\n\ndata: {"i":1}\n\ndata: {"i":2}\n\ndata: [DONE]\n\n'
    failed = client.post("/v1/chat/completions", json={"count": 1, "fail": True}).text
    assert '"message":"It broke."' in failed and "[DONE]" not in failed
    before = client.get("/v1/ended").json()["ended"].count("chat")
    hang_up(running, "/v1/chat/completions", '{"count": 100000}', 0.2)
    deadline = time.perf_counter() + 5
    while client.get("/v1/ended").json()["ended"].count("chat") == before:
        assert time.perf_counter() < deadline, "the stream goes on with nobody to read it"
        time.sleep(0.05)


def test_requests_are_counted_for_prometheus(client: httpx.Client) -> None:
    client.post("/v1/echo", json={"text": "a"})
    page = client.get("/metrics").text
    assert "# TYPE edge_requests_total counter" in page and 'edge_requests_total{route="/v1/echo",status="200"}' in page
    assert 'edge_request_duration_seconds_bucket{route="/v1/echo",le="+Inf"}' in page and "edge_queue_waiting 0" in page
    assert 'route="/elsewhere"' not in page, "paths of strangers are no labels"


def test_memory_is_that_of_each_isolate(running: Running, client: httpx.Client) -> None:
    client.post("/v1/echo", json={"text": "a"})
    running.watch()
    client.post("/v1/echo", json={"text": "a"})
    front, layers = running.watched()
    assert (front.name, layers.name) == ("front", "layers-0")
    assert front.wasm_mb == layers.wasm_mb == pytest.approx(1.048576)
    assert 1 < front.heap_mb < 30 and front.peak_mb == front.heap_mb + front.wasm_mb


def test_one_worker_can_be_killed_and_comes_back_empty(running: Running, client: httpx.Client) -> None:
    assert client.post("/v1/echo", json={"text": "a"}).status_code == 200
    running.kill("layers-0")
    assert client.post("/v1/echo", json={"text": "b"}).status_code == 500
    running.revive("layers-0")
    answers = [client.post("/v1/echo", json={"text": "c"}).json()["order"] for _ in range(2)]
    assert answers == [1, 2]


def test_health_answers_while_the_weights_still_load(toolchain: Toolchain, server: WorkersServer) -> None:
    with served_bundle(fake_bundle(pause_ms=600), toolchain, server=server) as running:
        started = time.perf_counter()
        first = httpx.get(f"{running.url}/health", trust_env=False)
        assert first.json() == {"status": "ok", "ready": False} and time.perf_counter() - started < 0.5
        answers = asyncio.run(at_once(running, [{"text": str(i)} for i in range(3)]))
        assert [a.json()["sum"] for a in answers] == [SUM] * 3, "requests wait for what the first one loads"
        assert httpx.get(f"{running.url}/health", trust_env=False).json()["ready"] is True


def test_what_began_to_load_from_a_bucket_for_one_who_hung_up_is_there_for_the_next(toolchain: Toolchain, server: WorkersServer) -> None:
    with served_bundle(fake_bundle(pause_ms=700), toolchain, options=Options("m", weights="r2"), server=server) as running:
        hang_up(running, "/v1/echo", '{"text": "gone"}', 0.2)
        started = time.perf_counter()
        [answer] = asyncio.run(at_once(running, [{"text": "next"}]))
        assert answer.json()["sum"] == SUM and time.perf_counter() - started < 3
