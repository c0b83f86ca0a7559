"""The Workers of a built folder as they stand on disk: what ``wrangler.jsonc`` of each says."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clodo.errors import WorkspaceError
from clodo.proof.files import without_comments


@dataclass(frozen=True)
class WorkerFolder:
    """A Worker on disk. ``name`` is the one of its folder; ``configuration`` is its ``wrangler.jsonc``."""

    name: str
    directory: Path
    configuration: Mapping[str, Any]

    @property
    def deployed(self) -> str:
        """What it is called on Cloudflare, and in the service bindings of others."""
        return str(self.configuration["name"])


def worker_folders(directory: Path, names: Sequence[str]) -> list[WorkerFolder]:
    """The Workers of those names.

    Raises:
        WorkspaceError: the configuration of one cannot be read.
    """
    return [WorkerFolder(name, directory / name, _configuration(directory / name)) for name in names]


def _configuration(directory: Path) -> dict[str, Any]:
    path = directory / "wrangler.jsonc"
    try:
        config = dict(json.loads(without_comments(path.read_text("utf-8-sig"))))
        if not {"name", "main", "compatibility_date"} <= config.keys():
            raise ValueError("it needs name, main and compatibility_date")
        return config
    except (OSError, ValueError, TypeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise WorkspaceError(f"{str(path)!r} cannot be read: {reason}.", hint="Mend it, or build the folder anew.") from None
