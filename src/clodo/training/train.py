"""The loop: examples in, weights out. It can be stopped at any time and goes on where it was.

It is plain PyTorch on purpose: a model, an optimizer and a stream of batches, with nothing that would
keep it from running under ``accelerate`` or Ray Train (``docs/training.md``).
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from clodo.corpus.format import Record
from clodo.training.base import load_base
from clodo.training.batches import batch_loss, batches
from clodo.training.curves import draw_curves
from clodo.training.data import Mixture
from clodo.training.evaluate import evaluate
from clodo.training.network import Network
from clodo.training.plan import Plan

Progress = Callable[[str], None]


@dataclass
class State:
    """How far a training is: ``seconds`` of training, examples ``seen``, its log."""

    seconds: float = 0.0
    seen: int = 0
    log: list[dict[str, float]] = field(default_factory=list)


class Training:
    """One training in a folder: ``checkpoint.pt`` while it runs, ``weights.pt`` when it is done."""

    def __init__(self, plan: Plan, base: Path, out: Path, mixture: Mixture, valid: list[Record]) -> None:
        torch.manual_seed(plan.seed)
        self.plan, self.out, self.mixture, self.valid = plan, out, mixture, valid
        encoder, self.tokenizer = load_base(base)
        self.network = Network(encoder)
        own = [p for n, p in self.network.named_parameters() if not n.startswith("encoder")]
        theirs = [p for p in self.network.encoder.parameters() if p.requires_grad]
        groups = [{"params": theirs, "lr": plan.encoder_rate}, {"params": own, "lr": plan.head_rate}]
        self.optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
        self.state = State()

    def start_from(self, weights: Path) -> None:
        """Starts from earlier weights instead of the bare base."""
        self.network.load_state_dict(torch.load(weights, weights_only=True))

    def resume(self) -> bool:
        """Takes up the checkpoint, if there is one."""
        path = self.out / "checkpoint.pt"
        if not path.is_file():
            return False
        saved = torch.load(path, weights_only=False)
        self.network.load_state_dict(saved["network"])
        self.optimizer.load_state_dict(saved["optimizer"])
        torch.set_rng_state(saved["torch_rng"])
        self.mixture.rng.setstate(saved["rng"])
        self.state = State(**saved["state"])
        return True

    def save(self) -> None:
        """Writes the checkpoint; the old one stands until the new one is whole."""
        made = self.out / "checkpoint.tmp"
        torch.save(
            {
                "network": self.network.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "torch_rng": torch.get_rng_state(),
                "rng": self.mixture.rng.getstate(),
                "state": vars(self.state),
            },
            made,
        )
        made.replace(self.out / "checkpoint.pt")

    def run(self, progress: Progress) -> None:
        """Trains until the time of the plan is spent, and writes ``weights.pt``."""
        # Numbers next to nothing slow the optimizer; what else runs in this process must keep them.
        torch.set_flush_denormal(True)
        try:
            self._loop(progress)
        finally:
            torch.set_flush_denormal(False)

    def _loop(self, progress: Progress) -> None:
        plan, state, limit = self.plan, self.state, self.plan.minutes * 60
        rates = [plan.encoder_rate, plan.head_rate]
        saved = validated = told = state.seconds
        mean: list[float] = []
        for examples in batches(self.mixture.records(), self.tokenizer, plan.batch):
            if state.seconds >= limit:
                break
            began = time.perf_counter()
            for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * plan.rate(state.seconds / limit)
            mean.append(self._step(examples))
            state.seconds += time.perf_counter() - began
            state.seen += len(examples)
            if state.seconds - told > 15:
                told = state.seconds
                progress(_line(state, limit, mean[-40:]))
            if state.seconds - validated > plan.validation_seconds:
                validated = state.seconds
                self._validate(sum(mean) / len(mean), progress)
                mean.clear()
            if state.seconds - saved > plan.checkpoint_seconds:
                saved = state.seconds
                self.save()
        self._validate(sum(mean) / max(1, len(mean)), progress)
        torch.save(self.network.state_dict(), self.out / "weights.pt")

    def _step(self, examples: list[Any]) -> float:
        self.network.train()
        loss, _ = batch_loss(self.network, examples)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 2.0)
        self.optimizer.step()
        return float(loss.detach())

    def _validate(self, loss: float, progress: Progress) -> None:
        figures = evaluate(self.network, self.tokenizer, self.valid) if self.valid else {}
        self.state.log.append({"seen": self.state.seen, "minutes": round(self.state.seconds / 60, 2), "loss": round(loss, 4), **figures})
        (self.out / "log.jsonl").write_text("".join(json.dumps(x) + "\n" for x in self.state.log), "utf-8")
        (self.out / "curves.svg").write_text(draw_curves(self.state.log), "utf-8")
        shown = " ".join(f"{k} {figures[k]:.2f}" for k in ("fields", "constraints", "references", "usable") if k in figures)
        progress(f"  {self.state.seen} examples: loss {loss:.2f}, validation {shown or 'none'}")


def _line(state: State, limit: float, recent: list[float]) -> str:
    left = max(0.0, limit - state.seconds) / 60
    mean = sum(recent) / max(1, len(recent))
    return f"{state.seconds / limit:4.0%}  {state.seen} examples, loss {mean:.2f}, {left:.0f} min left"


def mixture_of(plan: Plan, own: list[str] | None) -> Mixture:
    """The stream of records: the corpus, or the user's own records alone."""
    return Mixture(random.Random(plan.seed), plan.written_share if own is None else 1.0, own)
