"""The mean of the weights of several trainings, which is often better than each of them (Wortsman et al. 2022, "model soups")."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from clodo.training.restore import restored, taken_up
from clodo.training.sources import shares_of


def mean_of(sources: Sequence[Path], shares: Sequence[float], base: Path) -> dict[str, torch.Tensor]:
    """The mean of networks made from ``base``, each with its share: the ``weights.pt`` of trainings, or folders of released models.

    Raises:
        UsageError: the shares are not one for each, or do not add up to something.
        ModelError: some weights are of another base or other labels.
    """
    shares = shares_of(sources, shares)
    mean: dict[str, torch.Tensor] = {}
    for source, share in zip(sources, shares, strict=True):
        state = restored(source, base) if source.is_dir() else taken_up(source, base, whole=True)
        for key, weight in state.items():
            part = weight.double() * share if weight.is_floating_point() else weight
            mean[key] = mean[key] + part if key in mean and weight.is_floating_point() else part
    return {key: weight.to(state[key].dtype) for key, weight in mean.items()}
