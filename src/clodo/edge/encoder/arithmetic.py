"""How this machine sums: products of 8-bit numbers, and the powers of a softmax.

A product of an unsigned and a signed number of 8 bits has 16. x86 before VNNI adds two neighbouring ones in 16 bits, and what
does not fit is cut off; onnxruntime takes that for speed, so the same model gives other scores there than on ARM or on newer
x86. The powers of a softmax are added in as many lanes as a vector has, 8, or 16 with AVX-512, and so rounded otherwise; a last bit
becomes a step of 8 bits in the next product. A Worker can do either; which of them is right is a matter of the machine that it shall
agree with.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

_FLOAT, _UINT8, _INT8, _INT32 = 1, 2, 3, 6
_MOST = 32_767


@dataclass(frozen=True)
class Arithmetic:
    """``paired``: sums of two neighbouring products of 8 bits are cut off at 16. ``wide``: the powers of a softmax are added in 16
    lanes, not in 8."""

    paired: bool
    wide: bool


def can_saturate(weights: NDArray[Any]) -> bool:
    """Whether sums of neighbouring products with these weights (``[inputs, outputs]``, 8-bit) may not fit into 16 bits."""
    size = np.abs(weights.astype(np.int32))
    return bool((255 * (size[0::2] + size[1::2])).max(initial=0) > _MOST)


@cache
def of_this_machine() -> Arithmetic:
    """How onnxruntime sums on this machine: it is asked."""
    return Arithmetic(paired=_is_paired(), wide=_is_wide())


def _is_paired() -> bool:
    a, b = np.full((2, 32), 255, np.uint8), np.full((32, 16), 127, np.int8)
    found = _answer("MatMulInteger", {"a": a, "b": b}, _INT32, (2, 16))
    return bool((found != a.astype(np.int32) @ b.astype(np.int32)).any())


def _is_wide() -> bool:
    """Two powers that are lost beside 1 one by one, but not together, stand eight places apart, and 1 eight places further: in 8
    lanes they meet each other first, in 16 one of them meets 1."""
    scores = np.full((1, 24), -80.0, np.float32)
    scores[0, [0, 8]] = np.log(0.9 * 2.0**-24)
    scores[0, 16] = 0.0
    return bool(_answer("Softmax", {"x": scores}, _FLOAT, scores.shape)[0, 16] == 1.0)


def _answer(operation: str, inputs: dict[str, NDArray[Any]], kind: int, shape: tuple[int, int]) -> NDArray[Any]:
    """What onnxruntime makes of one operation on matrices."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(_model(operation, inputs, kind, shape), options, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, inputs)[0])


def _model(operation: str, inputs: dict[str, NDArray[Any]], kind: int, shape: tuple[int, int]) -> bytes:
    """A model of one operation, of its inputs ``y``."""
    kinds = {np.dtype(np.uint8): _UINT8, np.dtype(np.int8): _INT8, np.dtype(np.float32): _FLOAT}
    node = b"".join(_text(1, name) for name in inputs) + _text(2, "y") + _text(4, operation)
    tensors = [_part(11, _tensor(name, kinds[v.dtype], *v.shape)) for name, v in inputs.items()]
    graph = _part(1, node) + _text(2, "one") + b"".join(tensors) + _part(12, _tensor("y", kind, *shape))
    return _number(1, 8) + _part(7, graph) + _part(8, _number(2, 17))


def _tensor(name: str, kind: int, rows: int, columns: int) -> bytes:
    shape = b"".join(_part(1, _number(1, size)) for size in (rows, columns))
    return _text(1, name) + _part(2, _part(1, _number(1, kind) + _part(2, shape)))


def _part(number: int, content: bytes) -> bytes:
    assert len(content) < 1 << 14
    return bytes([number << 3 | 2, len(content) & 0x7F | 0x80, len(content) >> 7]) + content


def _text(number: int, text: str) -> bytes:
    return _part(number, text.encode())


def _number(number: int, value: int) -> bytes:
    return bytes([number << 3, value])
