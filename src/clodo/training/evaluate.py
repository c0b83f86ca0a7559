"""Runs a network in training over records or descriptions and scores what it understood."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from clodo.training.corpus import Record
from clodo.training.gold import gold_draft
from clodo.training.network import Network
from clodo.training.scoring import Meaning, Score, meaning
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
    ids = torch.tensor([reading.pieces])
    states, tags, access, verdict, service = network(ids, torch.ones_like(ids))
    first, last = torch.tensor(reading.first), torch.tensor(reading.last)

    def link(
        spans: list[tuple[int, int]], kinds: list[int], features: NDArray[np.int64]
    ) -> LinkScores:
        at = first[[s[0] for s in spans]]
        to = last[[s[1] for s in spans]]
        out = network.links(states[0], at, to, torch.tensor(kinds), torch.as_tensor(features))
        return LinkScores(*(t.numpy() for t in out))

    scores = TextScores(
        tags[0, first].numpy(), access[0].numpy(), verdict[0].numpy(), service[0].numpy()
    )
    return decode(reading, scores, link, Speller(known_words(tokenizer)))


def evaluate(network: Network, tokenizer: Any, records: list[Record]) -> dict[str, float]:
    """Figures over records that are clear, and how many of the unclear ones were seen as such."""
    score, refused, unclear, wrongly = Score(), 0, 0, 0
    for record in records:
        draft = understand(network, tokenizer, record.text)
        if record.verdict:
            unclear += 1
            refused += draft.verdict != "clear"
            continue
        wrongly += draft.verdict != "clear"
        wanted, _ = compile_draft(gold_draft(record))
        if wanted is None:
            continue
        said, _ = compile_draft(draft)
        goal = meaning(wanted)
        if not record.access:
            goal.access = ""
        score.add(meaning(said) if said else Meaning(), goal)
    figures = score.table()
    figures["abstained"] = round(refused / max(1, unclear), 4)
    figures["refused_wrongly"] = round(wrongly / max(1, score.texts), 4)
    figures["texts"] = score.texts
    return figures
