"""Model references, and which kind of understander stands behind each."""

from __future__ import annotations

from pathlib import Path

import pytest

from clodo.app.models import open_text_model, open_understander
from clodo.errors import ModelError, UsageError
from clodo.lm.privacy import Privacy
from clodo.lm.redacting import RedactingModel
from clodo.runtime.hybrid import HybridModel
from clodo.runtime.openai import OpenAIModel
from clodo.runtime.workers_ai import WorkersAIModel
from clodo.understand.encoder import EncoderUnderstander
from clodo.understand.generative import GenerativeUnderstander
from clodo.understand.hybrid import HybridUnderstander
from clodo.understand.redacting import RedactingUnderstander
from clodo.understand.remote import RemoteUnderstander


def test_the_built_in_model_is_an_encoder() -> None:
    assert isinstance(open_understander("clodo-1"), EncoderUnderstander)


def test_an_endpoint_writes_the_blueprint_itself() -> None:
    assert isinstance(open_understander("http://127.0.0.1:9/v1#tiny"), GenerativeUnderstander)


def test_the_reference_of_an_endpoint_names_model_and_grammar_field() -> None:
    model = open_text_model("http://127.0.0.1:9/v1#tiny?grammar=guided_grammar")
    assert isinstance(model, OpenAIModel)
    assert (model.profile.name, model.profile.grammar) == ("tiny", "guided_grammar")


def test_an_unknown_name_lists_what_there_is() -> None:
    with pytest.raises(UsageError) as failure:
        open_understander("gpt-7")
    assert "clodo-1" in failure.value.hint and "smollm2" in failure.value.hint


def test_a_missing_file_and_an_altered_model_are_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model file"):
        open_understander(f"file:{tmp_path / 'x.gguf'}")
    (tmp_path / "model.json").write_text('{"name": "x", "version": "1", "labels": "", "files": {"a.onnx": "00"}}')
    (tmp_path / "a.onnx").write_bytes(b"x")
    with pytest.raises(ModelError, match="not the one it should be"):
        open_understander(f"file:{tmp_path}")


def test_an_edge_worker_understands_for_itself_and_writes_text_too() -> None:
    assert isinstance(open_understander("edge:http://127.0.0.1:9"), RemoteUnderstander)
    assert open_text_model("edge:http://127.0.0.1:9#m?context=1024").profile.context == 1024
    away = open_understander("edge:https://m.example.workers.dev", privacy=Privacy.REDACT)
    assert isinstance(away, RedactingUnderstander)
    assert isinstance(open_understander("edge:https://m.example.workers.dev", privacy=Privacy.OPEN), RemoteUnderstander)


def test_workers_ai_is_named_by_its_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", "a1")
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "t")
    model = open_text_model("workers-ai:@cf/meta/llama-3.1-8b-instruct?context=8000", privacy=Privacy.OPEN)
    assert isinstance(model, WorkersAIModel) and not model.profile.local
    assert (model.profile.name, model.profile.context) == ("@cf/meta/llama-3.1-8b-instruct", 8000)
    assert isinstance(open_text_model("workers-ai:@cf/m/x?api=openai", privacy=Privacy.OPEN), OpenAIModel)
    assert isinstance(open_text_model("workers-ai:@cf/m/x", privacy=Privacy.REDACT), RedactingModel)


def test_a_hybrid_loads_what_is_here_only_when_it_is_asked(tmp_path: Path) -> None:
    order = f"hybrid:file:{tmp_path / 'none.gguf'},http://127.0.0.1:9/v1#m"
    made = open_understander(order)
    assert isinstance(made, HybridUnderstander)
    with pytest.raises(ModelError, match=r"none\.gguf: model; m: unavailable"):
        made.understand("Books have a title.")
    assert isinstance(open_text_model("hybrid:http://127.0.0.1:9/v1#a,http://127.0.0.1:9/v1#b"), HybridModel)


@pytest.mark.parametrize("reference", ["hybrid:", "hybrid:clodo-1", "hybrid:clodo-1,", "hybrid:clodo-1,hybrid:a,b", "hybrid:clodo-1,gpt-7", "edge:there"])
def test_a_reference_that_names_nothing_is_told_before_anything_is_loaded(reference: str) -> None:
    with pytest.raises(UsageError):
        open_understander(reference)


@pytest.mark.parametrize("text", ["2", "-0.1", "often"])
def test_a_threshold_is_a_chance(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLODO_CONFIDENCE", text)
    with pytest.raises(UsageError, match="CLODO_CONFIDENCE"):
        open_understander("hybrid:clodo-1,http://127.0.0.1:9/v1#m")
