"""Files of a training that are whole or not there: written beside their place, then moved."""

from __future__ import annotations

import json
import os
from hashlib import sha256
from pathlib import Path
from typing import Any

from clodo.errors import ModelError, UsageError

#: What a file is called until it is whole; one that was left behind is written over.
PARTIAL = ".partial"


def write_text(path: Path, text: str) -> None:
    """Writes a text in one move: whoever reads the path finds the old text or the new one."""
    made = path.with_name(path.name + PARTIAL)
    made.write_text(text, "utf-8")
    made.replace(path)


def write_json(path: Path, value: object, indent: int = 1) -> None:
    """Writes a value as JSON in one move."""
    write_text(path, json.dumps(value, indent=indent) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """The object in a file.

    Raises:
        UsageError: it is damaged.
    """
    try:
        found = json.loads(path.read_text("utf-8"))
        if not isinstance(found, dict):
            raise ValueError("not an object")
        return found
    except ValueError:
        raise UsageError(f"{str(path)!r} is damaged.", hint="Remove that folder, or choose another with -o.") from None


def save_tensors(path: Path, state: object) -> None:
    """Writes what ``torch.save`` writes, in one move and on the disk."""
    import torch

    made = path.with_name(path.name + PARTIAL)
    with made.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    made.replace(path)


def load_tensors(path: Path, *, trusted: bool = False) -> Any:
    """What :func:`save_tensors` wrote, on the CPU. ``trusted``: a checkpoint of one's own, which holds more than tensors.

    Raises:
        ModelError: the file is damaged.
    """
    import torch

    try:
        return torch.load(path, weights_only=not trusted, map_location="cpu")
    except OSError:
        raise
    except Exception:  # torch raises whatever the reader of the damaged part happens to raise
        raise ModelError(f"{str(path)!r} is damaged.", hint="Remove that file and give the same command again.") from None


def digest(*paths: Path) -> str:
    """A short hash of files, and of all files of folders, by their bytes and names."""
    made = sha256()
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file():
                made.update(file.name.encode() + sha256(file.read_bytes()).digest())
    return made.hexdigest()[:16]
