"""Whether confidence means something, and the curves that make it so.

The error is the expected calibration error over ten bins of equal width (Naeini et al. 2015); the curves
are Platt's: a logistic function of the raw log-odds, fitted on validation data (Platt 1999), with those of the whole
text as a second term, and for whole blueprints the number of wishes as a third.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from clodo.understand.confidence import Curve, log_odds

_BINS = 10
_STEPS = 60
_PRIOR = 1.0  # strength of the pull towards the identity, in examples


@dataclass(frozen=True)
class Judged:
    """A decision: its kind, how sure the model was (0 to 1), whether it was right, and how sure the model was
    of the text all in all and of how many wishes (``company`` and ``wishes`` of ``clodo.understand.confidence``)."""

    kind: str
    confidence: float
    right: bool
    company: float = 0.0
    wishes: float = 0.0


def _bin(d: Judged) -> int:
    return min(_BINS - 1, int(d.confidence * _BINS))


def reliability(decisions: Iterable[Judged]) -> list[dict[str, Any]]:
    """For each bin that is not empty: its decisions, mean confidence and share that was right."""
    bins: dict[int, list[Judged]] = {}
    for d in decisions:
        bins.setdefault(_bin(d), []).append(d)
    return [
        {
            "from": i / _BINS,
            "count": len(found),
            "confidence": round(sum(d.confidence for d in found) / len(found), 4),
            "right": round(sum(d.right for d in found) / len(found), 4),
        }
        for i, found in sorted(bins.items())
    ]


def expected_error(decisions: Sequence[Judged]) -> float:
    """The expected calibration error, 0 to 1; 0 where there is nothing to judge."""
    off = sum(b["count"] * abs(b["confidence"] - b["right"]) for b in reliability(decisions))
    return float(off) / max(1, len(decisions))


def chance_error(decisions: Sequence[Judged], draws: int = 200) -> float:
    """The error that decisions of these confidences have on average where each is right just as often as it says: bins of a few
    decisions are never exact (Bröcker & Smith 2007), so that an error on a small set is to be held against this and not against 0."""
    if not decisions:
        return 0.0
    sure = np.array([d.confidence for d in decisions])
    bins = np.array([_bin(d) for d in decisions])
    right = np.random.default_rng(0).random((draws, len(sure))) < sure
    off = [np.abs(right[:, bins == i].sum(1) - sure[bins == i].sum()) for i in range(_BINS)]
    return float(np.sum(off, 0).mean() / len(sure))


def fit(decisions: Sequence[Judged]) -> Curve:
    """The curve that makes the confidence of such decisions honest (Newton's method, with a weak pull
    towards leaving it as it is, so that a few decisions cannot turn it over)."""
    if not decisions:
        return Curve()
    x = np.array([[log_odds(d.confidence), 1.0, d.company, d.wishes] for d in decisions])
    y = np.array([d.right for d in decisions], dtype=float)
    start = np.array([1.0, 0.0, 0.0, 0.0])

    def loss(w: np.ndarray) -> float:
        z = x @ w
        return float(np.sum(np.logaddexp(0, z) - y * z) + _PRIOR / 2 * np.sum((w - start) ** 2))

    w = start
    for _ in range(_STEPS):
        q = 1 / (1 + np.exp(-np.clip(x @ w, -30, 30)))
        gradient = x.T @ (q - y) + _PRIOR * (w - start)
        hessian = (x * (q * (1 - q))[:, None]).T @ x + _PRIOR * np.eye(4)
        step = np.linalg.solve(hessian, gradient)
        while loss(w - step) > loss(w) and np.abs(step).max() > 1e-9:
            step = step / 2  # far from the minimum a whole step overshoots
        w = w - step
    return Curve(round(float(max(w[0], 0.05)), 4), *(round(float(v), 4) for v in w[1:]))
