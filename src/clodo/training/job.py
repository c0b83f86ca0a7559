"""What a training is asked to do, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clodo.training.admission import Comparison
from clodo.training.plan import Plan
from clodo.understand.port import Understander


@dataclass(frozen=True)
class Job:
    """What to train, on what, and where. ``pairs``: the user's own JSONL in place of the corpus;
    ``start``: weights or a model's folder to go on from; ``gate``: sets that decide on admission, in place of the usual ones;
    ``current``: the model that it is compared with; ``workers``: processes, 0 for one on each core. ``kind`` is ``encoder``, with a
    folder as its base, or ``decoder``, with a GGUF file. ``mean``: trainings whose mean is taken in place of training,
    each with one of the ``shares``. ``joining``: records may be others than when the training began."""

    plan: Plan
    base: Path
    out: Path
    name: str
    version: str
    licence: str
    pairs: Path | None = None
    start: Path | None = None
    gate: tuple[Path, ...] = ()
    current: Understander | None = None
    workers: int = 0
    kind: str = "encoder"
    device: str = "auto"
    mean: tuple[Path, ...] = ()
    shares: tuple[float, ...] = ()
    joining: bool = False


@dataclass(frozen=True)
class Outcome:
    """What came of a job: the model's folder, its figures beside the current model's and how they compare, and the rows of
    the user's file that were no use."""

    folder: Path
    figures: dict[str, Any]
    current: dict[str, Any] | None
    comparison: Comparison | None
    refused_rows: tuple[str, ...]

    @property
    def admitted(self) -> bool | None:
        """Whether the model is better than the current one, or not worse beyond chance; ``None`` where they were not compared."""
        return None if self.comparison is None else self.comparison.verdict != "worse"
