"""The two graphs of an encoder model as one file of weights, in the order in which ``kernels/encoder.c`` reads them.

A dense layer is found in a graph by the name of its bias: whatever the exporter calls the weights, the bias keeps the name of
the network. All products of one tensor are quantised together in the graphs, so such layers are joined to one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clodo.edge.encoder.arithmetic import Arithmetic, can_saturate
from clodo.edge.encoder.onnx import Graph, Node
from clodo.errors import ModelError
from clodo.understand import labels

_MAGIC = 0x31454C43
_TILE = 8
#: What stands in the graphs as attributes of operations: the small number of each normalisation, and the heads of the network.
_READER_EPSILON, _LINKS_EPSILON = 1e-12, 1e-5
_LINK_HEADS = 4
_HEAD_SIZE = 32
#: The module's own data and stack.
_FIRST_PAGES = 2 * 65_536
#: ``PAIR_BYTES`` of the kernel.
_LEAST_PAIR_BYTES = 3 << 19

Array = NDArray[Any]


@dataclass(frozen=True)
class Dense:
    """A dense layer: 8-bit weights ``[inputs, outputs]`` with a scale and a bias for each output."""

    weights: Array
    scale: Array
    bias: Array


@dataclass(frozen=True)
class Weights:
    """A weights file, and the WebAssembly memory that it takes together with the buffers beside it."""

    data: bytes
    memory_bytes: int


def pack(reader: Graph, links: Graph, arithmetic: Arithmetic) -> Weights:
    """The weights file, with how the kernels are to sum. Where no sum of products is too large, ``arithmetic.paired`` makes no
    difference, and is not said.

    Raises:
        ModelError: the graphs are not those of an encoder model.
    """
    try:
        return _packed(_Source(reader), _Source(links), arithmetic)
    except KeyError as error:
        raise ModelError(f"The model has no {error.args[0]!r}, so it cannot run in a Worker.") from None


def _packed(reader: _Source, links: _Source, arithmetic: Arithmetic) -> Weights:
    front = "network.encoder."
    word = reader.table(f"{front}embeddings.word_embeddings.weight")
    position = reader.table(f"{front}embeddings.position_embeddings.weight")
    hidden = word[0].shape[1]
    layers = reader.count(f"{front}encoder.layer.{{}}.output.dense.bias")
    link_layers = links.count("layers.{}.down.bias")
    whole = [reader.dense(f"network.{n}") for n in ("access", "verdict", "service")]
    said = [links.dense(n) for n in ("types", "field_flags", "entity_flags")]
    sides = [links.dense("left"), links.dense("right")]
    sizes = [
        _MAGIC, hidden, layers, hidden // _HEAD_SIZE, position[0].shape[0],
        reader.constant("network.tags.bias").size, *(d.bias.size for d in whole),
        links.constant("enter.bias").size, sides[0].bias.size, _LINK_HEADS, link_layers,
        links.constant("left_score.bias").size, *(d.bias.size for d in said), int(arithmetic.paired and _saturates(reader, links)),
        _bits(_reader_scale(_HEAD_SIZE)), len(labels.DISTANCES), int(arithmetic.wide),
    ]  # fmt: skip
    _check(sizes)
    out = _Writer()
    out.add(np.array(sizes + [0] * (32 - len(sizes)), "<u4"))
    out.table(*word)
    out.table(*position)
    type_, scale, zero = reader.table(f"{front}embeddings.token_type_embeddings.weight")
    out.add((type_[0].astype("<f4") - zero) * scale)
    out.norm(reader, f"{front}embeddings.LayerNorm", _READER_EPSILON)
    for i in range(layers):
        at = f"{front}encoder.layer.{i}."
        out.dense(*(reader.dense(f"{at}attention.self.{n}") for n in ("query", "key", "value")))
        out.dense(reader.dense(f"{at}attention.output.dense"))
        out.norm(reader, f"{at}attention.output.LayerNorm", _READER_EPSILON)
        out.dense(reader.dense(f"{at}intermediate.dense"))
        out.dense(reader.dense(f"{at}output.dense"))
        out.norm(reader, f"{at}output.LayerNorm", _READER_EPSILON)
    out.dense(reader.dense("network.tags"))
    out.dense(*whole)
    out.add(reader.constant("network.access.weight")[:, hidden:].astype("<f4"))
    out.add(np.array(labels.DISTANCES, "<i4"))
    out.dense(links.dense("enter"))
    out.table(*links.table("kind.weight"))
    for i in range(3):
        out.table(*links.table(f"bias.{i}.weight"))
    for i in range(link_layers):
        for name in ("qkv", "out", "norm1", "up", "down", "norm2"):
            at = f"layers.{i}.{name}"
            if name.startswith("norm"):
                out.norm(links, at, _LINKS_EPSILON)
            else:
                out.dense(links.dense(at))
    out.dense(*sides)
    out.add(links.constant("biaffine").astype("<f4"))
    out.dense(links.dense("left_score"))
    out.dense(links.dense("right_score"))
    for i in range(3):
        out.table(*links.table(f"pair_bias.{i}.weight"))
    out.dense(*said)
    data = out.bytes()
    widest = max(links.constant("enter.bias").size * 4, hidden * 4, out.widest)
    link_widest = max(links.constant("layers.0.up.bias").size, links.constant("enter.bias").size * 4)
    return Weights(data, _FIRST_PAGES + len(data) + _buffer_bytes(sizes, widest, link_widest))


def _reader_scale(size: int) -> np.float32:
    """What products of queries and keys are multiplied by: the exporter gives each side the root of it."""
    root = np.float32(size**-0.25)
    return np.float32(root * root)


def _bits(value: float | np.float32) -> int:
    return int(np.array([value], "<f4").view("<u4")[0])


def _saturates(*sources: _Source) -> bool:
    return any(can_saturate(w) for source in sources for w in source.products())


def _buffer_bytes(sizes: Sequence[int], widest: int, link_widest: int) -> int:
    """What ``prepare()`` of the kernel reserves behind the weights for the longest text."""
    hidden, heads, positions, tags = sizes[1], sizes[3], sizes[4], sizes[5]
    width, pair_width, link_heads, pairs = sizes[9], sizes[10], sizes[11], sizes[13]
    wide = max(positions * widest, max(positions * link_widest, _LEAST_PAIR_BYTES // 4) + positions * (width + 2 * pair_width))
    floats = max(hidden, width + 2 * pairs) + tags + sum(sizes[14:17]) + 9
    columns = max(hidden // heads, width // link_heads, pairs) * max(positions, pair_width)
    return 4 * (positions * floats + wide + columns + 2 * hidden) + 2 * positions * max(hidden, width)


def _check(sizes: Sequence[int]) -> None:
    """The label sets of this version have to be those that the model decides among; the kernel takes pairs by fours."""
    wanted = [len(labels.TAGS), len(labels.ACCESS), len(labels.VERDICTS), len(labels.SERVICE_TYPES)]
    wanted += [len(labels.PAIRS), len(labels.CLASSES), len(labels.FIELD_FLAGS), len(labels.ENTITY_FLAGS)]
    if [*sizes[5:9], *sizes[13:17]] != wanted or sizes[13] % 4:
        raise ModelError("The model was made for another version of Clodo.", hint="Install Clodo again, or train a model with `clodo train`.")


class _Source:
    """A graph in which things are found by the names that they have in the network."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._makers = {name: node for node in graph.nodes for name in node.outputs}
        self._users: dict[str, list[Node]] = {}
        for node in graph.nodes:
            for name in node.inputs:
                self._users.setdefault(name, []).append(node)

    def constant(self, name: str) -> Array:
        return self._graph.constants[name]

    def count(self, pattern: str) -> int:
        """How many layers there are, by the name of a constant of each."""
        count = 0
        while pattern.format(count) in self._graph.constants:
            count += 1
        return count

    def table(self, name: str) -> tuple[Array, float, int]:
        """An 8-bit table, its scale and its zero point."""
        found = self._graph.constants
        return found[f"{name}_quantized"], float(found[f"{name}_scale"]), int(found[f"{name}_zero_point"])

    def dense(self, name: str) -> Dense:
        """The layer whose bias is called ``NAME.bias``: back from the sum that uses it to the product."""
        bias = self.constant(f"{name}.bias")
        for user in self._users[f"{name}.bias"]:
            pending = [i for i in user.inputs if i != f"{name}.bias"]
            while pending:
                node = self._makers.get(pending.pop())
                if node is None:
                    continue
                if node.kind == "MatMulInteger":
                    return self._layer(node.inputs[1].removesuffix("_quantized"), bias)
                if node.kind in ("Mul", "Cast", "Add"):
                    pending += node.inputs
        raise KeyError(name)

    def products(self) -> Iterator[Array]:
        """The weights of all products in 8 bits."""
        return (self.constant(n.inputs[1]) for n in self._graph.nodes if n.kind == "MatMulInteger")

    def _layer(self, name: str, bias: Array) -> Dense:
        weights, scale = self.constant(f"{name}_quantized"), self.constant(f"{name}_scale")
        if self.constant(f"{name}_zero_point").any() or weights.shape[0] % 4:
            raise KeyError(name)
        return Dense(weights, np.broadcast_to(scale, bias.shape), bias)


