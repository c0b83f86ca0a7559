"""Raw scores of a model as chances that mean something: one curve for each kind of part."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

#: Kinds of part that a model is more or less sure of, and the blueprint as a whole.
KINDS = ("entity", "field", "value", "relation", "access", "whole")


@dataclass(frozen=True)
class Curve:
    """A logistic curve over log-odds; the default leaves a confidence as it is."""

    slope: float = 1.0
    offset: float = 0.0

    def __call__(self, confidence: float) -> float:
        """The calibrated chance, 0 to 1."""
        p = min(max(confidence, 1e-6), 1 - 1e-6)
        at = self.slope * math.log(p / (1 - p)) + self.offset
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, at))))


def curves(stored: Mapping[str, tuple[float, float]]) -> dict[str, Curve]:
    """The curves of a model's manifest; kinds that it has none for keep their raw scores."""
    return {k: Curve(*stored[k]) if k in stored else Curve() for k in KINDS}
