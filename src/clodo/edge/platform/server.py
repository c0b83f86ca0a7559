"""Runs the Workers of an edge model in workerd: for development, tests and measurements (``workers.mjs``)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from clodo.edge.platform.workers import WorkerFolder
from clodo.proof.process import NodeProcess
from clodo.toolchain import Toolchain

_MB = 1_000_000


@dataclass(frozen=True)
class Serving:
    """Workers that run: where the front answers, and the size of each script in bytes, minified and gzipped."""

    url: str
    gzip: Mapping[str, int]


@dataclass(frozen=True)
class Memory:
    """The most memory of one isolate while it was watched, in MB (10⁶ bytes): V8's heap with its array buffers, sampled,
    and WebAssembly memory, which only grows."""

    name: str
    heap_mb: float
    wasm_mb: float

    @property
    def peak_mb(self) -> float:
        """Both together."""
        return self.heap_mb + self.wasm_mb


class WorkersServer:
    """One Node process that serves the Workers of one model at a time; the first is the front. It ends with Python."""

    def __init__(self, toolchain: Toolchain) -> None:
        self._process = NodeProcess(toolchain, files("clodo.edge.platform").joinpath("workers.mjs"))
        self._names: dict[str, str] = {}

    @property
    def process_group(self) -> int:
        """The process group of Node and its workerds."""
        return self._process.group

    def serve(
        self,
        workers: Sequence[WorkerFolder],
        *,
        secrets: Mapping[str, str],
        port: int | None = None,
        persist: Path | None = None,
        apart: Collection[str] = (),
        timeout: float = 120,
    ) -> Serving:
        """Bundles and boots the Workers. ``secrets`` go to the front. Those named in ``apart`` get a workerd of their own,
        so that they can be killed; the front cannot be one of them.

        Raises:
            HostError: one does not bundle or boot, or the port is taken.
        """
        self._names = {w.deployed: w.name for w in workers}
        described = [
            {**_described(w), "secrets": dict(secrets) if w is workers[0] else {}, "apart": w.name in apart} for w in workers
        ]
        kept = str(persist.resolve()) if persist else None
        answer = self._process.call("serve", timeout, workers=described, port=port, persist=kept)
        return Serving(answer["url"].rstrip("/"), {self._names[n]: size for n, size in answer["gzip"].items()})

    def kill(self, worker: WorkerFolder) -> None:
        """Ends the workerd of a Worker that runs ``apart``, whatever it is doing."""
        self._process.call("kill", 30, name=worker.deployed)

    def revive(self, worker: WorkerFolder) -> None:
        """Starts a killed Worker again, with nothing in its memory."""
        self._process.call("revive", 60, name=worker.deployed)

    def scheduled(self, worker: WorkerFolder, cron: str, time: float) -> None:
        """Rings the bell of a cron line in a Worker, as if it were ``time`` (seconds since 1970).

        Raises:
            HostError: it has no such handler, or the handler failed.
        """
        self._process.call("scheduled", 60, name=worker.deployed, cron=cron, time=time * 1000)

    def watch(self, *, every_ms: int = 20) -> None:
        """Begins to sample the memory of every isolate."""
        self._process.call("watch", 30, ms=every_ms)

    def watched(self) -> list[Memory]:
        """Ends the sampling and gives the peaks, in the order of the Workers."""
        found = self._process.call("unwatch", 60)["isolates"]
        order = list(self._names)
        found.sort(key=lambda i: order.index(i["name"]))
        return [Memory(self._names[i["name"]], i["heap"] / _MB, i["wasm"] / _MB) for i in found]

    def size(self, worker: WorkerFolder) -> int:
        """The size of a Worker's script with its WebAssembly in bytes, minified and gzipped.

        Raises:
            HostError: it does not bundle.
        """
        return int(self._process.call("size", 60, **_described(worker))["gzip"])

    def reset(self) -> None:
        """Ends the Workers that run."""
        self._process.call("reset", 30)

    def close(self) -> None:
        """Ends the process and everything that it started."""
        self._process.close()

    def __enter__(self) -> WorkersServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _described(worker: WorkerFolder) -> dict[str, Any]:
    return {"directory": str(worker.directory.resolve()), "configuration": dict(worker.configuration)}
