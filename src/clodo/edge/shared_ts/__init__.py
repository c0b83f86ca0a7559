"""TypeScript that every model's Worker uses: loading, the API key, errors, the queue, metrics, the HTTP front."""

from __future__ import annotations

from importlib.resources import files


def shared_sources(folder: str = "src/shared") -> dict[str, str]:
    """The TypeScript files by their path in a Worker's folder, to be merged into ``WorkerFiles.sources``;
    a Worker's own modules import them as ``./shared/queue``."""
    here = files(__name__)
    found = sorted(p.name for p in here.iterdir() if p.name.endswith(".ts"))
    return {f"{folder}/{name}": here.joinpath(name).read_text("utf-8") for name in found}
