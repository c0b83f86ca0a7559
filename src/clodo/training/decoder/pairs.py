"""Records as conversations: what the user types, and the blueprint that the model should write."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from clodo.blueprint import format_blueprint
from clodo.corpus.format import Record
from clodo.corpus.gold import gold_draft
from clodo.understand.compiler import compile_draft
from clodo.understand.generative import UNCLEAR, trained_conversation

#: Longer conversations are left out: they cost most and are the fewest.
LONGEST_TOKENS = 700


def answer(record: Record) -> str:
    """The blueprint that a record means, or the one that stands for a question."""
    if record.verdict:
        return UNCLEAR
    blueprint, _ = compile_draft(gold_draft(record))
    return UNCLEAR if blueprint is None else format_blueprint(blueprint)


def tokens(record: Record, tokenizer: Any) -> tuple[list[int], int]:
    """The tokens of the whole conversation, and how many of them are the prompt."""
    turns = [{"role": m.role, "content": m.text} for m in trained_conversation(record.text)]
    prompt = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    whole = prompt + answer(record) + tokenizer.eos_token
    asked = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    return tokenizer(whole, add_special_tokens=False)["input_ids"], len(asked)


def batches(records: Iterator[Record], tokenizer: Any, size: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Ids and labels ``[size, tokens]``; what is not the answer has the label -100. Texts of like length
    stand together."""
    window: list[tuple[list[int], int]] = []
    for record in records:
        made = tokens(record, tokenizer)
        if len(made[0]) <= LONGEST_TOKENS:
            window.append(made)
        if len(window) == 8 * size:
            window.sort(key=lambda t: len(t[0]))
            for i in range(0, len(window), size):
                yield _batch(window[i : i + size])
            window = []


def _batch(rows: list[tuple[list[int], int]]) -> tuple[torch.Tensor, torch.Tensor]:
    longest = max(len(ids) for ids, _ in rows)
    ids = torch.zeros(len(rows), longest, dtype=torch.long)
    labels = torch.full((len(rows), longest), -100)
    for at, (row, prompt) in enumerate(rows):
        ids[at, : len(row)] = torch.tensor(row)
        labels[at, prompt : len(row)] = torch.tensor(row[prompt:])
    return ids, labels
