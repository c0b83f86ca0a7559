"""An encoder model as the one Worker that runs it."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from clodo.edge.bundle import Bundle, WorkerFiles
from clodo.edge.encoder.arithmetic import Arithmetic, of_this_machine
from clodo.edge.encoder.onnx import read_graph
from clodo.edge.encoder.openapi import openapi
from clodo.edge.encoder.tables import front_coded, known_words, tables, to_json
from clodo.edge.encoder.weights import Weights, pack
from clodo.edge.shared_ts import shared_sources
from clodo.errors import ModelError
from clodo.understand.encoder import EncoderUnderstander
from clodo.understand.reading import load_tokenizer

#: The most bytes of one file of weights; Cloudflare takes 25 MiB.
_PART_BYTES = 8 * 1024 * 1024
#: What the JavaScript heap is allowed, in MB, with as many of the longest texts at once as the routes admit: 5 are held, the rest is
#: what V8 lets lie before it clears up. ``tests/edge/platform/test_benchmark.py`` holds it against that load.
_HEAP_MB = 16.5


def bundle(folder: Path, budget_mb: float, *, arithmetic: Arithmetic | None = None, relaxed: bool = True) -> Bundle:
    """The Worker of an encoder model (a folder as ``clodo.training.export`` makes it), with a planned peak below
    ``budget_mb`` (MB of 10⁶ bytes). ``arithmetic`` says how it sums; where it is not given, as
    this machine does it, so that both come to the same decisions. Without ``relaxed`` the kernels keep to base SIMD, which gives
    the same bits more slowly, for runtimes that refuse relaxed SIMD when a script is uploaded.

    Raises:
        ModelError: the folder holds no model that can run here, or it does not fit; the figures are told.
    """
    EncoderUnderstander(folder)  # refuses what is altered or made for other labels
    manifest = json.loads((folder / "model.json").read_text("utf-8"))
    reader, links = (read_graph((folder / name).read_bytes()) for name in ("reader.onnx", "links.onnx"))
    weights = pack(reader, links, arithmetic or of_this_machine())
    planned = weights.memory_bytes / 1e6 + _HEAP_MB
    if planned > budget_mb:
        raise ModelError(
            f"The model needs {planned:.0f} MB in a Worker, and {budget_mb:.0f} MB are allowed.", hint="Raise --budget-mb, or choose a smaller model."
        )
    name = f"{manifest['name']} {manifest['version']}"
    assets, layout = _assets(folder, manifest, weights)
    worker = WorkerFiles("front", _sources(name, layout, relaxed=relaxed), planned, assets)
    return Bundle("encoder", name, (worker,), ("/v1/blueprint",))


def _assets(folder: Path, manifest: dict[str, Any], weights: Weights) -> tuple[dict[str, bytes], dict[str, Any]]:
    """The files that the Worker loads, and what it is told of them."""
    tokenizer = load_tokenizer(folder)
    assets = {
        "tables.json": to_json(tables(manifest, tokenizer)),
        "words.bin": front_coded(known_words(tokenizer)),
    }
    parts = []
    for number, start in enumerate(range(0, len(weights.data), _PART_BYTES)):
        path, data = f"weights-{number}.bin", weights.data[start : start + _PART_BYTES]
        assets[path] = data
        parts.append({"path": path, "bytes": len(data)})
    return assets, {"weights": parts}


def _sources(model: str, layout: dict[str, Any], *, relaxed: bool) -> dict[str, str | bytes]:
    here = files("clodo.edge.encoder").joinpath("ts")
    own = sorted(p.name for p in here.iterdir() if p.name.endswith(".ts"))
    text = json.dumps(layout, indent=2)
    return {
        **{f"src/{name}": here.joinpath(name).read_text("utf-8") for name in own},
        "src/layout.ts": f"/** The files of weights, in the order in which they lie in memory. */\nexport const layout = {text} as const;\n",
        "src/openapi.json": json.dumps(openapi(model), indent=1, ensure_ascii=False) + "\n",
        "src/encoder.wasm": files("clodo.edge").joinpath("wasm", "encoder.wasm" if relaxed else "encoder-base.wasm").read_bytes(),
        **shared_sources(),
    }
