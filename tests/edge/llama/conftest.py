"""A model that is small enough to be made for a test, and one Node process for tests that serve many, one after another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from clodo.edge.platform.server import WorkersServer
from clodo.toolchain import Toolchain
from tests.edge.llama.tiny import tiny_gguf


@pytest.fixture(scope="module")
def gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_gguf(tmp_path_factory.mktemp("tiny") / "tiny.gguf")


@pytest.fixture(scope="module")
def server(toolchain: Toolchain) -> Iterator[WorkersServer]:
    with WorkersServer(toolchain) as made:
        yield made
