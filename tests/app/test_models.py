"""Model references, and which kind of understander stands behind each."""

from __future__ import annotations

from pathlib import Path

import pytest

from clodo.app.models import open_text_model, open_understander
from clodo.errors import ModelError, UsageError
from clodo.runtime.openai import OpenAIModel
from clodo.understand.encoder import EncoderUnderstander
from clodo.understand.generative import GenerativeUnderstander


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
