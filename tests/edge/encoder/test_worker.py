"""The built-in model in workerd says what it says on this machine, and answers as a service does."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2 as httpx
import pytest
from evals.edge_agreement import MODEL, asked, compare, differences

from clodo.app.edge import build_model
from clodo.corpus.splits import load_split
from clodo.edge.bundle import Bundle
from clodo.edge.platform.configuration import Options
from clodo.edge.platform.serving import Running, served_bundle
from clodo.toolchain import Toolchain
from clodo.understand.document import document
from clodo.understand.encoder import EncoderUnderstander
from tests.edge.documented import Documented, check_what_is_open

pytestmark = pytest.mark.workerd

ODD = [
    "Books: title (text), price > 9.99 €, état “neuf”/‘ancien’; naïve café 🍕🍕 has 3️⃣ stars.",
    "本のサービス。本にはタイトルと価格があります。 A book has a title 本 and a price.",
    "a\u0301 e\u0308 \u200b\u00ad A\tmember\r\nhas a name\u2028and [MASK] a [SEP] phone [UNK].",
    "hello",
    "?!",
    "\n\r\n \tA team has players.\n- a player has a name\n\n",
    "A recepie has a tittle (requierd), an autor and between 1,000 and 5k step(s); minus 5 degrees at most.",
    "x" * 150 + " has a name. " + "A team has players. " * 150,
]


@pytest.fixture(scope="module")
def running(made: Bundle, toolchain: Toolchain) -> Iterator[Running]:
    with served_bundle(made, toolchain) as found:
        yield found


@pytest.fixture(scope="module")
def client(running: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=running.url, headers=running.headers, timeout=60) as made:
        yield made


@pytest.fixture(scope="module")
def documented(running: Running) -> Documented:
    return Documented(running.url)


@pytest.fixture(scope="module")
def understander() -> EncoderUnderstander:
    return EncoderUnderstander(MODEL)


def test_a_cold_worker_is_well_at_once_and_keeps_requests_until_it_is_ready(running: Running, client: httpx.Client) -> None:
    """Runs first in this file: the module's Worker has answered nothing yet."""
    answers: list[httpx.Response] = []
    waiting = threading.Thread(target=lambda: answers.append(client.post("/v1/blueprint", json={"description": "A book has a title."})))
    waiting.start()
    health = httpx.get(f"{running.url}/health", timeout=10).json()
    assert health["status"] == "ok"
    waiting.join(60)
    assert answers[0].status_code == 200 and "entity book" in answers[0].json()["blueprint"]
    assert httpx.get(f"{running.url}/health", timeout=10).json() == {"status": "ok", "ready": True}


def test_held_out_texts_come_out_as_on_the_machine(client: httpx.Client, understander: EncoderUnderstander) -> None:
    held_out = load_split("valid")
    texts = [r.text for r in held_out[:: len(held_out) // 50]]
    assert len(texts) > 40
    assert compare(client, understander, texts) == []


def test_odd_texts_come_out_as_on_the_machine(client: httpx.Client, understander: EncoderUnderstander) -> None:
    assert compare(client, understander, ODD) == []


def test_a_step_is_called_as_no_line_that_answers_at_its_path(client: httpx.Client, understander: EncoderUnderstander) -> None:
    text = "An article has a title. Editors publish an article. Articles are hidden until they are published, and an admin restores deleted articles."
    assert compare(client, understander, [text]) == []


def test_what_is_told_of_mails_is_told_as_on_the_machine(client: httpx.Client, understander: EncoderUnderstander) -> None:
    text = "Pupils have a name. Lessons of a pupil have a date and are paid or not. The parents get a mail two days before the lesson 🙂, and when a lesson is paid, mail the pupil."
    answer = asked(client, text)
    assert differences(text, answer, document(understander.understand(text), {})) == []
    assert any("goes to the administrator" in note and "“" in note for note in answer["notes"])


def test_differences_are_found(client: httpx.Client, understander: EncoderUnderstander) -> None:
    """The comparison itself can fail."""
    text = "A book has a title and a price."
    here, there = document(understander.understand(text), {}), asked(client, text)
    assert differences(text, there, here) == []
    found = {**there, "confidence": there["confidence"] - 0.01, "spans": there["spans"][1:], "notes": []}
    assert {d.what for d in differences(text, found, here)} == {"confidence", "spans", "notes"}


def test_eight_requests_at_once_are_all_answered_rightly(client: httpx.Client, understander: EncoderUnderstander) -> None:
    texts = [r.text for r in load_split("valid")][1:9]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda text: asked(client, text), texts))
    for text, answer in zip(texts, found, strict=True):
        assert differences(text, answer, document(understander.understand(text.strip()), {})) == []


def test_an_unclear_description_is_answered_with_questions(client: httpx.Client) -> None:
    answer = client.post("/v1/blueprint", json={"description": "Make me something nice."})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == "unclear" and problem["questions"] and problem["blueprint"] is None


