"""What the pipeline does of a decoder: train, merge, quantise, pack."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from clodo.runtime.llamacpp import LlamaCppModel
from clodo.training.plan import Plan
from clodo.understand.encoder import EncoderUnderstander
from clodo.understand.generative import GenerativeUnderstander, trained_conversation
from clodo.understand.port import Understander

Progress = Callable[[str], None]


def train(plan: Plan, base: Path, out: Path, own: list[str] | None, progress: Progress, device: str = "auto") -> None:
    """Trains until the time is spent; goes on where it was. Leaves ``adapter.pt``."""
    from clodo.training.decoder.train import DecoderTraining

    training = DecoderTraining(plan, base, out, own, device)
    if training.seen:
        progress(f"Going on after {training.seen} examples.")
    training.run(progress)


def export(base: Path, out: Path, folder: Path, details: dict[str, Any]) -> None:
    """Merges the adapter and writes the model's folder: ``model.gguf`` and the manifest."""
    from clodo.training.decoder.gguf_file import write
    from clodo.training.decoder.train import merged

    folder.mkdir(parents=True, exist_ok=True)
    write(base, merged(base, out / "adapter.pt"), folder / "model.gguf")
    files = {"model.gguf": sha256((folder / "model.gguf").read_bytes()).hexdigest()}
    (folder / "model.json").write_text(json.dumps({**details, "files": files}, indent=2) + "\n", "utf-8")


def open_trained(folder: Path) -> Understander:
    """The model of a folder that a training made, of either kind."""
    if not (folder / "model.gguf").is_file():
        return EncoderUnderstander(folder)
    name = json.loads((folder / "model.json").read_text("utf-8"))["name"]
    return GenerativeUnderstander(LlamaCppModel(folder / "model.gguf", name), trained_conversation)
