"""Raw scores of a model as chances that mean something: one curve for each kind of part."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

#: Kinds of part that a model is more or less sure of, and the blueprint as a whole.
KINDS = ("entity", "field", "value", "relation", "access", "cue", "whole")


@dataclass(frozen=True)
class Curve:
    """A logistic curve over log-odds: of the confidence itself, and of what it stands among, since the same
    number means less in a text of which the model makes little; of a whole blueprint also over its wishes,
    since many of them are seldom wrong each for itself. The default leaves a confidence as it is."""

    slope: float = 1.0
    offset: float = 0.0
    company: float = 0.0
    wishes: float = 0.0

    def __call__(self, confidence: float, company: float = 0.0, wishes: float = 0.0) -> float:
        """The calibrated chance, 0 to 1; ``company`` is the mean of the log-odds of all parts of the text, ``wishes`` the
        logarithm of how many of them are wishes."""
        at = self.slope * log_odds(confidence) + self.company * company + self.wishes * wishes + self.offset
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, at))))


def log_odds(p: float) -> float:
    """The log-odds of a chance, kept finite."""
    p = min(max(p, 1e-6), 1 - 1e-6)
    return math.log(p / (1 - p))


def company(confidences: Sequence[float]) -> float:
    """How sure the model is of a text all in all: the mean log-odds of its parts, 0 where there are none."""
    return sum(map(log_odds, confidences)) / len(confidences) if confidences else 0.0


def wishes(kinds: Iterable[str]) -> float:
    """How many of a text's parts, told by their kinds, are wishes: the logarithm, of one more so that there may be none."""
    return math.log(1 + sum(kind == "cue" for kind in kinds))


def curves(stored: Mapping[str, Sequence[float]]) -> dict[str, Curve]:
    """The curves of a model's manifest; kinds that it has none for keep their raw scores, and what a curve of before does
    not tell has no weight."""
    return {k: Curve(*stored[k]) if k in stored else Curve() for k in KINDS}
