"""Fine-tunes the encoder on the corpus. ``python -m clodo.training.train --minutes 60 --out runs/a``."""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from clodo.training.corpus import Record
from clodo.training.data import Mixture, load_split
from clodo.training.evaluate import evaluate
from clodo.training.examples import Example, example
from clodo.training.losses import link_losses
from clodo.training.network import Network
from clodo.understand import labels as L


@dataclass(frozen=True)
class Plan:
    """One dial, ``minutes``, and what follows from it."""

    minutes: float
    batch: int = 16
    encoder_rate: float = 1.2e-4
    head_rate: float = 5e-4
    warm_up: float = 0.04
    written_share: float = 0.5
    seed: int = 1
    layers: int = 6


def load_base(folder: Path) -> tuple[Any, Any]:
    """The pretrained encoder and its tokenizer (``tokenizers``) from a model folder."""
    from tokenizers import Tokenizer
    from transformers import AutoModel

    encoder = AutoModel.from_pretrained(folder, add_pooling_layer=False)
    encoder.embeddings.word_embeddings.weight.requires_grad_(False)
    return encoder, _plain(Tokenizer.from_file(str(folder / "tokenizer.json")))


def _plain(tokenizer: Any) -> Any:
    """The tokenizer without the truncation and padding that its file may ask for."""
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def collate(examples: list[Example]) -> tuple[torch.Tensor, torch.Tensor]:
    """Padded ids and mask ``[batch, pieces]``."""
    longest = max(len(e.reading.pieces) for e in examples)
    ids = torch.zeros(len(examples), longest, dtype=torch.long)
    for row, e in enumerate(examples):
        ids[row, : len(e.reading.pieces)] = torch.tensor(e.reading.pieces)
    return ids, (torch.arange(longest)[None] < torch.tensor([[len(e.reading.pieces)] for e in examples])).long()


def batch_loss(network: Network, examples: list[Example]) -> tuple[torch.Tensor, dict[str, float]]:
    """The mean loss of a batch and its parts."""
    ids, mask = collate(examples)
    states, tags, access, verdict, service = network(ids, mask)
    parts: dict[str, list[torch.Tensor]] = {}
    weights = torch.full((len(L.TAGS),), 1.0)
    weights[0] = 0.6
    for row, e in enumerate(examples):
        first = torch.tensor(e.reading.first)
        gold = torch.as_tensor(e.tags)
        loss = torch.nn.functional.cross_entropy(tags[row, first], gold, weight=weights)
        parts.setdefault("tags", []).append(loss * 6)
        for name, scores, i in (("access", access, 0), ("verdict", verdict, 1), ("service", service, 2)):
            if name == "verdict" or e.whole[1] == 0:
                gold = torch.as_tensor(e.whole[i : i + 1])
                parts.setdefault(name, []).append(
                    torch.nn.functional.cross_entropy(scores[row : row + 1], gold) * 0.5
                )
        if e.spans:
            at = torch.tensor([e.reading.first[s[0]] for s in e.spans])
            to = torch.tensor([e.reading.last[s[1]] for s in e.spans])
            scores4 = network.links(
                states[row], at, to, torch.as_tensor(e.kinds), torch.as_tensor(e.features)
            )
            for name, value in link_losses(e, *scores4).items():
                parts.setdefault(name, []).append(value)
    total = sum(torch.stack(v).sum() for v in parts.values()) / len(examples)
    assert isinstance(total, torch.Tensor)
    return total, {k: float(torch.stack(v).mean()) for k, v in parts.items()}


def prepared(records: Iterator[Record], tokenizer: Any, size: int) -> Iterator[list[Example]]:
    """Batches of examples of like length (a window of batches is sorted by length)."""
    window: list[Example] = []
    rng = random.Random(0)
    for record in records:
        made = example(record, tokenizer)
        if made.reading.words:
            window.append(made)
        if len(window) == size * 8:
            window.sort(key=lambda e: len(e.reading.pieces))
            batches = [window[i : i + size] for i in range(0, len(window), size)]
            rng.shuffle(batches)
            yield from batches
            window = []


def train(plan: Plan, base: Path, out: Path, resume: Path | None = None) -> None:
    """Trains, prints a line of losses now and then, and saves checkpoints into ``out``."""
    torch.manual_seed(plan.seed)
    torch.set_num_threads(2)
    torch.set_flush_denormal(True)
    out.mkdir(parents=True, exist_ok=True)
    encoder, tokenizer = load_base(base)
    network = Network(encoder)
    if resume is not None:
        network.load_state_dict(torch.load(resume, weights_only=True), strict=False)
    valid = load_split("valid")
    mixture = Mixture(random.Random(plan.seed), plan.written_share)
    own = [p for n, p in network.named_parameters() if not n.startswith("encoder")]
    base_parameters = [p for p in network.encoder.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(
        [
            {"params": base_parameters, "lr": plan.encoder_rate},
            {"params": own, "lr": plan.head_rate},
        ],
        weight_decay=0.01,
    )
    rates = [g["lr"] for g in optimizer.param_groups]
    started, seen, step, logged = time.time(), 0, 0, time.time()
    log = (out / "log.jsonl").open("a")
    for examples in prepared(mixture.records(), tokenizer, plan.batch):
        share = (time.time() - started) / (plan.minutes * 60)
        if share >= 1:
            break
        factor = min(1.0, share / plan.warm_up) * (1 - share * 0.98)
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * max(factor, 0.01)
        network.train()
        loss, parts = batch_loss(network, examples)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 2.0)
        optimizer.step()
        seen, step = seen + len(examples), step + 1
        if step % 50 == 0:
            shown = " ".join(f"{k} {v:.3f}" for k, v in parts.items())
            print(f"{share:5.1%} seen {seen} loss {float(loss):.2f} {shown}", flush=True)
        if time.time() - logged > 420:
            logged = time.time()
            torch.save(network.state_dict(), out / "last.pt")
            figures = evaluate(network, tokenizer, valid)
            print(f"  valid {json.dumps(figures)}", flush=True)
            log.write(json.dumps({"seen": seen, "loss": float(loss), **figures}) + "\n")
            log.flush()
    torch.save(network.state_dict(), out / "last.pt")
    figures = evaluate(network, tokenizer, valid)
    print(f"END seen {seen} valid {json.dumps(figures)}", flush=True)
    (out / "plan.json").write_text(json.dumps({**asdict(plan), "seen": seen, "valid": figures}))


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("runs/encoder"))
    parser.add_argument("--resume", type=Path)
    parser.add_argument("--written-share", type=float, default=0.5)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    plan = Plan(given.minutes, written_share=given.written_share, seed=given.seed)
    train(plan, given.base, given.out, given.resume)


if __name__ == "__main__":
    main()
