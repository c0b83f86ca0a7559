"""``clodo dev``: a service in workerd, rebuilt whenever a file changes, its blueprint among them."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx2 as httpx

from clodo.app.services import put_service
from clodo.app.variables import read_variables
from clodo.blueprint import parse
from clodo.emit.tree import SECRETS_FILE, edited_files
from clodo.errors import ClodoError, ProofError, WorkspaceError
from clodo.proof.host import Host
from clodo.toolchain import Progress, ensure

_WATCHED = ("src", "migrations", "openapi.json", "wrangler.jsonc", SECRETS_FILE)
_BLUEPRINT = "blueprint.clodo"
_PAUSE_SECONDS = 0.4


def serve(
    directory: Path, port: int, ready: Callable[[str], None], progress: Progress
) -> Iterator[None]:
    """Serves the service on 127.0.0.1 and keeps its data in ``.wrangler``; each step looks for
    changes once. ``ready`` is called with the address when ``/health`` answered.

    Raises:
        WorkspaceError: there is no service in the directory.
        ProofError: it does not bundle, boot or answer.
    """
    if not (directory / "src" / "index.ts").is_file():
        raise WorkspaceError(
            f"{str(directory)!r} holds no service.",
            hint="Name a folder made by `clodo generate` or `clodo build`.",
        )
    toolchain = ensure(progress)
    with Host(toolchain) as host:
        blueprint = _stamps(directory, [_BLUEPRINT])
        follow_blueprint(directory, progress)
        _start(host, directory, port, ready)
        seen = _stamps(directory)
        while True:
            yield
            time.sleep(_PAUSE_SECONDS)
            if (asked := _stamps(directory, [_BLUEPRINT])) != blueprint:
                blueprint = asked
                follow_blueprint(directory, progress)
            now = _stamps(directory)
            if now != seen:
                seen = now
                try:
                    _start(host, directory, port, ready)
                except ClodoError as error:
                    progress(f"Not reloaded: {error.message}")


def follow_blueprint(directory: Path, progress: Progress) -> None:
    """Builds a service anew, in place, where its blueprint was edited since it was built; as ``clodo build --force`` does, so
    that what a person has edited is not lost. Where that is not possible, says why, and the service stays as it is."""
    edited = edited_files(directory)
    if _BLUEPRINT not in edited:
        return
    path = directory / _BLUEPRINT
    try:
        source = path.read_text("utf-8")
        put_service(parse(source), source, directory, prove=False, force=True, progress=progress)
    except UnicodeDecodeError:
        progress(f"Not built anew from {_BLUEPRINT}: it is not in UTF-8.")
    except FileNotFoundError:  # an editor that saves by renaming takes it away for a moment
        pass
    except WorkspaceError as error:
        anyway = f"clodo build {shlex.quote(str(path))} -o {shlex.quote(str(directory))} --force --discard-edits"
        progress(f"Not built anew from {_BLUEPRINT}: {error.message}" + (f" To give these changes up: {anyway}" if len(edited) > 1 else ""))
    except ClodoError as error:
        progress(f"Not built anew from {_BLUEPRINT}: {error.message}")
    else:
        progress(f"Built anew from {_BLUEPRINT}.")


def _start(host: Host, directory: Path, port: int, ready: Callable[[str], None]) -> None:
    persist = directory / ".wrangler" / "clodo-dev"
    served = host.serve(directory, bindings=read_variables(directory / SECRETS_FILE), port=port, persist=persist)
    try:
        answer = httpx.get(f"{served.url}/health", timeout=10, trust_env=False)
    except httpx.HTTPError as error:
        raise ProofError(f"The service does not answer /health: {error}.", hint="Mend the service's source.") from None
    if answer.status_code != 200:
        raise ProofError(f"The service answers /health with {answer.status_code}.")
    ready(served.url)


def _stamps(directory: Path, watched: Iterable[str] = _WATCHED) -> dict[str, int]:
    out: dict[str, int] = {}
    for name in watched:
        path = directory / name
        found = [path] if path.is_file() else path.rglob("*") if path.is_dir() else []
        for f in found:
            with suppress(FileNotFoundError):  # an editor that saves by renaming takes it away for a moment
                out |= {str(f): f.stat().st_mtime_ns} if f.is_file() else {}
    return out
