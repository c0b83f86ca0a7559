"""The encoder that understands descriptions, in PyTorch.

A pretrained bidirectional encoder reads the text; a linear layer tags each word; mentions become
nodes of a small graph transformer, and biaffine scores decide what each mention says of each other
(Dozat & Manning 2017 for the biaffine scorer; scores of several mentions of one thing are joined by
log-sum-exp, as in multiple-instance learning).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from clodo.understand import labels as L

WIDTH = 256
PAIR_WIDTH = 96
HEADS = 4
LAYERS = 2


class GraphLayer(nn.Module):
    """One transformer layer over mentions, its attention biased by the features of each pair."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.up, self.down = nn.Linear(WIDTH, 2 * WIDTH), nn.Linear(2 * WIDTH, WIDTH)
        self.drop = nn.Dropout(0.1)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """``x [n, width]``, ``bias [n, n, heads]`` → ``[n, width]``."""
        n = x.shape[0]
        q, k, v = self.qkv(x).view(n, 3, HEADS, WIDTH // HEADS).unbind(1)
        scores = torch.einsum("ihd,jhd->hij", q, k) / (WIDTH // HEADS) ** 0.5
        attention = (scores + bias.permute(2, 0, 1)).softmax(-1)
        mixed = torch.einsum("hij,jhd->ihd", attention, v).reshape(n, WIDTH)
        x = self.norm1(x + self.drop(self.out(mixed)))
        return self.norm2(x + self.drop(self.down(F.gelu(self.up(x)))))  # type: ignore[no-any-return]


class Links(nn.Module):
    """Decisions about mentions and pairs of mentions."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.enter = nn.Linear(4 * hidden, WIDTH)
        self.kind = nn.Embedding(len(L.KINDS), WIDTH)
        sizes = (len(L.DISTANCES) + 1, 7, 10)
        self.bias = nn.ModuleList(nn.Embedding(s, HEADS) for s in sizes)
        self.pair_bias = nn.ModuleList(nn.Embedding(s, len(L.PAIRS)) for s in sizes)
        self.layers = nn.ModuleList(GraphLayer() for _ in range(LAYERS))
        self.left = nn.Linear(WIDTH, PAIR_WIDTH)
        self.right = nn.Linear(WIDTH, PAIR_WIDTH)
        self.biaffine = nn.Parameter(torch.randn(len(L.PAIRS), PAIR_WIDTH, PAIR_WIDTH) * 0.02)
        self.left_score = nn.Linear(PAIR_WIDTH, len(L.PAIRS))
        self.right_score = nn.Linear(PAIR_WIDTH, len(L.PAIRS))
        self.types = nn.Linear(2 * WIDTH, len(L.CLASSES))
        self.field_flags = nn.Linear(2 * WIDTH, len(L.FIELD_FLAGS))
        self.entity_flags = nn.Linear(2 * WIDTH, len(L.ENTITY_FLAGS))
        self.drop = nn.Dropout(0.15)
        with torch.no_grad():
            self.left_score.bias.fill_(-1.0)
            self.right_score.bias.fill_(-1.0)
            # Most mentions fill no slot of a cue.
            self.left_score.bias[L.PAIRS.index("next") :].fill_(-4.0)

    def forward(
        self, states: Tensor, first: Tensor, last: Tensor, kinds: Tensor, features: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """``states [pieces, hidden]``, ``first`` and ``last [n]`` pieces, ``kinds [n]``,
        ``features [n, n, 3]`` → pairs ``[n, n, labels]``, classes (types of fields and kinds of
        cues), field flags, entity flags."""
        count = (last - first + 1).unsqueeze(1)
        sums = torch.cat([torch.zeros_like(states[:1]), states.cumsum(0)])
        mean = (sums[last + 1] - sums[first]) / count
        whole = states[:1].expand(first.shape[0], -1)
        entered = self.enter(self.drop(torch.cat([states[first], states[last], mean, whole], -1)))
        start = F.gelu(entered) + self.kind(kinds)
        bias = sum(table(features[..., i]) for i, table in enumerate(self.bias))
        x = start
        for layer in self.layers:
            x = layer(x, bias)
        left, right = F.gelu(self.left(self.drop(x))), F.gelu(self.right(self.drop(x)))
        pairs = torch.einsum("id,kde,je->ijk", left, self.biaffine, right)
        pairs = pairs + self.left_score(left)[:, None] + self.right_score(right)[None]
        pairs = pairs + sum(table(features[..., i]) for i, table in enumerate(self.pair_bias))
        both = self.drop(torch.cat([start, x], -1))
        return pairs, self.types(both), self.field_flags(both), self.entity_flags(both)


class Network(nn.Module):
    """The encoder with its heads."""

    def __init__(self, encoder: Any) -> None:
        super().__init__()
        hidden = encoder.config.hidden_size
        self.encoder = encoder
        self.tags = nn.Linear(hidden, len(L.TAGS))
        self.access = nn.Linear(2 * hidden, len(L.ACCESS))
        self.verdict = nn.Linear(2 * hidden, len(L.VERDICTS))
        self.service = nn.Linear(2 * hidden, len(L.SERVICE_TYPES))
        self.links = Links(hidden)
        self.drop = nn.Dropout(0.1)

    @property
    def device(self) -> torch.device:
        """Where its weights are; whatever it reads must be there too."""
        return self.tags.weight.device

    def access_words(self, states: Tensor, access: Tensor) -> Tensor:
        """How much each piece speaks for the access rule that wins over none being stated,
        ``[batch, pieces]``: the part of the score that comes through the pooled maximum, given to the
        piece that has it."""
        weight = self.access.weight[:, states.shape[-1] :]
        towards = weight[access.argmax(-1)] - weight[0]
        owns = (states == states.amax(1, keepdim=True)).to(states.dtype)
        return (owns * states * towards[:, None]).sum(-1)

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """``ids`` and ``mask [batch, pieces]`` → states ``[batch, pieces, hidden]``, tag scores
        ``[batch, pieces, tags]`` and scores of access, verdict and service type."""
        states = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        real = mask.unsqueeze(-1).to(states.dtype)
        return states, *self.judged(states, (states - (1 - real) * 1e4).amax(1))

    def judged(self, states: Tensor, strongest: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """``states [batch, pieces, hidden]`` and their maximum over the pieces ``[batch, hidden]`` → tag scores ``[batch, pieces, tags]``
        and scores of access, verdict and service type."""
        whole = self.drop(torch.cat([states[:, 0], strongest], -1))
        return self.tags(self.drop(states)), self.access(whole), self.verdict(whole), self.service(whole)
