"""``local-only`` is enforced: with it nothing leaves this machine, whatever model is named. ``redact`` lets nothing out that it
finds. Sockets are watched, not promises."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from clodo.app.models import open_text_model, open_understander
from clodo.blueprint import parse
from clodo.cli import main
from clodo.errors import ModelError
from clodo.lm import Message
from clodo.lm.privacy import Privacy, is_loopback
from clodo.runtime.endpoint import Endpoint
from clodo.testing import ScriptedUnderstander
from clodo.testing.model_server import ACCOUNT, TOKEN, ModelServer, Reply, model_server

SECRET = "Anna Berg (anna@example.com) keeps books with a title; the password is Tr0ub4dor&3."
BLUEPRINT = 'service books\n\nentity book {\n  title: text default "[EMAIL_1]"\n}\n'
AWAY = [
    "https://models.example/v1#m",
    "http://10.0.0.1:8000/v1#m",
    "http://localhost.example.com/v1#m",
    "http://127.0.0.1.nip.io/v1#m",
    "http://127.0.0.1@models.example/v1#m",
    "http://2130706433/v1#m",
    "edge:https://model.example.workers.dev",
    "workers-ai:@cf/meta/llama-3.1-8b-instruct",
    "workers-ai:@cf/meta/llama-3.1-8b-instruct?api=openai",
]


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[object]]:
    """Where connections were tried to, other than this machine; none is made, and no name is looked up."""
    tried: list[object] = []
    real = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and not is_loopback(str(address[0])):
            tried.append(address)
            raise OSError("nothing may leave")
        real(self, address)

    looked_up = socket.getaddrinfo

    def lookup(host: Any, *rest: Any, **options: Any) -> Any:
        if not is_loopback(str(host)):
            tried.append(host)
            raise OSError("nothing may leave")
        return looked_up(host, *rest, **options)

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", ACCOUNT)
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", TOKEN)
    monkeypatch.setenv("CLODO_CACHE", str(tmp_path))
    monkeypatch.delenv("CLODO_PRIVACY", raising=False)
    monkeypatch.delenv("CLOUDFLARE_API_BASE_URL", raising=False)
    yield tried


def clodo(*args: str) -> tuple[int, dict[str, Any]]:
    result = CliRunner().invoke(main, [*args, "--json"])
    return result.exit_code, json.loads(result.stdout)


@pytest.mark.parametrize("reference", [*AWAY, *(f"hybrid:clodo-1,{r}" for r in AWAY), *(f"hybrid:{r},clodo-1" for r in AWAY[:1])])
def test_with_local_only_nothing_leaves(reference: str, left: list[object]) -> None:
    status, answer = clodo("blueprint", SECRET, "--model", reference)
    assert status == 1 and answer["error"]["code"] == "privacy", answer
    assert left == []


@pytest.mark.parametrize("reference", AWAY)
def test_no_text_model_elsewhere_can_be_made_either(reference: str, left: list[object]) -> None:
    for order in (reference, f"hybrid:http://127.0.0.1:9/v1#m,{reference}"):
        with pytest.raises(ModelError) as failure:
            open_text_model(order)
        assert failure.value.code == "privacy"
    assert left == []


def test_the_watch_sees_what_leaves(left: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the tests above can fail."""
    monkeypatch.setattr("clodo.lm.retries.FIRST_PAUSE", 0.001)
    for reference in AWAY:
        left.clear()
        status, answer = clodo("blueprint", SECRET, "--model", reference, "--privacy", "open")
        assert status == 1 and answer["error"]["code"] == "unavailable", answer
        assert left, reference


