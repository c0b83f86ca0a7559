"""Whether a model is admitted: it is compared with the current one, text by text.

Both answer the same texts. Texts are drawn anew with repetition, a thousand times, and each time both models are worth something
on the same draw (Efron & Tibshirani 1993, the paired bootstrap). Where 95 % of the differences are on one side of nought, the new model is better,
or worse, beyond chance; else the texts do not tell the two apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clodo.evaluation.case import Case
from clodo.evaluation.measure import Answer, Candidate
from clodo.evaluation.scoring import Meaning, Score

#: What is harder than names; their F1 decides between models that have equally many texts right.
_HARDER = ("fields", "constraints", "references")
_SHARE = 0.1
_DRAWS = 1000

Counts = NDArray[np.float64]


@dataclass(frozen=True)
class Comparison:
    """How much more a model is worth than the current one on so many texts, and the 95 % interval of that."""

    difference: float
    low: float
    high: float
    texts: int

    @property
    def verdict(self) -> str:
        """``better``, ``worse``, or ``level`` where chance may have made the difference."""
        return "better" if self.low > 0 else "worse" if self.high < 0 else "level"

    def to_json(self) -> dict[str, Any]:
        """The comparison as JSON."""
        return {"verdict": self.verdict, "difference": self.difference, "interval": [self.low, self.high], "texts": self.texts}


class Kept:
    """A candidate whose answers are kept."""

    def __init__(self, candidate: Candidate) -> None:
        self._candidate = candidate
        self.answers: dict[str, Answer] = {}

    def __call__(self, text: str) -> Answer:
        self.answers[text] = self._candidate(text)
        return self.answers[text]


def compare(cases: Sequence[Case], ours: Kept, theirs: Kept) -> Comparison:
    """The comparison of two candidates that have answered the cases."""
    one, other = (np.array([_counts(c, kept.answers[c.text]) for c in cases]) for kept in (ours, theirs))
    size = len(cases)
    # How often each text is in each draw; both models get the same draws.
    drawn = np.random.default_rng(0).multinomial(size, [1 / size] * size, _DRAWS).astype(float)
    low, high = np.quantile(worth(drawn @ one) - worth(drawn @ other), [0.025, 0.975])
    whole = np.ones((1, size))
    difference = worth(whole @ one) - worth(whole @ other)
    return Comparison(round(float(difference[0]), 4), round(float(low), 4), round(float(high), 4), size)


def _counts(case: Case, answer: Answer) -> list[float]:
    """Of one text: one, whether it is handled right (built as stated, or asked about where it should be), and what F1s are made of."""
    if case.meaning is None:
        return [1.0, float(answer.meaning is None), *[0.0] * (2 * len(_HARDER))]
    score = Score()
    faults = score.add(answer.meaning or Meaning(), case.meaning, lenient=not case.exact)
    right = not faults and answer.meaning is not None
    tallies = [score.tallies[name] for name in _HARDER]
    return [1.0, float(right), *(x for t in tallies for x in (2.0 * t.right, float(t.said + t.wanted)))]


def worth(sums: Counts) -> Counts:
    """What models are compared by, from sums of counts ``[draws, counts]``: the share of texts that are handled right, then the F1 of
    what is harder than names."""
    right, total = sums[:, 2::2], sums[:, 3::2]
    f1 = np.where(total > 0, right / np.maximum(total, 1), 1.0)
    made: Counts = sums[:, 1] / sums[:, 0] + _SHARE * f1.mean(1)
    return made
