"""Shared fixtures: the toolchain and the examples."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from clodo.proof.host import Host
from clodo.toolchain import Toolchain, ensure

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.clodo"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="Write the golden trees anew.")
    parser.addoption("--all-faults", action="store_true", help="Plant every fault, not one for each check, and try every example.")


def pytest_configure() -> None:
    """What a shell starts in the background is deaf to Ctrl-C, with all that it starts; some tests press it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of the faults that one check is to catch, the first is planted: it shows that the check can fail. ``make faults`` plants
    all of them, for whoever changes a brick or its checks; so does a call that names a test or a word."""
    if config.getoption("--all-faults") or config.option.keyword or any("::" in str(arg) for arg in config.args):
        return
    first: dict[tuple[Path, str], str] = {}
    for item in sorted(items, key=lambda i: i.nodeid):
        if caught_by := _caught_by(item):
            first.setdefault((item.path, caught_by), item.nodeid)
    left = [i for i in items if (by := _caught_by(i)) and first[i.path, by] != i.nodeid]
    config.hook.pytest_deselected(items=left)
    items[:] = [i for i in items if i not in left]


def _caught_by(item: pytest.Item) -> str:
    """The check that a planted fault is for; empty for every other test."""
    params = getattr(item, "callspec", None)
    return next((v.caught_by for v in params.params.values() if hasattr(v, "caught_by")), "") if params is not None else ""


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