class _Writer:
    """Sections of a weights file, each begun at a multiple of 16 bytes."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        #: The most inputs or outputs of a layer.
        self.widest = 0

    def add(self, array: Array) -> None:
        data = np.ascontiguousarray(array).tobytes()
        self._parts += [data, bytes(-len(data) % 16)]

    def bytes(self) -> bytes:
        return b"".join(self._parts)

    def table(self, values: Array, scale: float, zero: int) -> None:
        self.add(np.array([*values.shape, _bits(scale), zero], "<u4"))
        self.add(values)

    def norm(self, source: _Source, name: str, epsilon: float) -> None:
        self.add(np.array([epsilon], "<f4"))
        self.add(source.constant(f"{name}.weight").astype("<f4"))
        self.add(source.constant(f"{name}.bias").astype("<f4"))

    def dense(self, *layers: Dense) -> None:
        """Layers of one input as one."""
        weights = np.concatenate([d.weights for d in layers], 1)
        inputs, outputs = weights.shape
        self.widest = max(self.widest, inputs, outputs)
        more = -outputs % _TILE
        weights = np.pad(weights, ((0, 0), (0, more)))
        self.add(np.array([inputs, outputs, outputs + more, 0], "<u4"))
        for rows in ([d.scale for d in layers], [d.bias for d in layers]):
            self.add(np.pad(np.concatenate(rows), (0, more)).astype("<f4"))
        self.add(weights.astype("<i4").sum(0, dtype=np.int32))
        # Columns in tiles of 8, halves of 4; of each 4 inputs the even ones of all columns first: tile, k/4, half, odd, column, k.
        tiled = weights.reshape(inputs // 4, 2, 2, -1, 2, 4)
        self.add(tiled.transpose(3, 0, 4, 2, 5, 1))
