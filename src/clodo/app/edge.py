"""Models in Workers, for the command line: built into a folder, served here, deployed, measured."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import as_file, files
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import httpx2 as httpx

from clodo.app.folders import put_in_place, real_folder, replace_files
from clodo.app.models import DEFAULT_MODEL
from clodo.app.variables import read_variables
from clodo.edge.bundle import Bundle
from clodo.edge.platform.benchmark import Figures, measure
from clodo.edge.platform.configuration import Options
from clodo.edge.platform.folder import (
    MANIFEST,
    SECRETS_FILE,
    check_name,
    folder_tree,
    free_folder,
    read_manifest,
    stage_folder,
    write_tree,
)
from clodo.edge.platform.scripts import check_scripts
from clodo.edge.platform.server import WorkersServer
from clodo.edge.platform.workers import worker_folders
from clodo.errors import ClodoError, ModelError, ProofError, UsageError
from clodo.runtime.store import catalogue, fetch
from clodo.toolchain import Progress, ensure

_PAUSE_SECONDS = 0.4
_LOADING_SECONDS = 60


@dataclass(frozen=True)
class BuiltModel:
    """A model's Workers in their folder; ``gzip`` is the size of each script in bytes."""

    directory: Path
    bundle: Bundle
    options: Options
    gzip: dict[str, int]


@dataclass(frozen=True)
class Source:
    """What Workers are made of: a folder of Clodo's own kind of model, or a GGUF file."""

    kind: Literal["encoder", "llama"]
    path: Path


def source_of(reference: str, progress: Progress = lambda _: None, *, also: str = "") -> Source:
    """The model of a reference: ``clodo-1`` or a folder of a model of that kind, a GGUF file, or a name of the catalogue.
    ``also`` is what else the caller takes, for the hint.

    Raises:
        UsageError: the reference is none of these.
        ModelError: the model cannot be had, or is of no kind that runs in Workers.
    """
    if reference == DEFAULT_MODEL:
        with as_file(files("clodo.models").joinpath(DEFAULT_MODEL)) as folder:
            return Source("encoder", Path(folder))
    if reference in catalogue():
        return Source("llama", fetch(catalogue()[reference], progress))
    path = Path(reference.removeprefix("file:")).expanduser()
    if path.is_dir():
        return _folder_source(path)
    if path.is_file():
        return _file_source(path)
    known = ", ".join([DEFAULT_MODEL, *catalogue()])
    raise UsageError(
        f"There is no model {reference!r}, and no file or folder of that name.",
        hint=f"Use one of {known}, a folder of a trained model, {also}or a GGUF file.",
    )


def _file_source(path: Path) -> Source:
    with path.open("rb") as file:
        if file.read(4) == b"GGUF":
            return Source("llama", path)
    raise ModelError(f"{path.name!r} is no GGUF file.", hint="Choose another file.")


def _folder_source(folder: Path) -> Source:
    """A folder that ``clodo train`` made holds an encoder, or one language model."""
    if (folder / "reader.onnx").is_file():
        return Source("encoder", folder)
    found = sorted(folder.glob("*.gguf"))
    if len(found) == 1:
        return _file_source(found[0])
    raise ModelError(
        f"The folder {str(folder)!r} holds no model that runs in Workers.", hint="Name a model's folder, or a GGUF file."
    )


def bundle_of(source: Source, budget_mb: float, context: int, *, relaxed: bool = True) -> Bundle:
    """The Workers of a model; without ``relaxed`` for runtimes that know base SIMD only.

    Raises:
        ModelError: it does not fit the budget, or is of no shape that runs in Workers.
    """
    if source.kind == "encoder":
        from clodo.edge import encoder

        return encoder.bundle(source.path, budget_mb, relaxed=relaxed)
    from clodo.edge import llama

    return llama.bundle(source.path, budget_mb, context, relaxed=relaxed)


def build_model(
    bundle: Bundle, directory: Path, options: Options, *, force: bool = False, progress: Progress = lambda _: None
) -> BuiltModel:
    """Writes the Workers of a bundle, checks that they type-check, bundle and fit, and only then puts them in ``directory``.

    Raises:
        UsageError: the name cannot be one of Workers.
        WorkspaceError: the folder is taken or cannot be written.
        ModelError: the Workers do not fit. The folder is as it was.
    """
    check_name(options.name)
    tree = folder_tree(bundle, options)
    free_folder(directory, force=force, names=tree)
    toolchain = ensure(progress)
    place = real_folder(directory)
    made = [p for p in place.parents if not p.exists()]
    staging = None
    try:
        # Inside a folder that is there: its parent may be another disk, or not the user's to write in.
        staging = stage_folder(tree, bundle.workers[0].name, place if place.is_dir() else place.parent)
        progress("Checking types and sizes …")
        gzip = check_scripts(staging, [w.name for w in bundle.workers], toolchain)
        put_in_place(staging, place, _fill)
    except BaseException:
        if staging is not None:
            shutil.rmtree(staging, ignore_errors=True)
        for folder in made:
            with suppress(OSError):
                folder.rmdir()
        raise
    shutil.rmtree(staging, ignore_errors=True)
    return BuiltModel(directory, bundle, options, gzip)


