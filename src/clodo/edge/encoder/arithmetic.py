"""How this machine sums products of 8-bit numbers.

A product of an unsigned and a signed number of 8 bits has 16. x86 before VNNI adds two neighbouring ones in 16 bits, and what
does not fit is cut off; onnxruntime takes that for speed, so the same model gives other scores there than on ARM or on newer
x86. A Worker can do either; which of them is right is a matter of the machine that it shall agree with.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

_UINT8, _INT8, _INT32 = 2, 3, 6
_MOST = 32_767


def can_saturate(weights: NDArray[Any]) -> bool:
    """Whether sums of neighbouring products with these weights (``[inputs, outputs]``, 8-bit) may not fit into 16 bits."""
    size = np.abs(weights.astype(np.int32))
    return bool((255 * (size[0::2] + size[1::2])).max(initial=0) > _MOST)


@cache
def machine_saturates() -> bool:
    """Whether onnxruntime cuts such sums off on this machine: it is asked."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(_product(), options, providers=["CPUExecutionProvider"])
    a, b = np.full((2, 32), 255, np.uint8), np.full((32, 16), 127, np.int8)
    found = session.run(None, {"a": a, "b": b})[0]
    return bool((found != a.astype(np.int32) @ b.astype(np.int32)).any())


def _product() -> bytes:
    """A model of one operation: the product of ``a`` and ``b``."""
    node = _text(1, "a") + _text(1, "b") + _text(2, "y") + _text(4, "MatMulInteger")
    tensors = [_part(11, _tensor("a", _UINT8, 2, 32)), _part(11, _tensor("b", _INT8, 32, 16)), _part(12, _tensor("y", _INT32, 2, 16))]
    graph = _part(1, node) + _text(2, "product") + b"".join(tensors)
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
