"""``clodo dev``: a service in workerd, rebuilt whenever a file changes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2 as httpx

from clodo.errors import ClodoError, ProofError, WorkspaceError
from clodo.proof.host import Host
from clodo.toolchain import Progress, ensure

_WATCHED = ("src", "migrations", "openapi.json", ".dev.vars")
_PAUSE_SECONDS = 0.4


def read_secrets(directory: Path) -> dict[str, str]:
    """The variables of ``.dev.vars``; none where there is no such file."""
    path = directory / ".dev.vars"
    if not path.is_file():
        return {}
    pairs = (line.split("=", 1) for line in path.read_text("utf-8").splitlines() if "=" in line)
    return {k.strip(): v.strip().strip("\"'") for k, v in pairs if not k.strip().startswith("#")}


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
        _start(host, directory, port, ready)
        seen = _stamps(directory)
        while True:
            yield
            time.sleep(_PAUSE_SECONDS)
            now = _stamps(directory)
            if now != seen:
                seen = now
                try:
                    _start(host, directory, port, ready)
                except ClodoError as error:
                    progress(f"Not reloaded: {error.message}")


def _start(host: Host, directory: Path, port: int, ready: Callable[[str], None]) -> None:
    persist = directory / ".wrangler" / "clodo-dev"
    served = host.serve(directory, bindings=read_secrets(directory), port=port, persist=persist)
    answer = httpx.get(f"{served.url}/health", timeout=10, trust_env=False)
    if answer.status_code != 200:
        raise ProofError(f"The service answers /health with {answer.status_code}.")
    ready(served.url)


def _stamps(directory: Path) -> dict[str, int]:
    out: dict[str, int] = {}
    for name in _WATCHED:
        path = directory / name
        found = [path] if path.is_file() else path.rglob("*") if path.is_dir() else []
        out |= {str(f): f.stat().st_mtime_ns for f in found if f.is_file()}
    return out
