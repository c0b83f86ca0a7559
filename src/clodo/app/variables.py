"""The variables of ``.dev.vars``: the local secrets of a service."""

from __future__ import annotations

from pathlib import Path


def read_variables(path: Path) -> dict[str, str]:
    """The variables of a file in the shape of ``.dev.vars``; none where there is no such file."""
    if not path.is_file():
        return {}
    text = path.read_text("utf-8-sig", errors="replace")
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line)
    return {k.strip(): v.strip().strip("\"'") for k, v in pairs if not k.strip().startswith("#")}
