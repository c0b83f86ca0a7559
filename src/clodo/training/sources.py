"""The trainings that a mean is made of, and the share of each."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from pathlib import Path

from clodo.errors import UsageError
from clodo.training.files import read_json


def shares_of(sources: Sequence[Path], shares: Sequence[float]) -> list[float]:
    """The share of each, all of them together one; equal ones where none are given.

    Raises:
        UsageError: they are not one for each, or below nought, or all nought.
    """
    given = list(shares) or [1.0] * len(sources)
    if len(given) != len(sources) or not all(map(isfinite, given)) or min(given) < 0 or sum(given) <= 0:
        raise UsageError(f"{len(sources)} trainings need {len(sources)} weights of nought or more.", hint="For instance --weights 4,1 for two.")
    return [s / sum(given) for s in given]


def weights_in(source: Path) -> Path:
    """Where the weights of a source are: of a training's folder its ``weights.pt``; a file or a model's folder is its own place.

    Raises:
        UsageError: the training is not over.
    """
    if source.is_dir() and (source / "plan.json").is_file():
        if not (source / "weights.pt").is_file():
            raise UsageError(f"The training in {str(source)!r} is not over.", hint="Give its command again first.")
        return source / "weights.pt"
    return source


def minutes_of(sources: Sequence[Path]) -> float:
    """How long the trainings among the sources took together, as far as they tell."""
    plans = [read_json(p / "plan.json") for p in sources if (p / "plan.json").is_file()]
    return float(sum(plan.get("minutes", 0.0) for plan in plans))
