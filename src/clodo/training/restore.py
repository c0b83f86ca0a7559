"""Weights of a released model, to train on from: the way back from :mod:`clodo.training.export`.

What comes back is what the 8 bits hold. Word embeddings are the base's own, since training leaves them alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from clodo.errors import ModelError
from clodo.training.base import load_base
from clodo.training.files import load_tensors
from clodo.training.network import Network

#: The graphs of a model, and what the names of the network's parts begin with in each.
GRAPHS = {"reader.onnx": "network.", "links.onnx": ""}


def restored(folder: Path, base: Path) -> dict[str, torch.Tensor]:
    """The state of the network in a model folder that was made from ``base``.

    Raises:
        ModelError: the folder holds no such model, or one of another shape.
    """
    state: dict[str, torch.Tensor] = Network(load_base(base)[0]).state_dict()
    frozen = "encoder.embeddings.word_embeddings.weight"
    missing = set(state) - {frozen}
    for file, prefix in GRAPHS.items():
        inside = "" if prefix else "links."
        for name, weight in named_weights(folder / file):
            key = inside + name.removeprefix(prefix)
            if key in missing:
                _put(state, key, torch.from_numpy(np.array(weight)), folder)
                missing.discard(key)
    if missing:
        raise ModelError(f"{str(folder)!r} lacks weights of {', '.join(sorted(missing)[:3])}.")
    return state


def taken_up(file: Path, base: Path, *, whole: bool = False) -> dict[str, torch.Tensor]:
    """The state of a network that starts from the weights of an earlier training. ``whole``: they are of today's labels, not of fewer.

    Raises:
        ModelError: the weights are of another kind of network.
    """
    state: dict[str, torch.Tensor] = Network(load_base(base)[0]).state_dict()
    loaded: dict[str, torch.Tensor] = load_tensors(file)
    if set(loaded) != set(state):
        raise ModelError(f"{str(file)!r} does not hold the weights of an encoder.")
    for key, weight in loaded.items():
        if whole and weight.shape != state[key].shape:
            raise ModelError(f"{str(file)!r} was made from another base or for other labels: {key} has another shape.")
        _put(state, key, weight, file)
    return state


def _put(state: dict[str, torch.Tensor], key: str, weight: torch.Tensor, source: Path) -> None:
    """Puts weights in their place. Labels are added behind those that there were, so that weights of a time with fewer of them
    are the first rows and columns of what is there; the others keep what they begin with.

    Raises:
        ModelError: they are larger than their place, or of another order.
    """
    place = state[key]
    if place.dim() != weight.dim() or any(a > b for a, b in zip(weight.shape, place.shape, strict=True)):
        raise ModelError(f"{str(source)!r} was made from another base: {key} has another shape.")
    place = place.clone()
    place[tuple(slice(0, size) for size in weight.shape)] = weight
    state[key] = place


def named_weights(path: Path) -> Iterator[tuple[str, Any]]:
    """The names of a graph's weights, as the network calls them, and the weights in float32.

    Raises:
        ModelError: there is no such file.
    """
    import onnx
    from onnx import numpy_helper

    if not path.is_file():
        raise ModelError(f"{str(path.parent)!r} has no {path.name}.", hint="Use the folder of an encoder model.")
    graph = onnx.load(str(path)).graph
    raw = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    twins: dict[str, list[str]] = {}
    for node in graph.node:
        if node.op_type == "Identity":
            twins.setdefault(node.input[0], []).append(node.output[0])
    users = {name: node for node in graph.node for name in node.input}
    for name, value in raw.items():
        stem = name.removesuffix("_quantized")
        if stem == name:
            if not name.endswith(("_scale", "_zero_point")):
                yield name, value
                # Weights that are equal are written once.
                yield from ((twin, value) for twin in twins.get(name, []))
            continue
        offset = raw[f"{stem}_zero_point"].astype(np.float32)
        weight = (value.astype(np.float32) - offset) * raw[f"{stem}_scale"]
        yield called(stem, users), np.ascontiguousarray(weight.T) if _is_turned(stem) else weight


def called(stem: str, users: Mapping[str, Any]) -> str:
    """What the network calls the 8-bit weights that a graph calls ``stem``; ``users``: the nodes by what they take."""
    if stem.startswith("onnx::"):
        # A product with a matrix has no name of its own, and the bias that is added to it has.
        return f"{_bias(users, f'{stem}_quantized').removesuffix('.bias')}.weight"
    return stem.removesuffix("_Transposed")


def _is_turned(stem: str) -> bool:
    """Whether a graph has these weights as ``[inputs, outputs]``, which the network has the other way round."""
    return stem.startswith("onnx::") or stem.endswith("_Transposed")


def _bias(users: Mapping[str, Any], weights: str) -> str:
    """The bias that the product with some weights goes on to."""
    node = users[weights]
    while node.op_type != "Add":
        node = users[node.output[0]]
    return str(next(name for name in node.input if name.endswith(".bias")))
