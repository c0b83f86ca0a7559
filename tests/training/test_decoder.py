"""LoRA on the stock language model: trained, merged, packed as GGUF, and read by llama.cpp."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from clodo.errors import UsageError
from clodo.lm import Constraint, Message
from clodo.runtime.llamacpp import LlamaCppModel
from clodo.training.decoder.stages import open_trained
from clodo.training.job import Job
from clodo.training.pipeline import run
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
    log = [json.loads(line) for line in (job.out / "log.jsonl").read_text("utf-8").splitlines()]
    assert log[-1]["seen"] > 0 and (job.out / "curves.svg").is_file()
    manifest = json.loads((outcome.folder / "model.json").read_text("utf-8"))
    assert manifest["kind"] == "decoder" and set(manifest["files"]) == {"model.gguf"}
    adapter = torch.load(job.out / "adapter.pt", weights_only=True)
    assert any(float(w.abs().max()) > 0 for name, w in adapter.items() if "lora_B" in name), "it was trained"
    model = LlamaCppModel(outcome.folder / "model.gguf", "tiny-decoder")
    said_of = model.complete((Message("user", "A hive has a colour."),), Constraint('root ::= "a hive"'), 16)
    assert said_of.text == "a hive" and said_of.finished, "what a random model says of itself may be nothing"
    assert isinstance(open_trained(outcome.folder), GenerativeUnderstander)
    run(job, said.append)
    assert said[-1] != "Merging, quantising and writing the model …", "a second call does nothing twice"


def test_the_log_is_written_while_it_runs(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from clodo.training.decoder.train import DecoderTraining

    made = DecoderTraining(Plan(1.0), small, tmp_path, None)
    steps = iter([(4, 2.0), (8, 1.0)])
    for seen, loss in steps:
        made.seen = seen
        made._note([loss])
        log = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text("utf-8").splitlines()]
        assert log[-1] == {"seen": seen, "minutes": 0.0, "loss": loss}
    assert (tmp_path / "curves.svg").read_text("utf-8").startswith("<svg")


def test_what_a_decoder_cannot_is_refused_and_not_ignored(small: Path, tmp_path: Path) -> None:
    job = Job(Plan(0.1), small, tmp_path / "run", "tiny-decoder", "1", "Apache-2.0", None, kind="decoder")
    for other, option in ((replace(job, start=small), "--from"), (replace(job, mean=(small,)), "--mean"), (replace(job, workers=2), "--workers")):
        with pytest.raises(UsageError, match=f"{option} is for encoders"):
            run(other, lambda _: None)
    assert not job.out.exists()


def test_its_memory_is_reckoned_from_its_weights(small: Path, tmp_path: Path) -> None:
    from clodo.training.memory import decoder_bytes

    large = tiny_gguf(tmp_path / "large.gguf", kinds=("Q8_0",))
    assert 2**30 < decoder_bytes(small) < 1.5 * 2**30 and decoder_bytes(large) >= decoder_bytes(small) - 1
