"""One Node process for all tests that run Workers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from clodo.edge.platform.server import WorkersServer
from clodo.toolchain import Toolchain


@pytest.fixture(scope="session")
def server(toolchain: Toolchain) -> Iterator[WorkersServer]:
    """It serves one model's Workers at a time: a fixture that keeps them running takes a server of its own."""
    with WorkersServer(toolchain) as made:
        yield made
