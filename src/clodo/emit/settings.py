"""The library of bricks that read numbers from a Worker's variables, and try again what failed."""

from __future__ import annotations

from importlib.resources import files


def settings_files() -> dict[str, str]:
    """``settings.ts`` and ``backoff.ts`` in ``src/lib`` for services with such a brick: path → text."""
    private = files("clodo.bricks.core").joinpath("ts", "private")
    return {f"src/lib/{name}": private.joinpath(name).read_text("utf-8") for name in ("settings.ts", "backoff.ts")}
