"""Programs that tests start and stop."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def clodo_process(*args: str, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """The command line in a process of its own, which is gone at the end, whatever becomes of the test."""
    process = subprocess.Popen([sys.executable, "-m", "clodo", *args], text=True, **options)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()
