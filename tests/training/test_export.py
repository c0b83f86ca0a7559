"""The graphs of a model say what the network says, and are written anew with the same weights."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from clodo.errors import ModelError
from clodo.understand.encoder import EncoderUnderstander
from tests.training.tiny import tiny_base, untrained

torch = pytest.importorskip("torch", reason="training needs `pip install 'clodo[train]'`")
pytestmark = pytest.mark.slow

DETAILS = {"name": "tiny", "version": "1", "kind": "encoder", "licence": "MIT", "calibration": {"field": [0.5, -0.5, 0.1, 0.0]}}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def weights(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return untrained(base, tmp_path_factory.mktemp("weights") / "weights.pt")


@pytest.fixture(scope="module")
def model(base: Path, weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from clodo.training.export import export

    folder = tmp_path_factory.mktemp("model")
    export(weights, base, folder, DETAILS)
    return folder


@pytest.mark.filterwarnings("ignore")
def test_the_readers_graph_says_what_the_network_says(base: Path, weights: Path, tmp_path: Path) -> None:
    import onnxruntime

    from clodo.training.base import load_base
    from clodo.training.export import _export_reader
    from clodo.training.files import load_tensors
    from clodo.training.network import Network

    network = Network(load_base(base)[0])
    network.load_state_dict(load_tensors(weights))
    with torch.no_grad():
        for layer in network.encoder.encoder.layer:
            for side in (layer.attention.self.query, layer.attention.self.key):
                side.weight *= 40  # so that some pieces are looked at more than others
    _export_reader(network, tmp_path / "reader.onnx")
    network.eval()  # the exporter leaves it in training
    session = onnxruntime.InferenceSession(str(tmp_path / "reader.onnx"), providers=["CPUExecutionProvider"])
    for length in (2, 17, 200):
        ids = torch.arange(length)[None] % network.encoder.config.vocab_size
        with torch.no_grad():
            wanted = [*network(ids, torch.ones_like(ids))]
            wanted.append(network.access_words(wanted[0], wanted[2]))
        for found, said in zip(session.run(None, {"ids": ids.numpy()}), wanted, strict=True):
            np.testing.assert_allclose(found, said.numpy(), atol=1e-4, err_msg=f"{length} pieces")


def test_a_model_is_written_again_as_it_is(model: Path, base: Path, tmp_path: Path) -> None:
    from clodo.training.export import export_again
    from clodo.training.restore import GRAPHS, named_weights

    export_again(model, base, tmp_path)
    for graph in GRAPHS:
        had, has = (dict(named_weights(folder / graph)) for folder in (model, tmp_path))
        assert had.keys() == has.keys()
        assert len(had) > 40
        assert all(weight.tobytes() == has[name].tobytes() for name, weight in had.items())
    assert json.loads((tmp_path / "model.json").read_text("utf-8")) == json.loads((model / "model.json").read_text("utf-8"))
    assert EncoderUnderstander(tmp_path).understand("Each book has a title.").model == "tiny 1"


def test_a_model_is_not_written_again_from_another_base(model: Path, tmp_path: Path) -> None:
    from clodo.testing.bases import write_tiny_base
    from clodo.training.export import export_again

    with pytest.raises(ModelError, match="was made from another base"):
        export_again(model, write_tiny_base(tmp_path / "other", ["book"], width=16), tmp_path / "made")
