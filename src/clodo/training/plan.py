"""One dial, the minutes, and what follows from it."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """How a model is trained. ``minutes`` is time spent training, however often it was interrupted;
    ``written_share`` of the examples are varied written records, the rest is generated. ``cpu`` counts processor time
    on all cores in place of the clock's, which compares kinds of model fairly where other work goes on beside."""

    minutes: float
    batch: int = 8
    encoder_rate: float = 9e-5
    head_rate: float = 4e-4
    warm_up: float = 0.04
    written_share: float = 0.88
    seed: int = 1
    cpu: bool = False

    def clock(self, threads: int) -> float:
        """Seconds since some moment, as ``minutes`` counts them, of a process that works in so many threads."""
        return time.process_time() / threads if self.cpu else time.perf_counter()

    def spent(self, seconds: float) -> float:
        """The share of the time that is spent, 0 to 1. The last step may end after it."""
        return min(1.0, seconds / (self.minutes * 60)) if self.minutes > 0 else 1.0

    @property
    def checkpoint_seconds(self) -> float:
        """The time between two checkpoints."""
        return min(300.0, max(5.0, self.minutes * 60 / 8))

    @property
    def validation_seconds(self) -> float:
        """The time between two validations."""
        return min(900.0, max(1.0, self.minutes * 60 / 6))

    def rate(self, share: float) -> float:
        """The factor of the learning rates when ``share`` (0 to 1) of the time is spent: a warm-up,
        then a straight line to nearly nothing."""
        return max(0.01, min(1.0, share / self.warm_up) * (1 - 0.98 * share))
