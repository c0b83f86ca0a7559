"""A model that is small enough to be made for a test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.edge.llama.tiny import tiny_gguf


@pytest.fixture(scope="module")
def gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_gguf(tmp_path_factory.mktemp("tiny") / "tiny.gguf")
