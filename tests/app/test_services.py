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
    with pytest.raises(Unproven, match="1 of 1 checks failed") as failure:
        put(tmp_path / "shop", prove=True)
    assert failure.value.details == ("book.isbn: unique [resources.unique]: it took both",)
    assert names(tmp_path) == []


@pytest.mark.usefixtures("failing_proof")
def test_with_force_the_old_service_stays_when_the_new_one_fails(tmp_path: Path) -> None:
    put(tmp_path / "shop")
    (tmp_path / "shop" / "mine.txt").write_text("mine")
    before = names(tmp_path / "shop")
    with pytest.raises(Unproven):
        put(tmp_path / "shop", prove=True, force=True)
    assert names(tmp_path / "shop") == before and names(tmp_path) == ["shop"]


def snapshot(folder: Path) -> dict[str, bytes]:
    """Every file and its content."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


OTHER = "service shop\n\nusers {\n  nickname: text\n}\n\nentity film {\n  title: text required\n}\n"


def put_other(directory: Path, *, discard_edits: bool = False) -> services.Built:
    return put_service(parse(OTHER), OTHER, directory, prove=False, force=True, discard_edits=discard_edits)


def test_force_replaces_what_was_generated_and_keeps_everything_else(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    put(shop)
    own = {".git/HEAD": "ref", ".wrangler/clodo-dev/db": "rows", "node_modules/hono/index.js": "1", "thesis.txt": "mine", "src/entities/mine.ts": "mine"}  # fmt: skip
    for name, text in own.items():
        (shop / name).parent.mkdir(parents=True, exist_ok=True)
        (shop / name).write_text(text)
    (shop / ".dev.vars").write_text("# mine\nAPI_KEY=kept\nOTHER=too")
    put_other(shop)
    now = snapshot(shop)
    assert {n: now[n].decode() for n in own} == own
    assert "src/entities/film.ts" in now and "src/entities/book.ts" not in now
    secrets = now[".dev.vars"].decode()
    assert secrets.startswith("# mine\nAPI_KEY=kept\nOTHER=too\n") and "\nJWT_SECRET=" in secrets
    assert names(tmp_path) == ["shop"] and not [n for n in names(shop) if n.startswith(".clodo")]
    put_other(shop)
    assert snapshot(shop) == now


def test_force_takes_no_folder_that_is_not_of_clodo(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "thesis.txt").write_text("mine")
    for discard in (False, True):
        with pytest.raises(WorkspaceError, match="no service of Clodo's"):
            put(tmp_path / "precious", force=True, discard_edits=discard)
    assert snapshot(tmp_path) == {"precious/thesis.txt": b"mine"}


def test_edited_files_are_named_and_kept_unless_one_says_so(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    put(shop)
    (shop / "src" / "index.ts").write_bytes(b"// caf\xe9")  # a person's, and not even UTF-8
    (shop / "src" / "entities" / "book.ts").write_text("// mine")  # the new service has no such file
    (shop / "src" / "entities" / "film.ts").write_text("// mine")  # and this one has it
    before = snapshot(shop)
    with pytest.raises(WorkspaceError, match="left as it is: src/entities/book.ts, src/entities/film.ts, src/index.ts") as refused:
        put_other(shop)
    assert "--discard-edits" in refused.value.hint and snapshot(shop) == before
    put_other(shop, discard_edits=True)
    assert b"mine" not in b"".join(snapshot(shop).values())


def test_the_blueprint_of_the_folder_may_be_edited_and_built_in_place(tmp_path: Path) -> None:
    put(tmp_path / "shop")
    (tmp_path / "shop" / "blueprint.clodo").write_text(OTHER)
    put_other(tmp_path / "shop")
    assert (tmp_path / "shop" / "src" / "entities" / "film.ts").is_file()


def test_a_failure_half_way_leaves_the_folder_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = tmp_path / "shop"
    put(shop)
    (shop / "mine.txt").write_text("mine")
    before, entries = snapshot(shop), sorted(p.name for p in shop.rglob("*"))
    rename, left = Path.rename, 0

    def failing(self: Path, target: Path) -> Path:
        nonlocal left
        left -= 1
        if left == 0:
            raise KeyboardInterrupt
        return rename(self, target)

    for stop in (1, 2, 9, 20):
        left = stop
        monkeypatch.setattr(Path, "rename", failing)
        with pytest.raises(KeyboardInterrupt):
            put_other(shop)
        monkeypatch.setattr(Path, "rename", rename)
        assert snapshot(shop) == before and sorted(p.name for p in shop.rglob("*")) == entries
    assert names(tmp_path) == ["shop"]


def test_a_folder_in_the_place_of_a_file_is_told_and_everything_stays(tmp_path: Path) -> None:
    (tmp_path / "shop" / "README.md").mkdir(parents=True)
    put(tmp_path / "other")
    (tmp_path / "other" / "clodo-service-manifest.json").rename(tmp_path / "shop" / "clodo-service-manifest.json")
    before = snapshot(tmp_path / "shop")
    with pytest.raises(WorkspaceError, match="README.md' cannot be written"):
        put(tmp_path / "shop", force=True, discard_edits=True)
    assert snapshot(tmp_path / "shop") == before and (tmp_path / "shop" / "README.md").is_dir()


def test_what_is_written_during_the_proof_is_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def prove(*_: object) -> Report:
        (tmp_path / "shop" / "README.md").write_text("mine")
        return Report("shop", (Evidence("x", "x", "passed"),), timings_ms={"total": 1.0})

    (tmp_path / "shop").mkdir()
    monkeypatch.setattr(services, "ensure", lambda _: None)
    monkeypatch.setattr(services, "verify", prove)
    with pytest.raises(WorkspaceError, match="not empty"):
        put(tmp_path / "shop", prove=True)
    assert snapshot(tmp_path) == {"shop/README.md": b"mine"}


def test_the_manifest_leads_nowhere_outside(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    put(shop)
    (tmp_path / "precious.txt").write_text("mine")
    manifest = shop / "clodo-service-manifest.json"
    manifest.write_text(manifest.read_text().replace('"files": {', '"files": {"../precious.txt": "00",', 1))
    put_other(shop, discard_edits=True)
    assert (tmp_path / "precious.txt").read_text() == "mine"


def test_data_of_older_tables_are_told(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    put(shop)
    (shop / ".wrangler").mkdir()
    said: list[str] = []
    put_service(parse(SOURCE), SOURCE, shop, prove=False, force=True, progress=said.append)
    assert said == []
    put_service(parse(OTHER), OTHER, shop, prove=False, force=True, progress=said.append)
    assert "tables have changed" in said[0]


def test_the_folder_that_one_stands_in_is_filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    put(Path())
    assert Path("src/index.ts").is_file() and names(tmp_path) == ["here"]
    put(Path(), force=True)


def test_a_link_stays_a_link_and_its_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    put(tmp_path / "link")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real" / "src" / "index.ts").is_file()
    assert names(tmp_path) == ["link", "real"]
    (tmp_path / "circle").symlink_to("circle")
    with pytest.raises(WorkspaceError):
        put(tmp_path / "circle")


@pytest.mark.usefixtures("failing_proof")
def test_folders_made_on_the_way_go_with_a_failure(tmp_path: Path) -> None:
    with pytest.raises(Unproven):
        put(tmp_path / "a" / "b" / "shop", prove=True)
    assert names(tmp_path) == []


def test_every_failure_of_a_proof_is_there_to_look_at() -> None:
    faults = tuple(Evidence(f"x.{i}", "rule", "failed", "seen", request="GET /", answer="500") for i in range(7))
    error = Unproven(Report("shop", (Evidence("ok", "rule", "passed"), *faults)))
    assert len(error.details) == 6 and error.details[-1] == "… and 2 more"
    assert "[x.0]" in error.details[0] and "GET /" in error.details[0] and "500" in error.details[0]
    found = error.to_json()["failures"]
    assert isinstance(found, list) and [f["id"] for f in found] == [e.id for e in faults]


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
