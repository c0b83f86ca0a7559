"""Keeping a front warm when requests are likely: the policy and its store in TypeScript, and its score on logs of arrivals."""

from __future__ import annotations

from importlib.resources import files

from clodo.edge.platform.keep_warm.scoring import Score, Terms, read_log, score

__all__ = ["Score", "Terms", "keep_warm_sources", "read_log", "score"]


def keep_warm_sources() -> dict[str, str]:
    """The TypeScript files of a front that is kept warm, by their path in the Worker's folder; ``src/kept-warm.ts`` is
    the entry then, and wraps ``src/index.ts``."""
    here = files(__name__)
    places = {"kept-warm.ts": "src", "policy.ts": "src/keep-warm", "arrivals.ts": "src/keep-warm"}
    return {f"{folder}/{name}": here.joinpath(name).read_text("utf-8") for name, folder in places.items()}
