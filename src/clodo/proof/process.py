"""A Node process that answers methods over JSON lines, in a process group of its own."""

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
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Self

from clodo.errors import ProofError
from clodo.escapes import without_escapes
from clodo.toolchain import Toolchain

_ROOM_BYTES = 256 * 1024 * 1024


class HostError(ProofError):
    """The service could not be bundled, booted or migrated; the message says why."""

    code = "proof-host"


class NodeProcess:
    """A script in Node that is given the folder of the packages, and ends with its stdin: one request
    ``{"id", "method", …}`` a line in, one answer ``{"id", "ok", …}`` a line out."""

    def __init__(self, toolchain: Toolchain, script: Traversable) -> None:
        self._ids = 0
        self._calling = threading.Lock()
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._stderr: list[str] = []
        self._scratch = tempfile.TemporaryDirectory(prefix="clodo-host-", dir=_in_memory(), ignore_cleanup_errors=True)
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
        """A folder for what need not last, in memory where there is one; gone with the process."""
        return Path(self._scratch.name)

    @property
    def group(self) -> int:
        """Its process group: it began a session of its own."""
        return self._process.pid

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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def call(self, method: str, timeout: float, **arguments: Any) -> dict[str, Any]:
        """The answer of a method, waited for at most ``timeout`` seconds.

        Raises:
            HostError: it failed, or the process ended or does not answer.
        """
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
            raise _refusal(without_escapes(str(answer["error"])), arguments.get("port"))
        return answer

    def _died(self) -> HostError:
        tail = without_escapes("".join(self._stderr[-5:])).strip()
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
