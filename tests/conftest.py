"""Shared fixtures: the toolchain and the examples."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from clodo.proof.host import Host
from clodo.toolchain import Toolchain, ensure

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.clodo"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="Write the golden trees anew.")


@pytest.fixture(scope="session")
def toolchain() -> Toolchain:
    """The Workers toolchain, fetched once."""
    return ensure(print)


@pytest.fixture(scope="session")
def host(toolchain: Toolchain) -> Iterator[Host]:
    """One runtime process for all tests that need workerd."""
    with Host(toolchain) as made:
        yield made


@pytest.fixture(params=EXAMPLES, ids=lambda p: p.stem)
def example(request: pytest.FixtureRequest) -> Path:
    """Each example blueprint."""
    path = request.param
    assert isinstance(path, Path)
    return path
