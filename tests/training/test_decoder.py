"""LoRA on the stock language model: trained, merged, packed as GGUF, and read by llama.cpp."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from clodo.lm import Message
from clodo.runtime.llamacpp import LlamaCppModel
from clodo.training.decoder.stages import open_trained
from clodo.training.pipeline import Job, run
from clodo.training.plan import Plan
from clodo.understand.generative import GenerativeUnderstander
from tests.edge.llama.tiny import tiny_gguf

for engine in ("torch", "peft", "gguf", "xllamacpp"):
    pytest.importorskip(engine, reason="training decoders needs `pip install 'clodo[train,llama]'`")
pytestmark = pytest.mark.slow


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A decoder that is trained in seconds."""
    return tiny_gguf(tmp_path / "small.gguf", kinds=("Q4_1", "Q8_0"))


def weights_of(path: Path) -> dict[str, np.ndarray]:
    from gguf import GGUFReader, dequantize

    return {t.name: dequantize(t.data, t.tensor_type) for t in GGUFReader(path).tensors}


def test_merging_nothing_changes_nothing(small: Path, tmp_path: Path) -> None:
    import torch

    from clodo.training.decoder.gguf_file import write
    from clodo.training.decoder.train import DecoderTraining, merged

    made = DecoderTraining(Plan(0.0), small, tmp_path, None)
    torch.save(made.adapter(), tmp_path / "adapter.pt")
    write(small, merged(small, tmp_path / "adapter.pt"), tmp_path / "same.gguf")
    theirs, ours = weights_of(small), weights_of(tmp_path / "same.gguf")
    assert ours.keys() == theirs.keys()
    for name, wanted in theirs.items():
        # Merged weights have eight bits.
        assert np.abs(ours[name] - wanted).max() <= np.abs(wanted).max() / 127, name


def test_a_decoder_is_trained_and_packed(small: Path, tmp_path: Path) -> None:
    import torch

    pairs = tmp_path / "own.jsonl"
    things = ("hive", "boat", "lamp", "coin", "tent", "song")
    rows = [
        {"description": f"A {t} has a colour.", "blueprint": f"service s\n\nentity {t} {{\n  colour: text\n}}\n"}
        for t in things
    ]
    pairs.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    said: list[str] = []
    job = Job(Plan(0.1), small, tmp_path / "run", "tiny-decoder", "1", "Apache-2.0", pairs, kind="decoder")
    outcome = run(job, said.append)
    manifest = json.loads((outcome.folder / "model.json").read_text("utf-8"))
    assert manifest["kind"] == "decoder" and set(manifest["files"]) == {"model.gguf"}
    adapter = torch.load(job.out / "adapter.pt", weights_only=True)
    assert any(float(w.abs().max()) > 0 for name, w in adapter.items() if "lora_B" in name), "it was trained"
    model = LlamaCppModel(outcome.folder / "model.gguf", "tiny-decoder")
    assert model.complete((Message("user", "A hive has a colour."),), None, 4).text
    assert isinstance(open_trained(outcome.folder), GenerativeUnderstander)
    run(job, said.append)
    assert said[-1] != "Merging, quantising and writing the model …", "a second call does nothing twice"
