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

from clodo.training.base import load_base
from clodo.training.files import load_tensors
from clodo.training.network import Network
from clodo.understand import labels


class _Reader(nn.Module):
    """The part that reads one text, without a mask (there is no padding)."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, ids: Tensor) -> tuple[Tensor, ...]:
        states, tags, access, verdict, service = self.network(ids, torch.ones_like(ids))
        return states, tags, access, verdict, service, self.network.access_words(states, access)


def export(weights: Path, base: Path, out: Path, details: dict[str, Any]) -> None:
    """Writes the model folder ``out``."""
    encoder, _ = load_base(base)
    network = Network(encoder)
    network.load_state_dict(load_tensors(weights))
    network.eval()
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        # The exporter that traces is the old one; the new one fixes the number of mentions.
        warnings.simplefilter("ignore")
        full = Path(folder)
        _export_reader(network, full / "reader.onnx")
        _export_links(network, full / "links.onnx")
        for name in ("reader.onnx", "links.onnx"):
            _quantise(full / name, out / name)
    shutil.copy(base / "tokenizer.json", out / "tokenizer.json")
    names = ("reader.onnx", "links.onnx", "tokenizer.json")
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
