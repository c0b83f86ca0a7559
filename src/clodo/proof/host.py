"""The Node process that bundles and runs Workers, driven over JSON lines (``host.mjs``)."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import queue
import re
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from clodo.errors import ProofError
from clodo.proof.settings import SettingsError, read_settings
from clodo.toolchain import Toolchain

_ROOM_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True)
class Served:
    """A Worker that runs: where it answers, its size (bytes, minified and gzipped) and the
    migrations that were applied to its database."""

    url: str
    gzip: int
    applied: tuple[str, ...]


class HostError(ProofError):
    """The service could not be bundled, booted or migrated; the message says why."""

    code = "proof-host"


class Host:
    """One Node process with one Miniflare. It serves one Worker at a time and ends with Python."""

    def __init__(self, toolchain: Toolchain) -> None:
        self._ids = 0
        self._calling = threading.Lock()
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._stderr: list[str] = []
        self._scratch = tempfile.TemporaryDirectory(prefix="clodo-host-", dir=_in_memory(), ignore_cleanup_errors=True)
        script = files("clodo.proof").joinpath("host.mjs")
        self._process = subprocess.Popen(
            [str(toolchain.node), str(script), str(toolchain.modules)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # A group of its own: Ctrl-C reaches Python, which then ends all of it.
            start_new_session=True,
            env={
                **os.environ,
                "CI": "1",
                "NO_COLOR": "1",
                "MINIFLARE_CACHE_DIR": "",
                "TMPDIR": self._scratch.name,
                "NODE_COMPILE_CACHE": str(toolchain.compiled),
            },
        )
        threading.Thread(target=self._read_stdout, daemon=True).start()
        threading.Thread(target=self._read_stderr, daemon=True).start()
        atexit.register(self.close)

    @property
    def scratch(self) -> Path:
        """The folder of databases that no ``persist`` keeps, gone with the process."""
        return Path(self._scratch.name)

    def serve(
        self,
        directory: Path,
        *,
        bindings: Mapping[str, str],
        port: int | None = None,
        persist: Path | None = None,
        timeout: float = 60,
    ) -> Served:
        """Bundles the service in ``directory``, boots it as its ``wrangler.jsonc`` says and applies its migrations.
        ``bindings`` stand above the variables of ``wrangler.jsonc``, as those of ``.dev.vars`` do for wrangler.

        Raises:
            HostError: it does not bundle, boot or migrate, or its configuration cannot be read.
        """
        try:
            settings = read_settings(directory)
        except SettingsError as error:
            raise HostError(error.message, hint=error.hint) from None
        answer = self._call(
            "serve",
            timeout,
            directory=str(directory.resolve()),
            entry="src/index.ts",
            bindings={**settings.variables, **bindings},
            database="DB",
            port=port,
            persist=str(persist.resolve()) if persist else None,
            compatibilityDate=settings.compatibility_date,
            compatibilityFlags=settings.compatibility_flags,
            sections=settings.bindings,
        )
        return Served(answer["url"].rstrip("/"), answer["gzip"], tuple(answer["applied"]))

    def query(self, sql: str, values: list[Any]) -> list[dict[str, Any]]:
        """The rows of one statement on the database of the Worker that runs.

        Raises:
            HostError: the database refuses it.
        """
        answer = self._call("query", 30, sql=sql, values=values)
        return list(answer["rows"])

    def scheduled(self, cron: str) -> None:
        """Lets the Worker that runs do what it does at the times of a cron line, and waits until it is done.

        Raises:
            HostError: it has no such handler, or the handler failed.
        """
        self._call("scheduled", 60, cron=cron)

    def reset(self) -> None:
        """Ends the Worker that runs and forgets its database."""
        self._call("reset", 30)

    def close(self) -> None:
        """Ends the process and everything that it started."""
        atexit.unregister(self.close)
        if self._process.poll() is None:
            with contextlib.suppress(OSError, ValueError):
                assert self._process.stdin is not None
                self._process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(2)
        # workerd runs in the group of its own too; make sure that nothing stays behind.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._scratch.cleanup()

    def __enter__(self) -> Host:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _call(self, method: str, timeout: float, **arguments: Any) -> dict[str, Any]:
        with self._calling:
            return self._exchange(method, timeout, arguments)

    def _exchange(self, method: str, timeout: float, arguments: dict[str, Any]) -> dict[str, Any]:
        self._ids += 1
        line = json.dumps({"id": self._ids, "method": method, **arguments})
        try:
            assert self._process.stdin is not None
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except (OSError, ValueError):
            raise self._died() from None
        while True:
            try:
                text = self._lines.get(timeout=timeout)
            except queue.Empty:
                raise HostError(
                    f"The runtime did not answer within {timeout:.0f} s.",
                    hint="Run the command again; `clodo doctor` checks the toolchain.",
                ) from None
            if text is None:
                raise self._died()
            answer = _message(text)
            if answer.get("id") == self._ids:
                break
        if not answer["ok"]:
            raise _refusal(str(answer["error"]), arguments.get("port"))
        return answer

    def _died(self) -> HostError:
        tail = "".join(self._stderr[-5:]).strip()
        return HostError(
            f"The runtime process ended. {tail}".strip(), hint="Run `clodo doctor`."
        )

    def _read_stdout(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def _read_stderr(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._stderr.append(line)
            del self._stderr[:-200]


def _in_memory() -> str | None:
    """A folder of the system's that lives in memory, where there is one with room: databases that last for one
    proof need no disk."""
    shared = Path("/dev/shm")
    if shared.is_dir() and os.access(shared, os.W_OK | os.X_OK) and shutil.disk_usage(shared).free > _ROOM_BYTES:
        return str(shared)
    return None


def _refusal(reason: str, port: int | None) -> HostError:
    if re.search("address already in use|EADDRINUSE", reason, re.IGNORECASE):
        return HostError(
            f"Port {port} of 127.0.0.1 is taken by another program.", hint="Choose another with --port, or stop that program."
        )
    return HostError(reason, hint="Mend the service's source.")


def _message(text: str) -> dict[str, Any]:
    """A line of the protocol; lines that are none (a library that prints) are passed over."""
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
