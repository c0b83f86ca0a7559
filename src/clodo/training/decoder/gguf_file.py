"""Merged weights as a GGUF file: the base's file with other numbers in the matrices that were trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

#: ``transformers``' names of the trained matrices → GGUF's.
_NAMES = {
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
}  # fmt: skip


def write(base: Path, weights: dict[str, torch.Tensor], out: Path) -> None:
    """Writes ``out``: everything of ``base``, the trained matrices in 8 bits (Q8_0)."""
    import gguf

    reader = gguf.GGUFReader(base)
    arch = reader.fields["general.architecture"].contents()
    writer = gguf.GGUFWriter(out, arch)
    heads = int(reader.fields[f"{arch}.attention.head_count"].contents())
    groups = int(reader.fields[f"{arch}.attention.head_count_kv"].contents())
    for key, kept in reader.fields.items():
        if not key.startswith("GGUF.") and key not in ("general.architecture", "general.file_type"):
            _copy(writer, key, kept)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    trained = _trained(weights, heads, groups)
    for tensor in reader.tensors:
        if tensor.name in trained:
            packed = gguf.quants.quantize(trained[tensor.name], gguf.GGMLQuantizationType.Q8_0)
            writer.add_tensor(tensor.name, packed, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
        else:
            writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _trained(weights: dict[str, torch.Tensor], heads: int, groups: int) -> dict[str, np.ndarray]:
    out = {}
    for name, weight in weights.items():
        place = name.removeprefix("model.layers.").removesuffix(".weight")
        layer, _, matrix = place.partition(".")
        if matrix in _NAMES:
            values = weight.float().numpy()
            if matrix.endswith(("q_proj", "k_proj")):
                values = _interleaved(values, heads if matrix.endswith("q_proj") else groups)
            out[f"blk.{layer}.{_NAMES[matrix]}.weight"] = np.ascontiguousarray(values)
    return out


def _interleaved(values: np.ndarray, heads: int) -> np.ndarray:
    """Rotary pairs side by side, as llama.cpp has them, instead of half a head apart."""
    rows, columns = values.shape
    return values.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)


def _copy(writer: Any, key: str, kept: Any) -> None:
    import gguf

    kind = kept.types[0]
    if kind == gguf.GGUFValueType.ARRAY:
        writer.add_key_value(key, kept.contents(), kind, sub_type=kept.types[-1])
    else:
        writer.add_key_value(key, kept.contents(), kind)
