"""What is needed of an ONNX file: its constants and who consumes whom.

The package ``onnx`` is only there for training, and 60 lines of protocol buffers are all that is read here: the model's
graph, its nodes (kind, inputs, outputs) and its initializers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clodo.errors import ModelError

#: The data types of ONNX that models here are made of.
_TYPES = {1: np.float32, 2: np.uint8, 3: np.int8, 6: np.int32, 7: np.int64, 10: np.float16, 11: np.float64}
#: The field that holds values of a type where they are not raw bytes.
_FLOATS, _INTEGERS, _LONGS, _RAW = 4, 5, 7, 9


@dataclass(frozen=True)
class Node:
    """One operation of a graph."""

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class Graph:
    """Nodes in the order in which they run, and constants by name."""

    nodes: tuple[Node, ...]
    constants: Mapping[str, NDArray[Any]]


def read_graph(model: bytes) -> Graph:
    """The graph of a model file.

    Raises:
        ModelError: the bytes are no ONNX model.
    """
    try:
        graph = next(value for number, value in _fields(model) if number == 7)
        nodes, constants = [], {}
        for number, value in _fields(graph):
            if number == 1:
                nodes.append(_node(value))
            elif number == 5:
                name, array = _tensor(value)
                constants[name] = array
    except (StopIteration, IndexError, KeyError, TypeError, ValueError):
        raise ModelError("The model is not an ONNX file that can be read here.") from None
    return Graph(tuple(nodes), constants)


def _node(message: Any) -> Node:
    kind, inputs, outputs = "", [], []
    for number, value in _fields(message):
        if number == 1:
            inputs.append(bytes(value).decode())
        elif number == 2:
            outputs.append(bytes(value).decode())
        elif number == 4:
            kind = bytes(value).decode()
    return Node(kind, tuple(inputs), tuple(outputs))


def _tensor(message: Any) -> tuple[str, NDArray[Any]]:
    name, kind, shape, raw, listed = "", 0, [], None, []
    for number, value in _fields(message):
        if number == 1:
            shape += [value] if isinstance(value, int) else list(_varints(value))
        elif number == 2:
            kind = value
        elif number == 8:
            name = bytes(value).decode()
        elif number == _RAW:
            raw = bytes(value)
        elif number == _FLOATS:
            listed += np.frombuffer(bytes(value), "<f4").tolist()
        elif number in (_INTEGERS, _LONGS):
            listed += [value] if isinstance(value, int) else list(_varints(value))
    type_ = np.dtype(_TYPES[kind])
    if raw is not None:
        return name, np.frombuffer(raw, type_.newbyteorder("<")).reshape(shape)
    signed = [v - (1 << 64) if isinstance(v, int) and v >> 63 else v for v in listed]
    return name, np.array(signed, type_).reshape(shape)


def _fields(message: Any) -> Iterator[tuple[int, Any]]:
    """The fields of a message: their numbers, and an integer or the bytes of each."""
    view, at = memoryview(message), 0
    while at < len(view):
        key, at = _varint(view, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = _varint(view, at)
            yield number, value
            continue
        size = {1: 8, 5: 4}.get(wire)
        if size is None:
            if wire != 2:
                raise ValueError(wire)
            size, at = _varint(view, at)
        if at + size > len(view):
            raise ValueError("cut short")
        yield number, view[at : at + size]
        at += size


def _varints(message: Any) -> Iterator[int]:
    view, at = memoryview(message), 0
    while at < len(view):
        value, at = _varint(view, at)
        yield value


def _varint(view: Any, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = view[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at
