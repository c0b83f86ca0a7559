"""The shape of a decoder: what GGUF's metadata say about layers, heads and rotary positions, checked."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from clodo.edge.llama.gguf import Gguf
from clodo.edge.llama.quants import dequantise
from clodo.errors import ModelError

#: Architectures that differ in what this file and ``llama.c`` know about; the value: whether a rotary pair is half a head apart.
ARCHITECTURES = {"llama": False, "qwen2": True, "qwen3": True}


@dataclass(frozen=True)
class Rope:
    """Rotary positions: the angle of position p and pair i is ``p * frequencies[i]``. ``split``: a pair is half of ``size`` apart, not side by side."""

    size: int
    split: bool
    frequencies: tuple[float, ...]


@dataclass(frozen=True)
class Shape:
    """A decoder's numbers; ``trained`` is the longest context that it was trained for."""

    layers: int
    width: int
    hidden: int
    heads: int
    kv_heads: int
    head_size: int
    vocabulary: int
    epsilon: float
    trained: int
    rope: Rope


def read_shape(gguf: Gguf) -> Shape:
    """The shape that a file's metadata tell.

    Raises:
        ModelError: it is another family of models, or has a shape or a feature that the kernels do not know.
    """
    architecture = str(gguf.metadata.get("general.architecture"))
    if architecture not in ARCHITECTURES:
        raise _unfit(f"its architecture is {architecture!r}", f"Choose a model of {', '.join(ARCHITECTURES)}.")

    def value(key: str, default: Any = None) -> Any:
        found = gguf.metadata.get(f"{architecture}.{key}", default)
        if found is None:
            raise _unfit(f"its metadata lack {architecture}.{key}")
        if isinstance(found, list):
            raise _unfit(f"its {architecture}.{key} is not the same in all layers")
        return found

    if value("expert_count", 0):
        raise _unfit("it is a mixture of experts")
    width, heads = int(value("embedding_length")), int(value("attention.head_count"))
    head_size = int(value("attention.key_length", width // max(heads, 1)))
    shape = Shape(
        layers=int(value("block_count")),
        width=width,
        hidden=int(value("feed_forward_length")),
        heads=heads,
        kv_heads=int(value("attention.head_count_kv", heads)),
        head_size=head_size,
        vocabulary=len(gguf.metadata.get("tokenizer.ggml.tokens", ())),
        epsilon=float(value("attention.layer_norm_rms_epsilon")),
        trained=int(value("context_length", 2048)),
        rope=_rope(gguf, value, head_size, ARCHITECTURES[architecture]),
    )
    _check(shape, int(value("attention.value_length", head_size)))
    return shape


def _rope(gguf: Gguf, value: Any, head_size: int, split: bool) -> Rope:
    size = int(value("rope.dimension_count", head_size))
    base = float(value("rope.freq_base", 10000.0))
    scaling = str(value("rope.scaling.type", "none"))
    factor = float(value("rope.scaling.factor", value("rope.scale_linear", 1.0)) or 1.0)
    frequencies = np.power(base, -np.arange(0, size, 2, dtype=np.float64) / size)
    # Llama 3.1 and later: a factor for each pair, worked out when the file was made.
    if (factors := gguf.tensors.get("rope_freqs.weight")) is not None:
        frequencies = frequencies / dequantise(factors).reshape(-1).astype(np.float64)[: size // 2]
    if scaling == "linear":
        frequencies = frequencies / factor
    elif scaling != "none":
        raise _unfit(f"its rotary positions are scaled by {scaling!r}", "Choose a model with no scaling or a linear one.")
    return Rope(size, split, tuple(float(f) for f in frequencies))


def _check(shape: Shape, value_size: int) -> None:
    if min(shape.layers, shape.width, shape.hidden, shape.heads, shape.kv_heads, shape.vocabulary) < 1:
        raise _unfit("its metadata hold a number below 1")
    for name, size, step in (("width", shape.width, 32), ("hidden width", shape.hidden, 32), ("width of all heads", shape.heads * shape.head_size, 32), ("head size", shape.head_size, 8), ("rotary size", shape.rope.size, 8)):  # fmt: skip
        if size % step:
            raise _unfit(f"its {name} of {size} is no multiple of {step}")
    if shape.heads % shape.kv_heads or value_size != shape.head_size or shape.rope.size > shape.head_size or shape.layers > 256:
        raise _unfit("its heads or layers have a shape that the kernels do not know")
    if not math.isfinite(shape.epsilon):
        raise _unfit("its epsilon is no number")


def _unfit(reason: str, hint: str = "Choose another model.") -> ModelError:
    return ModelError(f"The model cannot run in a Worker: {reason}.", hint=hint)
