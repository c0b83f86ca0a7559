"""Runs a network in training over records or descriptions and scores what it understood."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from clodo.corpus.format import Record
from clodo.evaluation.cases import from_records
from clodo.evaluation.measure import Answer, measure
from clodo.evaluation.scoring import meaning
from clodo.training.network import Network
from clodo.understand.compiler import compile_draft
from clodo.understand.decoding import LinkScores, TextScores, decode
from clodo.understand.draft import Draft
from clodo.understand.reading import known_words, read
from clodo.understand.spelling import Speller


@torch.no_grad()
def understand(network: Network, tokenizer: Any, text: str) -> Draft:
    """The draft that a network makes of a text."""
    network.eval()
    reading = read(text, tokenizer)
    device = network.device
    ids = torch.tensor([reading.pieces], device=device)
    states, tags, access, verdict, service = network(ids, torch.ones_like(ids))
    first, last = (torch.tensor(x, device=device) for x in (reading.first, reading.last))

    def link(
        spans: list[tuple[int, int]], kinds: list[int], features: NDArray[np.int64]
    ) -> LinkScores:
        at = first[[s[0] for s in spans]]
        to = last[[s[1] for s in spans]]
        out = network.links(states[0], at, to, torch.tensor(kinds, device=device), torch.as_tensor(features, device=device))
        return LinkScores(*(t.cpu().numpy() for t in out))

    scores = TextScores(
        tags[0, first].cpu().numpy(), access[0].cpu().numpy(), verdict[0].cpu().numpy(), service[0].cpu().numpy(),
        network.access_words(states, access)[0, first].cpu().numpy(),
    )  # fmt: skip
    return decode(reading, scores, link, Speller(known_words(tokenizer)))


def evaluate(network: Network, tokenizer: Any, records: list[Record]) -> dict[str, float]:
    """Figures over records that are clear, and how many of the unclear ones were seen as such."""

    def answer(text: str) -> Answer:
        draft = understand(network, tokenizer, text)
        said, _ = compile_draft(draft)
        return Answer(meaning(said) if said is not None and draft.verdict == "clear" else None)

    found = measure("network", answer, from_records(records), draws=0)
    return {**found.figures, **found.abstention, "texts": found.clear}
