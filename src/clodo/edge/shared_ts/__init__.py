"""TypeScript that every model's Worker uses: loading, the API key, errors, the queue, metrics, the HTTP front, and the page of its document."""

from __future__ import annotations

from importlib.resources import files


def shared_sources(folder: str = "src/shared") -> dict[str, str]:
    """The TypeScript files by their path in a Worker's folder, to be merged into ``WorkerFiles.sources``;
    a Worker's own modules import them as ``./shared/queue``."""
    here = files(__name__)
    # Generated services have the same page.
    page = files("clodo.bricks.core").joinpath("ts", "lib", "docs.ts").read_text("utf-8")
    found = sorted(p.name for p in here.iterdir() if p.name.endswith(".ts"))
    return {f"{folder}/docs.ts": page, **{f"{folder}/{name}": here.joinpath(name).read_text("utf-8") for name in found}}
