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


class Healthy:
    """The answer of a service that is up."""

    status_code = 200


@pytest.fixture
def healthy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is served answers."""
    monkeypatch.setattr("clodo.app.serving.httpx.get", lambda *_, **__: Healthy())


def edit(path: Path, text: str) -> None:
    """As an editor does it: the time of writing is another."""
    path.write_text(text, "utf-8")
    os.utime(path, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns + 1_000_000))


NEW = SOURCE.replace("title", "headline")


@pytest.mark.usefixtures("healthy")
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_an_edit_of_the_blueprint_builds_the_service_anew(mark: str, service: Path) -> None:
    said: list[str] = []
    steps = serve(service, 9, lambda _: None, said.append)
    next(steps)
    secrets = (service / ".dev.vars").read_text()
    edit(service / "blueprint.clodo", mark + NEW)
    next(steps)
    assert "headline" in (service / "src/entities/book.ts").read_text()
    assert (service / ".dev.vars").read_text() == secrets
    assert len(FakeHost.served) == 2 and said == ["Built anew from blueprint.clodo."]
    next(steps)
    assert len(FakeHost.served) == 2 and len(said) == 1


@pytest.mark.usefixtures("healthy")
def test_a_blueprint_that_was_edited_before_is_built_at_the_start(service: Path) -> None:
    edit(service / "blueprint.clodo", NEW)
    next(serve(service, 9, lambda _: None, lambda _: None))
    assert "headline" in (service / "src/entities/book.ts").read_text() and len(FakeHost.served) == 1


@pytest.mark.usefixtures("healthy")
def test_edits_of_other_files_are_not_lost_and_the_command_is_told(service: Path) -> None:
    said: list[str] = []
    steps = serve(service, 9, lambda _: None, said.append)
    next(steps)
    mine = (service / "src/entities/book.ts").read_text() + "// mine\n"
    edit(service / "src/entities/book.ts", mine)
    next(steps)
    edit(service / "blueprint.clodo", NEW)
    next(steps)
    next(steps)
    assert (service / "src/entities/book.ts").read_text() == mine and len(FakeHost.served) == 2
    assert len(said) == 1 and "src/entities/book.ts" in said[0]
    assert f"clodo build {service}/blueprint.clodo -o {service} --force --discard-edits" in said[0]


@pytest.mark.usefixtures("healthy")
@pytest.mark.parametrize(("text", "words"), [(SOURCE.replace("text", "string"), "line 4"), ("\udcff", "UTF-8")])
def test_a_blueprint_that_makes_no_sense_is_told_and_the_service_stays(text: str, words: str, service: Path) -> None:
    said: list[str] = []
    steps = serve(service, 9, lambda _: None, said.append)
    next(steps)
    (service / "blueprint.clodo").write_bytes(text.encode("utf-8", "surrogateescape"))
    os.utime(service / "blueprint.clodo", (0, 0))
    next(steps)
    next(steps)
    assert len(FakeHost.served) == 1 and len(said) == 1
    assert said[0].startswith("Not built anew from blueprint.clodo") and words in said[0]
