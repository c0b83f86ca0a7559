"""``clodo dev``: what it watches, and the variables it gives to the service."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import pytest

from clodo.app import serving
from clodo.app.serving import serve
from clodo.app.variables import read_variables
from clodo.blueprint import parse
from clodo.bricks.registry import service_tree
from clodo.emit.tree import write_tree
from clodo.errors import ProofError
from clodo.proof.host import Served

SOURCE = "service shop\n\nentity book {\n  title: text required\n}\n"


class FakeHost:
    """A host that notes what it is asked to serve; nobody listens at its address."""

    served: list[Mapping[str, str]] = []

    def __init__(self, _: object) -> None:
        self.served.clear()

    def __enter__(self) -> FakeHost:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        return

    def serve(self, directory: Path, *, bindings: Mapping[str, str], port: int, persist: Path) -> Served:
        """Notes it."""
        self.served.append(bindings)
        return Served(f"http://127.0.0.1:{port}", 0, ())


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A service, and no runtime."""
    write_tree(service_tree(parse(SOURCE), SOURCE), tmp_path / "shop", ["API_KEY"])
    monkeypatch.setattr(serving, "ensure", lambda _: None)
    monkeypatch.setattr(serving, "Host", FakeHost)
    monkeypatch.setattr(serving, "_PAUSE_SECONDS", 0)
    return tmp_path / "shop"


@pytest.mark.parametrize("name", ["wrangler.jsonc", ".dev.vars", "src/index.ts", "openapi.json", "migrations/0002.sql"])
def test_a_change_is_served_anew(name: str, service: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Healthy:
        status_code = 200

    monkeypatch.setattr("clodo.app.serving.httpx.get", lambda *_, **__: Healthy())
    steps = serve(service, 9, lambda _: None, lambda _: None)
    next(steps)
    next(steps)
    assert len(FakeHost.served) == 1
    (service / name).touch()
    os.utime(service / name, ns=(1, 1))
    next(steps)
    assert len(FakeHost.served) == 2 and set(FakeHost.served[0]) == {"API_KEY"}


def test_a_service_that_does_not_answer_is_told(service: Path) -> None:
    with pytest.raises(ProofError, match="does not answer /health"):
        next(serve(service, 9, lambda _: None, lambda _: None))


def test_variables_are_read_as_they_are_written(tmp_path: Path) -> None:
    (tmp_path / ".dev.vars").write_bytes(b'# NO=1\n A = "b=c"\nB=\xff\n\nwords\n')
    assert read_variables(tmp_path / ".dev.vars") == {"A": "b=c", "B": "\ufffd"}
    assert read_variables(tmp_path / "nowhere") == {}
