"""Quantised weights: from GGUF's blocks to numbers, and to the blocks of 8 rows that the kernels read (``tensor.h``).

What has 4 bits keeps them as they are (Q4_0, Q4_1), or with scales of its own kind written as f16 (Q4_K); Q8_0 is kept too,
and everything else becomes Q8_0.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from clodo.edge.llama.gguf import Tensor

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]
Whole = npt.NDArray[np.int16]


class Kind(IntEnum):
    """How a packed matrix is stored; the numbers are those of ``tensor.h``."""

    Q4_0 = 0
    Q4_1 = 1
    Q8_0 = 2


BLOCK = 32
GROUP = 8
#: Bytes of 8 rows × 32 columns.
BLOCK_BYTES = {Kind.Q4_0: 144, Kind.Q4_1: 160, Kind.Q8_0: 272}
#: The smallest scale: below it, f16 has subnormal numbers only.
_TINY = float(np.finfo(np.float16).tiny)
_HUGE = float(np.finfo(np.float16).max)


def packed_kind(tensor: Tensor) -> Kind:
    """What a tensor of a GGUF becomes."""
    return {"Q4_0": Kind.Q4_0, "Q4_1": Kind.Q4_1, "Q4_K": Kind.Q4_1}.get(tensor.type, Kind.Q8_0)


def packed_bytes(kind: Kind, rows: int, columns: int) -> int:
    """The bytes of a packed matrix."""
    return -(-rows // GROUP) * (columns // BLOCK) * BLOCK_BYTES[kind]


def pack(tensor: Tensor) -> bytes:
    """A tensor as the kernels read it. Its columns must be a multiple of 32; rows of zeros are added up to a multiple of 8."""
    return {Kind.Q4_0: _pack_q4_0, Kind.Q4_1: _pack_q4_1, Kind.Q8_0: _pack_q8_0}[packed_kind(tensor)](tensor)


def dequantise(tensor: Tensor) -> Floats:
    """The numbers of a tensor, float32 ``[rows, columns]``."""
    numbers = _READERS[tensor.type](tensor.data)
    return numbers.reshape(tensor.rows, tensor.columns)


# ---- GGUF's blocks ----------------------------------------------------------------------------------------------------


def _blocks(data: Bytes, size: int) -> Bytes:
    return data.reshape(-1, size)


def _half(part: Bytes) -> Floats:
    """Pairs of bytes as f16 numbers, ``[blocks, count]``."""
    return np.ascontiguousarray(part).view(np.float16).astype(np.float32)


def _nibbles(part: Bytes) -> Bytes:
    """16 bytes → 32 numbers: all low halves, then all high ones."""
    return np.concatenate([part & 15, part >> 4], axis=1)


def _fives(high: Bytes, low: Bytes) -> Bytes:
    """Numbers of 5 bits from their fifth bits (4 bytes) and their nibbles (16 bytes)."""
    fifth: Bytes = np.unpackbits(high, axis=1, bitorder="little")
    return _nibbles(low) | (fifth << np.uint8(4))


def _q4_0(data: Bytes) -> Floats:
    b = _blocks(data, 18)
    return _half(b[:, :2]) * (_nibbles(b[:, 2:]).astype(np.float32) - 8)


def _q4_1(data: Bytes) -> Floats:
    b = _blocks(data, 20)
    return _half(b[:, :2]) * _nibbles(b[:, 4:]) + _half(b[:, 2:4])


def _q5_0(data: Bytes) -> Floats:
    b = _blocks(data, 22)
    return _half(b[:, :2]) * (_fives(b[:, 2:6], b[:, 6:]).astype(np.float32) - 16)


def _q5_1(data: Bytes) -> Floats:
    b = _blocks(data, 24)
    return _half(b[:, :2]) * _fives(b[:, 4:8], b[:, 8:]) + _half(b[:, 2:4])


def _q8_0(data: Bytes) -> Floats:
    b = _blocks(data, 34)
    return _half(b[:, :2]) * b[:, 2:].view(np.int8)


def _k_scales(packed: Bytes) -> tuple[Floats, Floats]:
    """8 scales and 8 minima of 6 bits from 12 bytes."""
    a, b, c = packed[:, :4], packed[:, 4:8], packed[:, 8:]
    scales = np.concatenate([a & 63, (c & 15) | ((a >> 6) << 4)], axis=1)
    minima = np.concatenate([b & 63, (c >> 4) | ((b >> 6) << 4)], axis=1)
    return scales.astype(np.float32), minima.astype(np.float32)


def _k_nibbles(part: Bytes) -> Bytes:
    """128 bytes → ``[blocks, 8, 32]``: each 32 bytes hold one sub-block in the low halves and the next in the high ones."""
    q = part.reshape(-1, 4, 1, 32)
    return np.concatenate([q & 15, q >> 4], axis=2).reshape(-1, 8, 32)


def _q4_k_parts(data: Bytes) -> tuple[Floats, Floats, Bytes]:
    """Scales and minima ``[blocks of 32]`` and the nibbles ``[blocks of 32, 32]``."""
    b = _blocks(data, 144)
    scales, minima = _k_scales(b[:, 4:16])
    d, m = _half(b[:, :2]) * scales, -_half(b[:, 2:4]) * minima
    return d.reshape(-1), m.reshape(-1), _k_nibbles(b[:, 16:]).reshape(-1, 32)


def _q4_k(data: Bytes) -> Floats:
    d, m, q = _q4_k_parts(data)
    return d[:, None] * q + m[:, None]


def _q5_k(data: Bytes) -> Floats:
    b = _blocks(data, 176)
    scales, minima = _k_scales(b[:, 4:16])
    fifth = np.unpackbits(b[:, 16:48, None], axis=2, bitorder="little").transpose(0, 2, 1)  # [blocks, 8, 32]
    q = _k_nibbles(b[:, 48:]) | (fifth << np.uint8(4))
    return (_half(b[:, :2]) * scales)[..., None] * q - (_half(b[:, 2:4]) * minima)[..., None]


def _q6_k(data: Bytes) -> Floats:
    b = _blocks(data, 210)
    low, high = b[:, :128].reshape(-1, 2, 2, 32), b[:, 128:192].reshape(-1, 2, 1, 32)
    low = np.concatenate([low & 15, low >> 4], axis=2)  # [blocks, 2, 4, 32]
    high = np.concatenate([(high >> (2 * i)) & 3 for i in range(4)], axis=2)
    q = (low | (high << 4)).astype(np.float32) - 32
    scales = b[:, 192:208].view(np.int8).astype(np.float32) * _half(b[:, 208:])
    return q.reshape(-1, 16, 16) * scales[..., None]


def _bf16(data: Bytes) -> Floats:
    wide: npt.NDArray[np.uint32] = np.ascontiguousarray(data).view(np.uint16).astype(np.uint32) << np.uint32(16)
    return wide.view(np.float32)


_READERS: dict[str, Callable[[Bytes], Floats]] = {
    "F32": lambda data: np.ascontiguousarray(data).view(np.float32),
    "F16": lambda data: np.ascontiguousarray(data).view(np.float16).astype(np.float32),
    "BF16": _bf16, "Q4_0": _q4_0, "Q4_1": _q4_1, "Q5_0": _q5_0, "Q5_1": _q5_1, "Q8_0": _q8_0, "Q4_K": _q4_k, "Q5_K": _q5_k, "Q6_K": _q6_k,
}  # fmt: skip


# ---- blocks of 8 rows -------------------------------------------------------------------------------------------------


def quantise_eights(numbers: Floats) -> tuple[Floats, Whole]:
    """Numbers ``[rows, columns]`` as scales ``[rows, columns / 32]`` (exact in f16) and whole numbers of -127 to 127
    ``[rows, columns / 32, 32]``."""
    blocks = numbers.reshape(numbers.shape[0], -1, BLOCK)
    scales = np.clip(np.abs(blocks).max(axis=2) / 127, _TINY, _HUGE).astype(np.float16).astype(np.float32)
    return scales, np.clip(np.rint(blocks / scales[..., None]), -127, 127).astype(np.int16)


def _stored(tensor: Tensor, size: int) -> tuple[Floats, Bytes]:
    """The first f16 of each block ``[rows, blocks]``, and the blocks ``[rows, blocks, size]``."""
    b = tensor.data.reshape(tensor.rows, -1, size)
    return _half(b[:, :, :2])[..., 0], b


def _wide_nibbles(part: Bytes) -> Whole:
    return np.concatenate([part & 15, part >> 4], axis=2).astype(np.int16)


def _pack_q8_0(tensor: Tensor) -> bytes:
    if tensor.type == "Q8_0":
        scales, b = _stored(tensor, 34)
        # The kernels move signs between bytes, which -128 does not survive; and they read these scales without a sign.
        whole = np.maximum(b[:, :, 2:].view(np.int8).astype(np.int16), -127) * np.where(scales < 0, -1, 1)[..., None].astype(np.int16)
        scales, whole = _without_subnormals(np.abs(scales), whole, -127, 127)
    else:
        scales, whole = quantise_eights(dequantise(tensor))
    rows = _padded(whole.reshape(tensor.rows, -1), 0)
    # group, half, row, block, vector, column → group, block, vector, half, row, column
    q = rows.astype(np.int8).reshape(len(rows) // GROUP, 2, 4, -1, 8, 4).transpose(0, 3, 4, 1, 2, 5)
    return _joined(_grouped(scales, _TINY), q.reshape(*q.shape[:2], -1).view(np.uint8))


def _pack_q4_0(tensor: Tensor) -> bytes:
    scales, b = _stored(tensor, 18)
    scales, whole = _without_subnormals(scales, _wide_nibbles(b[:, :, 2:]) - 8, -8, 7)
    return _joined(_grouped(scales, _TINY), _packed_nibbles(whole + 8, 8))


def _pack_q4_1(tensor: Tensor) -> bytes:
    if tensor.type == "Q4_1":
        scales, b = _stored(tensor, 20)
        minima, whole = _half(b[:, :, 2:4])[..., 0], _wide_nibbles(b[:, :, 4:])
    else:
        d, m, q = _q4_k_parts(tensor.data)
        scales, minima, whole = d.reshape(tensor.rows, -1), m.reshape(tensor.rows, -1), q.reshape(tensor.rows, -1, BLOCK).astype(np.int16)
    # A scale below 0 counts down from the other end.
    down = scales < 0
    minima, whole = np.where(down, minima + 15 * scales, minima), np.where(down[..., None], 15 - whole, whole)
    scales, whole = _without_subnormals(np.abs(scales), whole, 0, 15)
    minima = np.where(np.abs(minima) < _TINY, np.where(np.abs(minima) < _TINY / 2, 0, np.copysign(_TINY, minima)), minima)
    return _joined(_grouped(scales, _TINY), _grouped(np.clip(minima, -_HUGE, _HUGE), 0), _packed_nibbles(whole, 0))


def _without_subnormals(scales: Floats, whole: Whole, least: int, most: int) -> tuple[Floats, Whole]:
    """Blocks with a scale that is too small for f16's normal numbers get the smallest of these, and whole numbers that suit it."""
    small = np.abs(scales.astype(np.float16).astype(np.float32)) < _TINY
    if small.any():
        whole = whole.copy()
        whole[small] = np.clip(np.rint(whole[small] * (scales[small] / _TINY)[:, None]), least, most).astype(np.int16)
        scales = np.where(small, np.float32(_TINY), scales)
    return scales, whole


def _padded(rows: npt.NDArray[Any], filler: float) -> npt.NDArray[Any]:
    return np.pad(rows, ((0, -len(rows) % GROUP), (0, 0)), constant_values=filler)


def _grouped(scales: Floats, filler: float) -> Bytes:
    """f16 numbers ``[rows, blocks]`` → bytes ``[groups, blocks, 16]``."""
    rows = _padded(scales.astype(np.float16), filler)
    return np.ascontiguousarray(rows.reshape(len(rows) // GROUP, GROUP, -1).transpose(0, 2, 1)).view(np.uint8)


def _packed_nibbles(whole: Whole, filler: int) -> Bytes:
    rows = _padded(whole.reshape(len(whole), -1), filler).astype(np.uint8)
    # group, half, row, block, vector, low or high, column → group, block, vector, half, row, column, low or high
    q = rows.reshape(len(rows) // GROUP, 2, 4, -1, 4, 2, 4).transpose(0, 3, 4, 1, 2, 6, 5)
    both: Bytes = q[..., 0] | (q[..., 1] << np.uint8(4))
    return both.reshape(*both.shape[:2], -1)


def _joined(*parts: Bytes) -> bytes:
    return np.concatenate(parts, axis=2).tobytes()