def name_of(directory: Path) -> str:
    """A name for Workers after their folder."""
    words = re.sub(r"[^a-z0-9]+", "-", real_folder(directory).name.lower()).strip("-")[:42].rstrip("-")
    return words if re.match(r"[a-z].", words) else f"model-{words}"[:42].rstrip("-")


def _fill(staging: Path, directory: Path) -> None:
    """What an older build left there goes; the local API key and what is not Clodo's (packages, git, local data) stay."""
    old = set(read_manifest(directory)["files"]) if (directory / MANIFEST).is_file() else set()
    fresh = {p.relative_to(staging).as_posix() for p in staging.rglob("*") if p.is_file()}
    kept = {n for n in fresh if n.endswith(SECRETS_FILE) and os.path.lexists(directory / n)}
    replace_files(staging, directory, fresh - kept, sorted(old - fresh), MANIFEST)


def serve_model(
    directory: Path, port: int, ready: Callable[[str], None], progress: Progress
) -> Iterator[None]:
    """Serves all Workers of a built folder on 127.0.0.1, with the key of ``.dev.vars``; each step looks for changes once.
    ``ready`` is called with the address when ``/health`` answered.

    Raises:
        WorkspaceError: there are no Workers in the directory, or a configuration cannot be read.
        ProofError: they do not bundle, boot or answer.
    """
    names = [str(w["name"]) for w in read_manifest(directory)["workers"]]
    with WorkersServer(ensure(progress)) as server:
        seen = _stamps(directory, names)  # first: what changes meanwhile is seen too
        _start(server, directory, names, port, ready, progress)
        while True:
            yield
            time.sleep(_PAUSE_SECONDS)
            now = _stamps(directory, names)
            if now != seen:
                seen = now
                try:
                    _start(server, directory, names, port, ready, progress)
                except ClodoError as error:
                    progress(f"Not reloaded: {error.message}")


def _start(
    server: WorkersServer, directory: Path, names: list[str], port: int, ready: Callable[[str], None], progress: Progress
) -> None:
    secrets = read_variables(directory / names[0] / SECRETS_FILE)
    persist = directory / names[0] / ".wrangler" / "clodo-dev"
    serving = server.serve(worker_folders(directory, names), secrets=secrets, port=port, persist=persist)
    loaded = _asked_health(serving.url)
    ready(serving.url)
    started = time.perf_counter()
    while not loaded and time.perf_counter() - started < _LOADING_SECONDS:
        time.sleep(0.05)
        loaded = _asked_health(serving.url)
    if not loaded:
        progress(f"The weights are not loaded after {_LOADING_SECONDS} s.")
    if not secrets.get("API_KEY"):
        progress(f"There is no API_KEY in {names[0]}/{SECRETS_FILE}, so nobody is let in.")


def _asked_health(url: str) -> bool:
    """Whether the weights are loaded, as the front tells."""
    try:
        answer = httpx.get(f"{url}/health", timeout=10, trust_env=False)
        if answer.status_code == 200:
            return bool(answer.json()["ready"])
    except (httpx.HTTPError, ValueError, KeyError) as error:
        raise ProofError(f"The front does not answer /health: {error}.", hint="Mend its source.") from None
    raise ProofError(f"The front answers /health with {answer.status_code}.", hint="Mend its source.")


def _stamps(directory: Path, names: list[str]) -> dict[str, int]:
    watched = [directory / n / w for n in names for w in ("src", "assets", "wrangler.jsonc", SECRETS_FILE)]
    files = [f for path in watched for f in ([path] if path.is_file() else path.rglob("*"))]
    found: dict[str, int] = {}
    for f in files:
        with suppress(FileNotFoundError):  # an editor that saves by renaming takes it away for a moment
            found |= {str(f): f.stat().st_mtime_ns} if f.is_file() else {}
    return found


def bench_model(
    reference: str,
    *,
    budget_mb: float,
    context: int,
    rounds: int,
    gguf: Path | None = None,
    progress: Progress = lambda _: None,
) -> Figures:
    """Measures a built folder, or the Workers that would be built of a model. Native llama.cpp is measured beside it where the
    GGUF file is known: it is ``gguf``, or the model itself.

    Raises:
        UsageError: the reference is neither a built folder nor a model.
        ModelError: the model cannot be had or does not fit.
        ProofError: the Workers do not boot, or an answer fails.
    """
    toolchain = ensure(progress)
    folder = Path(reference)
    if (folder / MANIFEST).is_file():
        return measure(folder, toolchain, gguf=gguf, rounds=rounds, progress=progress)
    source = source_of(reference, progress, also="a folder made by `clodo edge build`, ")
    progress("Making the Workers …")
    with tempfile.TemporaryDirectory(prefix="clodo-edge-") as made:
        bundle = bundle_of(source, budget_mb, context)
        for note in bundle.notes:
            progress(note)
        write_tree(folder_tree(bundle, Options("model", context=context)), Path(made))
        beside = source.path if source.kind == "llama" and gguf is None and _has_llama_cpp(progress) else gguf
        return measure(Path(made), toolchain, gguf=beside, rounds=rounds, progress=progress)


def _has_llama_cpp(progress: Progress) -> bool:
    found = find_spec("xllamacpp") is not None
    if not found:
        progress("llama.cpp is not installed, so there is nothing to compare with; `pip install 'clodo[llama]'` installs it.")
    return found
