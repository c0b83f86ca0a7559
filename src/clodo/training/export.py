"""From trained weights to a model folder: two ONNX graphs in 8 bits, the tokenizer, a manifest."""

from __future__ import annotations

import json
import shutil
import tempfile
import warnings
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from clodo.errors import ModelError
from clodo.training.base import load_base
from clodo.training.files import load_tensors, read_json
from clodo.training.network import Network
from clodo.training.restore import GRAPHS, called, restored
from clodo.understand import labels

#: What a graph has of 8-bit weights, by the ends of its names.
_PARTS = ("_quantized", "_scale", "_zero_point")


class _Reader(nn.Module):
    """The part that reads one text. It goes through the encoder's layers itself: there is no padding, and a graph without masks,
    and with the sizes of its heads written into it, takes a tenth less time for the same numbers."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, ids: Tensor) -> tuple[Tensor, ...]:
        encoder = self.network.encoder
        states = encoder.embeddings(ids, token_type_ids=ids[:, :1] * 0)
        for layer in encoder.encoder.layer:
            states = layer.attention.output(_attended(layer.attention.self, states), states)
            states = layer.output(layer.intermediate(states), states)
        tags, access, verdict, service = self.network.judged(states, states.amax(1))
        return states, tags, access, verdict, service, self.network.access_words(states, access)


def _attended(attention: Any, states: Tensor) -> Tensor:
    """What the attention of a BERT makes of ``states [1, pieces, hidden]``, all pieces being of the text."""
    heads, size = attention.num_attention_heads, attention.attention_head_size
    query, key, value = (part(states).view(1, -1, heads, size).transpose(1, 2) for part in (attention.query, attention.key, attention.value))
    root = size**-0.25  # for each side, as PyTorch scales them itself
    chances = ((query * root) @ (key.transpose(2, 3) * root)).softmax(-1)
    return (chances @ value).transpose(1, 2).reshape(1, -1, heads * size)


def export(weights: Path, base: Path, out: Path, details: dict[str, Any]) -> None:
    """Writes the model folder ``out`` of trained weights."""
    _write(load_tensors(weights), base, out, details)


def export_again(folder: Path, base: Path, out: Path) -> None:
    """Writes the model in ``folder``, which was made from ``base``, to ``out`` with graphs as they are made today. Its weights, to the last
    bit, and all that its manifest says of it stay.

    Raises:
        ModelError: the folder holds no such model, or one of another base or other labels.
    """
    manifest = read_json(folder / "model.json")
    if manifest.get("labels") != labels.fingerprint():
        raise ModelError("The model was made for other labels.", hint="Train it on from its weights with `clodo train --from`.")
    _write(restored(folder, base), base, out, manifest, kept=folder)


def _write(state: dict[str, Tensor], base: Path, out: Path, details: dict[str, Any], kept: Path | None = None) -> None:
    """Writes a model. ``kept``: a model folder with the same weights, whose 8 bits are taken as they are."""
    encoder, _ = load_base(base)
    network = Network(encoder)
    network.load_state_dict(state)
    network.eval()
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        # The exporter that traces is the old one; the new one fixes the number of mentions.
        warnings.simplefilter("ignore")
        full = Path(folder)
        _export_reader(network, full / "reader.onnx")
        _export_links(network, full / "links.onnx")
        for name in GRAPHS:
            _quantise(full / name, out / name)
            if kept is not None:
                _take_bits(kept / name, out / name)
    shutil.copy(base / "tokenizer.json", out / "tokenizer.json")
    names = (*GRAPHS, "tokenizer.json")
    manifest = {
        **details,
        "labels": labels.fingerprint(),
        "files": {n: sha256((out / n).read_bytes()).hexdigest() for n in names},
    }
    (out / "model.json").write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")


def _export_reader(network: Network, path: Path) -> None:
    torch.onnx.export(
        _Reader(network), (torch.full((1, 17), 5),), str(path), dynamo=False,
        input_names=["ids"], output_names=["states", "tags", "access", "verdict", "service", "access_words"],
        dynamic_axes={n: {1: "pieces"} for n in ("ids", "states", "tags", "access_words")}, opset_version=17,
    )  # fmt: skip


def _export_links(network: Network, path: Path) -> None:
    n = 5
    sample = (
        torch.randn(17, network.tags.in_features), torch.arange(1, n + 1), torch.arange(1, n + 1) + 1,
        torch.zeros(n, dtype=torch.long), torch.zeros(n, n, 3, dtype=torch.long),
    )  # fmt: skip
    axes = {
        "states": {0: "pieces"}, "first": {0: "n"}, "last": {0: "n"}, "kinds": {0: "n"},
        "features": {0: "n", 1: "n"}, "pairs": {0: "n", 1: "n"}, "types": {0: "n"},
        "field_flags": {0: "n"}, "entity_flags": {0: "n"},
    }  # fmt: skip
    torch.onnx.export(
        network.links, sample, str(path), dynamo=False, opset_version=17, dynamic_axes=axes,
        input_names=["states", "first", "last", "kinds", "features"],
        output_names=["pairs", "types", "field_flags", "entity_flags"],
    )  # fmt: skip


def _quantise(source: Path, target: Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(source, target, weight_type=QuantType.QInt8, per_channel=True)


def _take_bits(source: Path, target: Path) -> None:
    """Puts the 8-bit weights of one graph, their scales and zero points into another in which the network's parts are called the same:
    weights that come back from 8 bits may get another scale, by its last bit.

    Raises:
        ModelError: the graphs are of other weights.
    """
    import onnx

    graphs = [onnx.load(str(path)) for path in (source, target)]
    had, has = (_by_name(model.graph) for model in graphs)
    if had.keys() != has.keys() or any(list(had[key].dims) != list(tensor.dims) for key, tensor in has.items()):
        raise ModelError(f"The weights of {source.name} would be others.", hint="Give the base that the model was made from.")
    for key, tensor in has.items():
        name = tensor.name
        tensor.CopyFrom(had[key])
        tensor.name = name
    onnx.save(graphs[1], str(target))


def _by_name(graph: Any) -> dict[tuple[str, str], Any]:
    """What belongs to the 8-bit weights of a graph: by what the network calls them, and by what it is."""
    users = {name: node for node in graph.node for name in node.input}
    found = {}
    for tensor in graph.initializer:
        stem, what = next(((tensor.name.removesuffix(end), end) for end in _PARTS if tensor.name.endswith(end)), ("", ""))
        if what:
            found[called(stem, users), what] = tensor
    return found
