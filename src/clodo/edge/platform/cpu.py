"""The CPU time of workerd, as Linux tells it."""

from __future__ import annotations

import os
from pathlib import Path


def cpu_seconds(process_group: int) -> float | None:
    """User and system time of all workerds of a process group so far, in seconds; ``None`` where there is no ``/proc``."""
    proc = Path("/proc")
    if not (proc / "self" / "stat").is_file():
        return None
    total = 0
    for stat in proc.glob("[0-9]*/stat"):
        try:
            head, _, rest = stat.read_text().rpartition(") ")
        except OSError:  # it ended meanwhile
            continue
        values = rest.split()
        if head.endswith("(workerd") and int(values[2]) == process_group:
            total += int(values[11]) + int(values[12])
    return total / os.sysconf("SC_CLK_TCK")
