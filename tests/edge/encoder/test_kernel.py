"""The kernels hold against onnxruntime bit for bit, in both builds; the weights file is what the graphs hold."""

from __future__ import annotations

import json
import subprocess
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from evals.edge_agreement import MODEL

from clodo.corpus.splits import load_split
from clodo.edge.bundle import Bundle
from clodo.edge.encoder import bundle
from clodo.edge.encoder.arithmetic import Arithmetic, _model, can_saturate
from clodo.edge.encoder.onnx import Node, read_graph
from clodo.edge.encoder.tables import front_coded
from clodo.edge.encoder.weights import pack
from clodo.errors import ModelError
from clodo.toolchain.store import node_path
from clodo.understand import labels
from clodo.understand.encoder import EncoderUnderstander
from clodo.understand.reading import pair_features, read

TEXTS = [
    "A book has a title.",
    "A library lends books; each book has a title (required), an ISBN and a price of at least 0.5. Members log in. " * 2,
    "Teams, players and matches. " * 60,
]
PRODUCT = _model("MatMulInteger", {"a": np.zeros((2, 32), np.uint8), "b": np.zeros((32, 16), np.int8)}, 6, (2, 16))
#: Decisions about a whole text, and about a mention.
WHOLE = len(labels.ACCESS) + len(labels.VERDICTS) + len(labels.SERVICE_TYPES)
SAID = len(labels.CLASSES) + len(labels.FIELD_FLAGS) + len(labels.ENTITY_FLAGS)


def reference(text: str, understander: EncoderUnderstander) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a kernel is asked about a text, every fourth word a mention, and what onnxruntime answers."""
    reading = read(text, understander._tokenizer)
    ids = np.array([reading.pieces], dtype=np.int64)
    states, tags, *whole, _ = understander._reader.run(None, {"ids": ids})
    spans = [(i, min(i + i % 3, len(reading.words) - 1)) for i in range(0, len(reading.words), 4)]
    kinds = [i % len(labels.KINDS) for i in range(len(spans))]
    entity = [k == 0 for k in kinds]
    first, last = [reading.first[a] for a, _ in spans], [reading.last[b] for _, b in spans]
    pairs, *said = understander._links.run(
        None,
        {
            "states": states[0], "first": np.array(first), "last": np.array(last), "kinds": np.array(kinds),
            "features": pair_features(reading, spans, entity),
        },
    )  # fmt: skip
    links = {
        "n": len(spans), "labels": len(labels.PAIRS), "said": SAID, "firsts": first, "lasts": last, "kinds": kinds,
        "places": [a for a, _ in spans], "lines": [reading.sentences[a] for a, _ in spans], "marks": np.cumsum([0, *entity])[:-1].tolist(),
    }  # fmt: skip
    asked = {"ids": reading.pieces, "hidden": states.shape[-1], "tags": len(labels.TAGS), "whole": WHOLE, "links": links}
    return asked, {"states": states, "tags": tags, "whole": np.concatenate(whole, 1), "said": np.concatenate(said, 1), "pairs": pairs}


@pytest.fixture(scope="module")
def weights(made: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "weights.bin"
    assets = made.workers[0].assets
    path.write_bytes(b"".join(assets[name] for name in sorted(assets) if name.startswith("weights-")))
    return path


@pytest.fixture(scope="module")
def references() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    understander = EncoderUnderstander(MODEL)
    return [reference(text, understander) for text in [*TEXTS, *(r.text for r in load_split("valid")[:12])]]


@pytest.mark.parametrize("module", ["encoder.wasm", "encoder-base.wasm"])
def test_scores_are_the_machines_to_the_last_bit(module: str, weights: Path, made: Bundle, references: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    wasm = files("clodo.edge").joinpath("wasm", module)
    command = [str(node_path()), str(Path(__file__).with_name("kernel.mjs")), str(wasm), str(weights)]
    done = subprocess.run(command, input=json.dumps([asked for asked, _ in references]), capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    for answer, (_, wanted) in zip(found["answers"], references, strict=True):
        for name in ("states", "tags", "whole", "said"):
            np.testing.assert_array_equal(np.array(answer[name], np.float32), wanted[name].ravel(), name)
        powers = np.exp(np.clip(wanted["pairs"].ravel().astype(float), -25, 25))
        np.testing.assert_allclose(answer["pairs"], powers, rtol=1e-6)
    assert found["bytes"] / 1e6 < made.workers[0].planned_mb


def test_sums_that_cannot_overflow_need_no_second_arithmetic() -> None:
    small = np.full((4, 2), 64, np.int8)
    assert not can_saturate(small)
    assert can_saturate(np.full((4, 2), 65, np.int8))


def test_graphs_are_read_without_the_package() -> None:
    graph = read_graph(PRODUCT)
    assert graph.nodes == (Node("MatMulInteger", ("a", "b"), ("y",)),)
    for broken in (b"", b"\x0a", b"ONNX", (MODEL / "links.onnx").read_bytes()[:1000]):
        with pytest.raises(ModelError):
            read_graph(broken)


def test_other_graphs_are_refused() -> None:
    graph = read_graph(PRODUCT)
    with pytest.raises(ModelError, match="cannot run in a Worker"):
        pack(graph, graph, Arithmetic(paired=False, wide=False))


def test_a_model_that_does_not_fit_is_refused_with_its_size() -> None:
    with pytest.raises(ModelError, match=r"needs \d+ MB in a Worker, and 20 MB are allowed"):
        bundle(MODEL, 20)


def test_word_lists_hold_their_words() -> None:
    words = sorted({"a", "ab", "abc", "b", *(f"word{chr(97 + i % 26)}{chr(97 + i // 26)}" for i in range(100))})
    data, found, before, at = front_coded(words), [], "", 0
    while at < len(data):
        shared, at, word = data[at], at + 1, ""
        while not data[at] & 0x80:
            word, at = word + chr(data[at]), at + 1
        before = before[:shared] + word + chr(data[at] & 0x7F)
        found.append(before)
        at += 1
    assert found == words
