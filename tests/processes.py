"""Programs that tests start and stop."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def clodo_process(*args: str, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """The command line in a process of its own, which is gone at the end, whatever becomes of the test."""
    process = subprocess.Popen([sys.executable, "-m", "clodo", *args], text=True, **options)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()
