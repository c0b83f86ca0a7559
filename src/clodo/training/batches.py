"""Batches of examples of like length."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import torch

from clodo.corpus.format import Record
from clodo.training.examples import Example, example
from clodo.training.losses import link_losses
from clodo.training.mixed_precision import STEP
from clodo.training.network import Network
from clodo.understand import labels as L
from clodo.understand.reading import MAX_PIECES

_WINDOW = 16
_TAGS_WEIGHT = 6.0
_WHOLE_WEIGHT = 0.5
_OUTSIDE_WEIGHT = 0.6


def batches(records: Iterator[Record], tokenizer: Any, size: int) -> Iterator[list[Example]]:
    """Examples in batches; a window of batches is sorted by length, then shuffled."""
    window: list[Example] = []
    rng = random.Random(0)
    for record in records:
        made = example(record, tokenizer)
        if made.reading.words:
            window.append(made)
        if len(window) == size * _WINDOW:
            window.sort(key=lambda e: len(e.reading.pieces))
            cut = [window[i : i + size] for i in range(0, len(window), size)]
            rng.shuffle(cut)
            yield from cut
            window = []


def collate(examples: list[Example], device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Padded ids and mask ``[batch, pieces]``, made on the processor and moved as a whole. There are few lengths (``mixed_precision.STEP``)."""
    longest = max(len(e.reading.pieces) for e in examples)
    longest = max(longest, min(MAX_PIECES, -(-longest // STEP) * STEP))
    padding = [longest - len(e.reading.pieces) for e in examples]
    ids = [[*e.reading.pieces, *[0] * n] for e, n in zip(examples, padding, strict=True)]
    mask = [[1] * (longest - n) + [0] * n for n in padding]
    return torch.tensor(ids, device=device), torch.tensor(mask, device=device)


def batch_loss(network: Network, examples: list[Example]) -> tuple[torch.Tensor, dict[str, float]]:
    """The mean loss of a batch and its parts."""
    device = network.device
    ids, mask = collate(examples, device)
    states, tags, access, verdict, service = network(ids, mask)
    parts: dict[str, list[torch.Tensor]] = {}
    weights = torch.full((len(L.TAGS),), 1.0, device=device)
    weights[0] = _OUTSIDE_WEIGHT
    for row, e in enumerate(examples):
        first = torch.tensor(e.reading.first, device=device)
        gold = torch.as_tensor(e.tags, device=device)
        loss = torch.nn.functional.cross_entropy(tags[row, first], gold, weight=weights)
        parts.setdefault("tags", []).append(loss * _TAGS_WEIGHT)
        for name, scores, i in (("access", access, 0), ("verdict", verdict, 1), ("service", service, 2)):
            if name == "verdict" or e.whole[1] == 0:
                gold = torch.as_tensor(e.whole[i : i + 1], device=device)
                loss = torch.nn.functional.cross_entropy(scores[row : row + 1], gold)
                parts.setdefault(name, []).append(loss * _WHOLE_WEIGHT)
        if e.spans:
            at = torch.tensor([e.reading.first[s[0]] for s in e.spans], device=device)
            to = torch.tensor([e.reading.last[s[1]] for s in e.spans], device=device)
            kinds, features = (torch.as_tensor(x, device=device) for x in (e.kinds, e.features))
            scored = network.links(states[row], at, to, kinds, features)
            for name, value in link_losses(e, *scored).items():
                parts.setdefault(name, []).append(value)
    total = sum(torch.stack(v).sum() for v in parts.values()) / len(examples)
    assert isinstance(total, torch.Tensor)
    return total, {k: float(torch.stack(v).mean().detach()) for k, v in parts.items()}