@pytest.mark.parametrize(
    "text",
    [
        "An app to keep track of customers and invoices",
        "I want to manage rooms, and send reminders every week",
        "Members have a name. Every member has exactly one locker. No member may ever have a locker. 🙂 Reading is for all!",
        "Every ticket is always open and closed",
    ],
)
def test_questions_quote_the_text_as_on_the_machine(client: httpx.Client, documented: Documented, understander: EncoderUnderstander, text: str) -> None:
    documented.holds(client.post("/v1/blueprint", json={"description": text}))
    answer, here = asked(client, text), document(understander.understand(text), {})
    assert differences(text, answer, here) == [] and "“" in answer["questions"][0]
    assert [p["path"] for p in answer["not_understood"]] == [p["path"] for p in here["not_understood"]] and answer["parts"] == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[]", 422),
        (b"{}", 422),
        (b'{"description": 7}', 422),
        (b'{"description": null}', 422),
        (b'{"description": " \\n"}', 422),
        (b'{"description": "half \\ud83d"}', 422),
        (b'{"description": "' + b"a" * 20_001 + b'"}', 422),
        (b'{"description": "' + b"a" * 300_000 + b'"}', 413),
        (b'{"description": "' + b"a" * 5_000_000 + b'"}', 413),
    ],
)
def test_bad_requests_are_told_what_is_wrong(client: httpx.Client, documented: Documented, body: bytes, status: int) -> None:
    answer = documented.holds(client.post("/v1/blueprint", content=body, headers={"content-type": "application/json"}))
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json" and answer.json()["status"] == status
    if status == 422 and body != b"[]":
        assert [e["path"] for e in answer.json()["errors"]] == ["description"]
    if status == 413:
        assert "256 KiB" in answer.json()["detail"] and "memory" in answer.json()["detail"], "the contract has 1 MiB, so it says why"


def test_a_field_that_is_not_known_is_refused_by_name(client: httpx.Client, documented: Documented) -> None:
    answer = documented.holds(client.post("/v1/blueprint", json={"description": "A book has a title.", "privacy": "open"}))
    assert answer.status_code == 422 and answer.json()["errors"] == [{"path": "privacy", "message": 'There is no field "privacy" here.'}]
    both = documented.holds(client.post("/v1/blueprint", json={"text": "A book has a title."}))
    assert [e["path"] for e in both.json()["errors"]] == ["description", "text"]
    many = documented.holds(client.post("/v1/blueprint", json={"x" * 5000 + str(i): i for i in range(40)}))
    assert many.status_code == 422 and len(many.content) < 5000


def test_the_longest_description_fits_however_it_is_written_down(client: httpx.Client) -> None:
    """Twelve bytes for a character: what is larger cannot be a description, so nothing is lost by the smaller bound."""
    escaped = json.dumps({"description": "\U0001f355" * 20_000})
    assert len(escaped) > 240_000
    answer = client.post("/v1/blueprint", content=escaped, headers={"content-type": "application/json"})
    assert answer.status_code == 422 and answer.json()["code"] == "unclear"


def test_the_front_describes_itself_truly(running: Running, client: httpx.Client, documented: Documented) -> None:
    check_what_is_open(running.url)
    for text in ("Books have a title and a price of at least 1. No login needed.", "Make me something nice.", ODD[-1]):
        body = {"description": text}
        assert documented.takes("Description", body) and documented.holds(client.post("/v1/blueprint", json=body)).status_code in (200, 422)
    for wrong in ({}, {"description": 7}, {"description": ""}, {"description": "a" * 20_001}, {"description": "a", "b": 1}, []):
        assert not documented.takes("Description", wrong) and client.post("/v1/blueprint", json=wrong).status_code == 422
    for headers in ({"authorization": "Bearer wrong"}, {"content-type": "text/plain"}):
        assert documented.holds(client.post("/v1/blueprint", content=b"{}", headers=headers)).status_code in (401, 415)
    assert documented.holds(client.get("/v1/blueprint")).headers["allow"] == "POST"
    page = documented.document
    assert page["paths"]["/v1/blueprint"]["post"]["security"] == [{"bearer": []}, {"apiKey": []}]


def test_nobody_gets_in_without_the_key(running: Running) -> None:
    for headers in ({}, {"x-api-key": "wrong"}):
        answer = httpx.post(f"{running.url}/v1/blueprint", json={"description": "A book has a title."}, headers=headers, timeout=10)
        assert answer.status_code == 401


def test_an_answer_says_who_answered_and_how_long_it_took(client: httpx.Client) -> None:
    started = time.perf_counter()
    answer = asked(client, "A book has a title and a price.")
    took = (time.perf_counter() - started) * 1000
    assert answer["provider"] == "edge" and answer["model"].startswith("clodo-1 ")
    timings = answer["timings_ms"]
    assert 0 <= timings["prefill"] <= timings["model"] <= timings["total"] <= took + 5


def test_its_scripts_type_check_and_are_small(made: Bundle, tmp_path: Path) -> None:
    """What users build is checked when they build it; here it is checked before they do."""
    built = build_model(made, tmp_path / "m", Options("mm"))
    assert 1000 < built.gzip["front"] < 100_000


def test_who_is_too_many_is_told_to_come_again(client: httpx.Client) -> None:
    text = next(r.text for r in load_split("valid"))
    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(lambda _: client.post("/v1/blueprint", json={"description": text}), range(40)))
    refused = [a for a in answers if a.status_code == 429]
    assert 0 < len(refused) <= 40 - 9, "one is served and 8 may wait"
    assert all(a.headers["retry-after"] and a.json()["code"] == "queue-full" for a in refused)


def test_memory_keeps_to_the_plan(made: Bundle, toolchain: Toolchain) -> None:
    """From loading on, with eight texts at once and one as long as the model reads."""
    texts = [r.text for r in load_split("valid")][:8]
    with served_bundle(made, toolchain) as running, httpx.Client(base_url=running.url, headers=running.headers, timeout=60) as client:
        running.watch()
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda text: asked(client, text), texts))
        asked(client, ODD[-1])
        [memory] = running.watched()
    # What V8 lets lie varies; the bound that has to hold is that of an isolate.
    assert memory.peak_mb < 50 and memory.wasm_mb < made.workers[0].planned_mb - 10
    assert memory.wasm_mb > 30  # the long one was read as a whole
