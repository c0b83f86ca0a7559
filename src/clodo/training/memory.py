"""How much memory a training will need, before it begins."""

from __future__ import annotations

import json
from pathlib import Path

from clodo.errors import ModelError

_GIB = 2**30
#: PyTorch, the corpus and what reads them, for each process, as measured.
_PROCESS = 1.0 * _GIB
#: Bytes for each weight of an encoder: the weight, its gradient, two moments, the running mean, a copy while a checkpoint is written.
_ENCODER_BYTES = 24
#: Bytes for each weight of a decoder, which stay as they are: the weight, and a copy while it is read or merged.
_DECODER_BYTES = 8
#: Pieces of a long text; only a few batches hold eight of them.
_PIECES = 320
#: Numbers that a layer keeps of each piece for each of its width, until the gradient has come back.
_KEPT = 20
_DECODER_BATCH = 4 * 700


def encoder_bytes(base: Path, batch: int, workers: int) -> int:
    """About what so many processes need that train the encoder of a folder."""
    weights = (base / "model.safetensors").stat().st_size // 4
    config = json.loads((base / "config.json").read_text("utf-8"))
    wide, layers, heads = (int(config[k]) for k in ("hidden_size", "num_hidden_layers", "num_attention_heads"))
    states = batch * _PIECES * (_KEPT * wide + 3 * heads * _PIECES) * layers * 4
    return int(workers * (_PROCESS + _ENCODER_BYTES * weights + states))


def decoder_bytes(base: Path) -> int:
    """About what the training of a GGUF file needs."""
    import gguf

    reader = gguf.GGUFReader(base)
    weights = sum(int(t.n_elements) for t in reader.tensors)
    arch = reader.fields["general.architecture"].contents()
    layers, wide = (int(reader.fields[f"{arch}.{k}"].contents()) for k in ("block_count", "embedding_length"))
    return int(_PROCESS + _DECODER_BYTES * weights + _DECODER_BATCH * _KEPT * 2 * wide * layers * 4)


def available_bytes() -> int | None:
    """The memory that is free, where the system tells."""
    info = Path("/proc/meminfo")
    if not info.is_file():
        return None
    return next((int(line.split()[1]) * 1024 for line in info.read_text().splitlines() if line.startswith("MemAvailable")), None)


def check(needed: int, workers: int = 1) -> None:
    """Raises ``ModelError`` where less memory is free than a training needs."""
    free = available_bytes()
    if free is not None and free < needed:
        each = f" in {workers} processes" if workers > 1 else ""
        raise ModelError(
            f"Training{each} needs about {needed / _GIB:.1f} GiB of memory, and {free / _GIB:.1f} are free.",
            hint="Use fewer --workers, or end other programs." if workers > 1 else "End other programs, or train on a larger machine.",
        )
