"""A decoder of the llama family in float32, written for being read: what the kernels are held against."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from clodo.edge.llama.gguf import Gguf, read_gguf
from clodo.edge.llama.quants import dequantise
from clodo.edge.llama.shape import Shape, read_shape

Floats = npt.NDArray[np.float32]


class Reference:
    """A model with its weights in float32."""

    def __init__(self, path: Path) -> None:
        self.gguf: Gguf = read_gguf(path)
        self.shape: Shape = read_shape(self.gguf)
        self._weights = {name: dequantise(tensor) for name, tensor in self.gguf.tensors.items()}

    def logits(self, tokens: Sequence[int]) -> Floats:
        """The scores of what follows each token, ``[tokens, vocabulary]``."""
        x = self._weights["token_embd.weight"][list(tokens)]
        for layer in range(self.shape.layers):
            x = x + self._attention(layer, self._norm(x, f"blk.{layer}.attn_norm.weight"))
            x = x + self._feed_forward(layer, self._norm(x, f"blk.{layer}.ffn_norm.weight"))
        head = self._weights.get("output.weight", self._weights["token_embd.weight"])
        return self._norm(x, "output_norm.weight") @ head.T

    def _norm(self, x: Floats, gain: str) -> Floats:
        size = np.sqrt((x * x).mean(-1, keepdims=True, dtype=np.float32) + np.float32(self.shape.epsilon))
        return x / size * self._weights[gain].reshape(-1)

    def _project(self, layer: int, name: str, x: Floats) -> Floats:
        y = x @ self._weights[f"blk.{layer}.{name}.weight"].T
        bias = self._weights.get(f"blk.{layer}.{name}.bias")
        return y if bias is None else y + bias.reshape(-1)

    def _heads(self, layer: int, name: str, x: Floats, heads: int) -> Floats:
        y = self._project(layer, name, x).reshape(len(x), heads, self.shape.head_size)
        gain = f"blk.{layer}.{name}_norm.weight"
        return self._norm(y, gain) if gain in self._weights else y

    def _attention(self, layer: int, x: Floats) -> Floats:
        s = self.shape
        q = self._rotate(self._heads(layer, "attn_q", x, s.heads))
        k = self._rotate(self._heads(layer, "attn_k", x, s.kv_heads))
        v = self._heads(layer, "attn_v", x, s.kv_heads)
        group = s.heads // s.kv_heads
        k, v = np.repeat(k, group, axis=1), np.repeat(v, group, axis=1)
        scores = np.einsum("qhd,khd->hqk", q, k) / np.float32(np.sqrt(s.head_size))
        scores = np.where(np.tri(len(x), dtype=bool), scores, -np.inf)
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        out = np.einsum("hqk,khd->qhd", scores / scores.sum(-1, keepdims=True), v)
        return self._project(layer, "attn_output", out.reshape(len(x), -1).astype(np.float32))

    def _rotate(self, x: Floats) -> Floats:
        rope = self.shape.rope
        angles = np.outer(np.arange(len(x)), rope.frequencies)[:, None, :]
        cos, sin = np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)
        out, half = x.copy(), rope.size // 2
        a, b = (slice(0, half), slice(half, rope.size)) if rope.split else (slice(0, rope.size, 2), slice(1, rope.size, 2))
        out[..., a] = x[..., a] * cos - x[..., b] * sin
        out[..., b] = x[..., a] * sin + x[..., b] * cos
        return out

    def _feed_forward(self, layer: int, x: Floats) -> Floats:
        gate = self._project(layer, "ffn_gate", x)
        return self._project(layer, "ffn_down", gate / (1 + np.exp(-gate)) * self._project(layer, "ffn_up", x))


def divergence(reference: Floats, scores: Floats) -> Floats:
    """The Kullback-Leibler divergence of the distributions that scores stand for from those of the reference, for each row."""
    p, q = (x - np.log(np.exp(x - x.max(-1, keepdims=True)).sum(-1, keepdims=True)) - x.max(-1, keepdims=True) for x in (reference.astype(np.float64), scores.astype(np.float64)))
    return np.asarray((np.exp(p) * (p - q)).sum(-1), np.float32)
