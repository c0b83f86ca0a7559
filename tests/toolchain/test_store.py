"""Installing the toolchain: whole or not at all, once, and a clear word where it cannot be."""

from __future__ import annotations

import json
import re
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from clodo.errors import ToolchainError
from clodo.toolchain import ensure, npm, status, store
from clodo.toolchain.pins import pins


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own."""
    monkeypatch.setenv("CLODO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


class FakeNpm:
    """Stands where npm is called: it makes the folder of packages, or fails as told."""

    def __init__(self, fail: BaseException | None = None) -> None:
        self.calls = 0
        self.fail = fail

    def __call__(self, staging: Path, node: Path, progress: object) -> None:
        self.calls += 1
        (staging / "node_modules" / "hono").mkdir(parents=True)
        (staging / "node_modules" / "hono" / "package.json").write_text("{}")
        if self.fail is not None:
            raise self.fail


def left(cache: Path) -> list[str]:
    """What is in the toolchain's folder besides lock files."""
    return [p.name for p in (cache / "toolchain").iterdir() if p.suffix != ".lock"]


def test_it_is_installed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    npm = FakeNpm()
    monkeypatch.setattr(store, "npm_ci", npm)
    said: list[str] = []
    first = ensure(said.append)
    assert (first.modules / "hono").is_dir() and first.node.is_file()
    assert ensure(said.append) == first and npm.calls == 1
    assert "once" in said[0]


@pytest.mark.parametrize("fault", [ToolchainError("no"), KeyboardInterrupt()])
def test_an_install_that_breaks_off_leaves_nothing_and_the_next_one_heals(
    fault: BaseException, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "npm_ci", FakeNpm(fault))
    with pytest.raises(type(fault)):
        ensure()
    assert left(cache) == []
    monkeypatch.setattr(store, "npm_ci", FakeNpm())
    assert (ensure().modules / "hono").is_dir()


def test_what_a_killed_install_left_is_cleared_away(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    npm = FakeNpm()
    monkeypatch.setattr(store, "npm_ci", npm)
    folder = ensure().modules.parent
    (folder / "complete").unlink()  # killed before the end: the mark is the last thing written
    stale = folder.parent / f"{folder.name}.tmp-dead"
    shutil.copytree(folder, stale)
    ensure()
    assert npm.calls == 2 and left(cache) == [folder.name]


@pytest.mark.parametrize("damage", [Path.unlink, lambda p: p.write_text("")])
def test_a_damaged_install_is_seen_and_healed(damage: Callable[[Path], object], monkeypatch: pytest.MonkeyPatch) -> None:
    npm = FakeNpm()
    monkeypatch.setattr(store, "npm_ci", npm)
    package = ensure().modules / "hono" / "package.json"
    assert {f.name: f for f in status()}["workers toolchain"].ok
    damage(package)
    found = {f.name: f for f in status()}["workers toolchain"]
    assert not found.ok and "damaged" in found.detail and found.remedy == "clodo doctor --install"
    ensure()
    assert npm.calls == 2 and package.read_text() == "{}"


def test_a_cache_that_cannot_be_used_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("CLODO_CACHE", str(tmp_path / "file"))
    with pytest.raises(ToolchainError, match="cannot be used") as failure:
        ensure()
    assert str(tmp_path / "file") in failure.value.message and "CLODO_CACHE" in failure.value.hint
    assert not {f.name: f for f in status()}["workers toolchain"].ok


def test_two_at_once_install_once(monkeypatch: pytest.MonkeyPatch) -> None:
    npm = FakeNpm()
    monkeypatch.setattr(store, "npm_ci", npm)
    threads = [threading.Thread(target=ensure) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert npm.calls == 1


@pytest.mark.slow
def test_without_network_it_says_what_is_missing_and_what_to_do(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    monkeypatch.delenv("npm_config_fetch_retries", raising=False)
    started = time.monotonic()
    monkeypatch.setenv("npm_config_cache", str(cache / "npm"))
    with pytest.raises(ToolchainError) as failure:
        ensure()
    assert "npm packages" in failure.value.message
    assert "clodo doctor --install" in failure.value.hint and "CLODO_CACHE" in failure.value.hint
    assert failure.value.to_json()["retryable"] is True
    assert left(cache) == []
    assert time.monotonic() - started < 30


def test_a_package_that_is_not_what_it_should_be_is_not_worth_another_try() -> None:
    error = npm._failure("npm error code EINTEGRITY\nnpm error sha512-… integrity checksum failed\n")
    assert not error.retryable and "EINTEGRITY" in error.message


def test_the_doctor_knows_the_remedy() -> None:
    found = {f.name: f for f in status()}
    assert found["node"].ok and not found["workers toolchain"].ok
    assert found["workers toolchain"].remedy == "clodo doctor --install"


def test_every_pin_is_exact() -> None:
    for name, version in pins().items():
        assert re.fullmatch(r"\d+\.\d+\.\d+(-[\w.]+)?|\d{4}-\d\d-\d\d", version), f"{name} {version}"


def test_every_package_is_locked_to_a_hash_and_to_no_host() -> None:
    packages = json.loads(store.lock_text())["packages"]
    wanted = store.manifest()["dependencies"]
    assert packages.pop("")["dependencies"] == wanted
    for name, package in packages.items():
        assert package["integrity"].startswith("sha512-") and "resolved" not in package, name
