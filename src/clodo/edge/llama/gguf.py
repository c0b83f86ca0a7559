"""GGUF files: metadata and tensors, read without copying the weights."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from clodo.errors import ModelError

_SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_STRING, _ARRAY = 8, 9

#: Number of a tensor's type → its name, how many numbers a block holds and its bytes.
TYPES: dict[int, tuple[str, int, int]] = {
    0: ("F32", 1, 4), 1: ("F16", 1, 2), 30: ("BF16", 1, 2),
    2: ("Q4_0", 32, 18), 3: ("Q4_1", 32, 20), 6: ("Q5_0", 32, 22), 7: ("Q5_1", 32, 24), 8: ("Q8_0", 32, 34),
    12: ("Q4_K", 256, 144), 13: ("Q5_K", 256, 176), 14: ("Q6_K", 256, 210),
}  # fmt: skip


@dataclass(frozen=True)
class Tensor:
    """A tensor as it is stored: ``rows`` × ``columns`` numbers (a vector has one row), and its bytes ``[rows, bytes per row]``."""

    name: str
    type: str
    rows: int
    columns: int
    data: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Gguf:
    """A file's metadata (``llama.block_count`` → 30) and its tensors by name."""

    metadata: Mapping[str, Any]
    tensors: Mapping[str, Tensor]


def read_gguf(path: Path) -> Gguf:
    """Reads a GGUF file of version 2 or 3.

    Raises:
        ModelError: it is none, is cut off, or holds tensors of a type that is not known here.
    """
    try:
        with path.open("rb") as file:
            view = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError) as error:
        raise ModelError(f"The model {path.name!r} cannot be read: {error}.", hint="Check the path.") from None
    if bytes(view[:4]) != b"GGUF":
        raise ModelError(f"{path.name!r} is no GGUF file.", hint="Choose another file.")
    try:
        return _parse(view)
    except (struct.error, LookupError, ArithmeticError, TypeError, ValueError, RecursionError):
        raise ModelError(f"The GGUF file {path.name!r} is damaged or cut off.", hint="Fetch it again.") from None


class _Cursor:
    def __init__(self, view: memoryview) -> None:
        self.view, self.at = view, 0

    def number(self, form: str) -> Any:
        (value,) = struct.unpack_from(form, self.view, self.at)
        self.at += struct.calcsize(form)
        return value

    def text(self) -> str:
        length = self.number("<Q")
        value = bytes(self.view[self.at : self.at + length])
        if len(value) != length:
            raise ValueError
        self.at += length
        return value.decode("utf-8")

    def value(self, kind: int) -> Any:
        if kind == _STRING:
            return self.text()
        if kind != _ARRAY:
            return self.number(_SCALARS[kind])
        inner, count = self.number("<I"), self.number("<Q")
        if inner in (_STRING, _ARRAY):
            return [self.value(inner) for _ in range(count)]
        form = f"<{count}{_SCALARS[inner][1:]}"
        values = list(struct.unpack_from(form, self.view, self.at))
        self.at += struct.calcsize(form)
        return values


def _parse(view: memoryview) -> Gguf:
    cursor = _Cursor(view)
    cursor.at = 4
    version, tensor_count, entry_count = cursor.number("<I"), cursor.number("<Q"), cursor.number("<Q")
    if version not in (2, 3):
        raise ValueError
    metadata = {cursor.text(): cursor.value(cursor.number("<I")) for _ in range(entry_count)}
    heads = []
    for _ in range(tensor_count):
        name, dimensions = cursor.text(), cursor.number("<I")
        shape = [cursor.number("<Q") for _ in range(dimensions)]
        heads.append((name, shape, cursor.number("<I"), cursor.number("<Q")))
    alignment = int(metadata.get("general.alignment", 32))
    start = -(-cursor.at // alignment) * alignment
    raw = np.frombuffer(view, np.uint8)
    return Gguf(metadata, {name: _tensor(raw, start + offset, name, shape, kind) for name, shape, kind, offset in heads})


def _tensor(raw: npt.NDArray[np.uint8], offset: int, name: str, shape: list[int], kind: int) -> Tensor:
    if kind not in TYPES:
        raise ModelError(
            f"The tensor {name!r} is stored in a way that is not known here (type {kind}).",
            hint=f"Choose a file in one of {', '.join(n for n, _, _ in TYPES.values())}.",
        )
    type_name, numbers, size = TYPES[kind]
    columns, rows = shape[0], int(np.prod(shape[1:], dtype=np.int64))
    width = columns // numbers * size
    return Tensor(name, type_name, rows, columns, raw[offset : offset + rows * width].reshape(rows, width))
