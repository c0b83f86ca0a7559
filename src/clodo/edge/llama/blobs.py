"""Weights as the WebAssembly module takes them: a blob for each layer and one for the vocabulary.

A blob is a directory (offset and kind of each tensor, 4 bytes each; 0 where there is none) and the tensors, each at
16 bytes: vectors as f32, matrices packed by ``quants``. The order of the directory is that of ``llama.c``.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import replace

from clodo.edge.llama.gguf import Gguf, Tensor
from clodo.edge.llama.quants import dequantise, pack, packed_bytes, packed_kind
from clodo.edge.llama.shape import Shape
from clodo.errors import ModelError

_VECTORS = frozenset({"attn_norm.weight", "ffn_norm.weight", "attn_q.bias", "attn_k.bias", "attn_v.bias", "attn_q_norm.weight", "attn_k_norm.weight", "output_norm.weight"})  # fmt: skip
_LAYER = (
    "attn_norm.weight", "attn_q.weight", "attn_k.weight", "attn_v.weight", "attn_output.weight", "ffn_norm.weight", "ffn_gate.weight",
    "ffn_up.weight", "ffn_down.weight", "attn_q.bias", "attn_k.bias", "attn_v.bias", "attn_q_norm.weight", "attn_k_norm.weight",
)  # fmt: skip
_OPTIONAL = frozenset(_LAYER[9:])
_KNOWN = {"output_norm.weight", "token_embd.weight", "output.weight", "rope_freqs.weight"}


def check_tensors(gguf: Gguf, shape: Shape) -> None:
    """Raises ``ModelError`` where a tensor is missing, has another shape than the metadata say, or is one that the kernels
    would leave out."""
    q, kv, width, hidden = shape.heads * shape.head_size, shape.kv_heads * shape.head_size, shape.width, shape.hidden
    sizes = dict(zip(_LAYER, ((1, width), (q, width), (kv, width), (kv, width), (width, q), (1, width), (hidden, width), (hidden, width), (width, hidden), (1, q), (1, kv), (1, kv), (1, shape.head_size), (1, shape.head_size)), strict=True))  # fmt: skip
    wanted = {f"blk.{layer}.{name}": size for layer in range(shape.layers) for name, size in sizes.items()}
    wanted |= {"output_norm.weight": (1, width), "token_embd.weight": (shape.vocabulary, width), "output.weight": (shape.vocabulary, width)}
    for name, size in wanted.items():
        found = gguf.tensors.get(name)
        if found is None:
            if name.split(".", 2)[-1] in _OPTIONAL or name == "output.weight":
                continue
            raise ModelError(f"The model lacks the tensor {name!r}.", hint="Choose a complete file.")
        if (found.rows, found.columns) != size:
            raise ModelError(f"The tensor {name!r} is {found.rows} × {found.columns} and should be {size[0]} × {size[1]}.", hint="Choose another file.")
    if strange := sorted(set(gguf.tensors) - set(wanted) - _KNOWN):
        raise ModelError(f"The model has a tensor {strange[0]!r} that this runtime does not know.", hint="Choose another model.")


def _layer_tensors(gguf: Gguf, layer: int) -> list[Tensor | None]:
    return [gguf.tensors.get(f"blk.{layer}.{name}") for name in _LAYER]


def _vocabulary_tensors(gguf: Gguf, rows: tuple[int, int] | None = None) -> list[Tensor | None]:
    embedding = gguf.tensors["token_embd.weight"]
    tables = [embedding, gguf.tensors.get("output.weight", embedding)]
    if rows is not None:
        tables = [replace(t, rows=rows[1] - rows[0], data=t.data[rows[0] : rows[1]]) for t in tables]
    return [gguf.tensors["output_norm.weight"], *tables]


def layer_bytes(gguf: Gguf, layer: int) -> int:
    """The bytes of a layer's blob."""
    return _measure(_layer_tensors(gguf, layer))


def layer_blob(gguf: Gguf, layer: int) -> bytes:
    """A layer's blob."""
    return _write(_layer_tensors(gguf, layer))


def vocabulary_bytes(gguf: Gguf, rows: tuple[int, int] | None = None) -> int:
    """The bytes of the blob of the last norm, the embedding and the head, or of these rows of both."""
    return _measure(_vocabulary_tensors(gguf, rows))


def vocabulary_blob(gguf: Gguf, rows: tuple[int, int]) -> bytes:
    """The last norm, and rows of the embedding and the head; a head that is tied to the embedding is not there twice. The first row
    is a multiple of 8, for so many lie together."""
    return _write(_vocabulary_tensors(gguf, rows))


def _is_vector(tensor: Tensor) -> bool:
    return any(tensor.name.endswith(name) for name in _VECTORS)


def _up(size: int) -> int:
    return -(-size // 16) * 16


def _size(tensor: Tensor) -> int:
    return 4 * tensor.columns if _is_vector(tensor) else packed_bytes(packed_kind(tensor), tensor.rows, tensor.columns)


def _measure(tensors: Sequence[Tensor | None]) -> int:
    apart = {t.name: t for t in tensors if t is not None}
    return _up(8 * len(tensors)) + sum(_up(_size(t)) for t in apart.values())


def _write(tensors: Sequence[Tensor | None]) -> bytes:
    directory = bytearray(_up(8 * len(tensors)))
    body = bytearray()
    places: dict[str, int] = {}
    for i, tensor in enumerate(tensors):
        if tensor is None:
            continue
        if tensor.name not in places:
            places[tensor.name] = len(directory) + len(body)
            data = dequantise(tensor).tobytes() if _is_vector(tensor) else pack(tensor)
            body += data + bytes(-len(data) % 16)
        kind = 0 if _is_vector(tensor) else packed_kind(tensor)
        struct.pack_into("<II", directory, 8 * i, places[tensor.name], kind)
    return bytes(directory + body)