def test_an_adapter_that_forgets_to_ask_is_stopped_at_the_door(left: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clodo.runtime.endpoint.is_loopback", lambda host: True)
    monkeypatch.setattr("clodo.runtime.endpoint.host_of", lambda url: "127.0.0.1")
    with pytest.raises(ModelError) as failure:
        Endpoint("https://models.example/v1", "e", Privacy.LOCAL_ONLY, {}).post("x", {}, 1)
    assert failure.value.code == "privacy" and left == []


@pytest.mark.parametrize("privacy", [Privacy.LOCAL_ONLY, Privacy.REDACT])
def test_a_name_of_this_machine_that_leads_elsewhere_is_stopped(
    privacy: Privacy, monkeypatch: pytest.MonkeyPatch, left: list[object]
) -> None:
    away = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.9", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: away)
    with pytest.raises(ModelError) as failure:
        open_text_model("http://localhost:80/v1#m", privacy=privacy).complete((Message("user", "x"),), None, 1)
    assert failure.value.code == "privacy" and left == []


@pytest.mark.parametrize("setting", ["CLODO_PRIVACY", "--privacy"])
def test_the_policy_comes_from_the_option_or_the_environment(setting: str, left: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clodo.lm.retries.FIRST_PAUSE", 0.001)
    monkeypatch.setenv("CLODO_PRIVACY", "redact" if setting == "CLODO_PRIVACY" else "local-only")
    option = ["--privacy", "redact"] if setting == "--privacy" else []
    assert clodo("blueprint", SECRET, "--model", AWAY[0], *option)[1]["error"]["code"] == "unavailable"
    monkeypatch.setenv("CLODO_PRIVACY", "secret")
    assert clodo("blueprint", SECRET, "--model", AWAY[0])[0] == 2


def test_a_measurement_keeps_to_the_policy_too(left: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clodo.lm.retries.FIRST_PAUSE", 0.001)
    texts = tmp_path / "set.json"
    texts.write_text(json.dumps([{"id": "a", "description": SECRET, "means": None}]))
    assert clodo("eval", str(texts), "--model", AWAY[0])[1]["error"]["code"] == "privacy" and left == []
    clodo("eval", str(texts), "--model", AWAY[0], "--privacy", "redact")
    assert left, "it was asked"


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ModelServer]:
    """A server that counts as elsewhere."""
    monkeypatch.setattr("clodo.lm.retries.FIRST_PAUSE", 0.001)
    with model_server() as made:
        for place in ("clodo.lm.privacy", "clodo.runtime.endpoint", "clodo.runtime.openai"):
            monkeypatch.setattr(f"{place}.is_loopback", lambda host: False)
        monkeypatch.setenv("CLOUDFLARE_API_BASE_URL", made.api)
        monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", ACCOUNT)
        monkeypatch.setenv("CLOUDFLARE_API_TOKEN", TOKEN)
        monkeypatch.setenv("CLODO_CACHE", str(tmp_path))
        made.replies = [Reply(BLUEPRINT)]
        yield made


def references(server: ModelServer) -> list[str]:
    return [f"{server.url}/v1#m", "workers-ai:@cf/meta/llama-3.1-8b-instruct", "workers-ai:@cf/meta/llama-3.1-8b-instruct?api=openai", f"edge:{server.url}"]


@pytest.mark.parametrize("which", range(4))
@pytest.mark.parametrize("hybrid", [False, True])
def test_with_redact_no_secret_leaves_and_all_come_back(which: int, hybrid: bool, away: ModelServer) -> None:
    reference = references(away)[which]
    if which == 3:
        document = {"blueprint": BLUEPRINT, "model": "clodo-1 1", "confidence": 0.9, "spans": [{"start": 27, "end": 32, "role": "entity"}]}
        away.replies = [Reply(body=document)]
    order = f"hybrid:http://127.0.0.1:9/v1#gone,{reference}" if hybrid else reference
    made = open_understander(order, privacy=Privacy.REDACT).understand(SECRET)
    assert made.blueprint == parse(BLUEPRINT.replace("[EMAIL_1]", "anna@example.com"))
    assert "[NAME_1] ([EMAIL_1]) keeps books" in away.asked[0].texts
    for secret in ("Anna", "Berg", "anna@", "Tr0ub4dor"):
        assert all(secret not in asked.texts for asked in away.asked)
    if which == 3:
        assert [SECRET[s.start : s.end] for s in made.spans] == ["books"]


@pytest.mark.parametrize("which", range(4))
def test_with_open_the_text_goes_as_it_is(which: int, away: ModelServer) -> None:
    if which == 3:
        away.replies = [Reply(body={"blueprint": BLUEPRINT, "model": "m", "confidence": 0.9})]
    open_understander(references(away)[which], privacy=Privacy.OPEN).understand(SECRET)
    assert SECRET in away.asked[0].texts


def test_the_json_says_who_answered_and_why_it_went_further(away: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    unsure = ScriptedUnderstander(parse("service s\n\nentity a {\n  b: text\n}\n"))
    unsure.confidence = 0.2
    monkeypatch.setattr("clodo.app.models.EncoderUnderstander", lambda _: unsure)
    status, answer = clodo("blueprint", SECRET, "--privacy", "redact", "--model", f"hybrid:clodo-1,{references(away)[1]}")
    assert status == 0 and (answer["model"], answer["provider"]) == ("@cf/meta/llama-3.1-8b-instruct", "Workers AI")
    (tried,) = answer["tried"]
    assert (tried["model"], tried["provider"], tried["reason"]) == ("clodo-1", "this machine", "low-confidence")
    assert "0.20" in tried["detail"] and TOKEN not in json.dumps(answer) and ACCOUNT not in json.dumps(answer)
