"""The library of bricks that read numbers from a Worker's variables."""

from __future__ import annotations

from importlib.resources import files


def settings_files() -> dict[str, str]:
    """``src/lib/settings.ts`` for services with such a brick: path → text."""
    return {"src/lib/settings.ts": files("clodo.bricks.core").joinpath("ts", "private", "settings.ts").read_text("utf-8")}
