"""Services on disk: in place when they hold, and the folder as it was when anything fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from clodo.app import services
from clodo.app.services import Unproven, put_service
from clodo.blueprint import parse
from clodo.errors import WorkspaceError
from clodo.proof.report import Evidence, Report

SOURCE = "service shop\n\nentity book {\n  title: text required\n}\n"


def put(directory: Path, **options: bool) -> services.Built:
    return put_service(parse(SOURCE), SOURCE, directory, **{"prove": False, **options})  # type: ignore[arg-type]


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


@pytest.fixture
def failing_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proof that finds a fault."""
    fault = Evidence("resources.unique", "book.isbn: unique", "failed", "it took both")
    monkeypatch.setattr(services, "ensure", lambda _: None)
    monkeypatch.setattr(services, "verify", lambda *_: Report("shop", (fault,)))


def test_a_service_stands_in_its_folder_and_nothing_else_does(tmp_path: Path) -> None:
    built = put(tmp_path / "a" / "shop")
    assert names(tmp_path / "a") == ["shop"]
    assert (built.directory / "src" / "index.ts").is_file()
    assert built.files == sum(p.is_file() and p.name != ".dev.vars" for p in built.directory.rglob("*"))


def test_an_empty_folder_is_used(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    assert put(tmp_path / "shop").directory.is_dir()


@pytest.mark.usefixtures("failing_proof")
def test_what_is_not_proven_is_not_put_in_place(tmp_path: Path) -> None:
    with pytest.raises(Unproven, match="it took both"):
        put(tmp_path / "shop", prove=True)
    assert names(tmp_path) == []


@pytest.mark.usefixtures("failing_proof")
def test_with_force_the_old_service_stays_when_the_new_one_fails(tmp_path: Path) -> None:
    put(tmp_path / "shop")
    (tmp_path / "shop" / "mine.txt").write_text("mine")
    before = names(tmp_path / "shop")
    with pytest.raises(Unproven):
        put(tmp_path / "shop", prove=True, force=True)
    assert names(tmp_path / "shop") == before and names(tmp_path) == ["shop"]


def test_force_replaces_the_folder(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "old.txt").write_text("old")
    put(tmp_path / "shop", force=True)
    assert "old.txt" not in names(tmp_path / "shop") and names(tmp_path) == ["shop"]


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "shop").write_text("x")
    with pytest.raises(WorkspaceError, match="is a file"):
        put(tmp_path / "shop", force=True)


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(WorkspaceError, match="cannot be written"):
        put(tmp_path / "file" / "shop")


def test_interrupted_while_it_is_proven_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> Report:
        raise KeyboardInterrupt

    monkeypatch.setattr(services, "ensure", lambda _: None)
    monkeypatch.setattr(services, "verify", interrupt)
    with pytest.raises(KeyboardInterrupt):
        put(tmp_path / "shop", prove=True)
    assert names(tmp_path) == []
