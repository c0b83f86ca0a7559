"""A bundle or a built folder in workerd, for as long as a ``with`` block lasts."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from clodo.edge.bundle import Bundle
from clodo.edge.platform.configuration import Options
from clodo.edge.platform.folder import folder_tree, read_manifest, write_tree
from clodo.edge.platform.server import Memory, WorkersServer
from clodo.edge.platform.workers import WorkerFolder, worker_folders
from clodo.toolchain import Toolchain


@dataclass(frozen=True)
class Running:
    """Workers that run: ``url`` of the front, the API key that it takes, and the size of each script in bytes, gzipped."""

    url: str
    key: str
    gzip: Mapping[str, int]
    workers: tuple[WorkerFolder, ...]
    server: WorkersServer

    @property
    def headers(self) -> dict[str, str]:
        """What a request under ``/v1/`` carries."""
        return {"authorization": f"Bearer {self.key}"}

    @property
    def process_group(self) -> int:
        """The process group of Node and its workerds."""
        return self.server.process_group

    def kill(self, name: str) -> None:
        """Ends the workerd of a Worker that was named ``apart``, whatever it is doing."""
        self.server.kill(self._worker(name))

    def revive(self, name: str) -> None:
        """Starts a killed Worker again, with nothing in its memory."""
        self.server.revive(self._worker(name))

    def scheduled(self, cron: str, time: float) -> None:
        """Rings the bell of a cron line in the front, as if it were ``time`` (seconds since 1970)."""
        self.server.scheduled(self.workers[0], cron, time)

    def watch(self) -> None:
        """Begins to sample the memory of every isolate."""
        self.server.watch()

    def watched(self) -> list[Memory]:
        """Ends the sampling and gives the peaks."""
        return self.server.watched()

    def _worker(self, name: str) -> WorkerFolder:
        return next(w for w in self.workers if w.name == name)


@contextmanager
def served_bundle(
    bundle: Bundle,
    toolchain: Toolchain,
    *,
    apart: Collection[str] = (),
    options: Options | None = None,
    server: WorkersServer | None = None,
) -> Iterator[Running]:
    """A bundle, written to a temporary folder and served. Workers named in ``apart`` have a workerd of their own and can
    be killed alone; all others share one. ``server`` is used and reset where it is given, else one is started.

    Raises:
        HostError: one does not bundle or boot.
        ModelError: the bundle does not fit Cloudflare's limits.
    """
    with tempfile.TemporaryDirectory(prefix="clodo-edge-") as made:
        write_tree(folder_tree(bundle, options or Options("model")), Path(made))
        with served_folder(Path(made), toolchain, apart=apart, server=server) as running:
            yield running


@contextmanager
def served_folder(
    directory: Path, toolchain: Toolchain, *, apart: Collection[str] = (), server: WorkersServer | None = None
) -> Iterator[Running]:
    """A built folder, served with a fresh key and on empty stores; the folder is only read. ``apart`` and ``server`` are as
    for a bundle.

    Raises:
        WorkspaceError: the folder holds no model's Workers.
        HostError: one does not bundle or boot.
    """
    workers = tuple(worker_folders(directory, [w["name"] for w in read_manifest(directory)["workers"]]))
    key = secrets.token_urlsafe(16)
    used = server or WorkersServer(toolchain)
    try:
        serving = used.serve(workers, secrets={"API_KEY": key}, apart=apart)
        yield Running(serving.url, key, serving.gzip, workers, used)
    finally:
        used.close() if server is None else used.reset()
