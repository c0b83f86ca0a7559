"""The loop: examples in, weights out. It can be stopped at any time and goes on where it was.

It is plain PyTorch on purpose: a model, an optimizer and a stream of batches, which a launcher may run in
processes of several machines (``docs/training.md``). What is validated and kept is
the running mean of the weights (Polyak & Juditsky 1992), which wavers less than the weights themselves.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch.optim.swa_utils import AveragedModel

from clodo.corpus.format import Record
from clodo.training.base import load_base
from clodo.training.batches import batch_loss, batches
from clodo.training.crew import Crew
from clodo.training.curves import write_log
from clodo.training.data import mixture_of
from clodo.training.device import choose
from clodo.training.evaluate import evaluate
from clodo.training.files import load_tensors, save_tensors
from clodo.training.mixed_precision import has_bfloat16, use_bfloat16
from clodo.training.network import Network
from clodo.training.plan import Plan
from clodo.training.restore import restored, taken_up

Progress = Callable[[str], None]

#: Seconds that a step counts at most.
_LONGEST_STEP = 20.0
#: About so many validation records draw the curve.
_WATCHED = 200
#: What the rates are multiplied by where a training goes on from weights that another has left.
_GOING_ON = 0.65
#: Dropout of the layers in such a training: what has seen its records often no longer learns from them without.
_DROPOUT = 0.1


@dataclass
class State:
    """How far a training is: ``seconds`` of training, examples ``seen``, its log."""

    seconds: float = 0.0
    seen: int = 0
    log: list[dict[str, float]] = field(default_factory=list)


@dataclass(frozen=True)
class Setting:
    """Where a training starts: its plan, its base, its folder, the user's own records (``None``: the
    corpus), weights of an earlier training, and the device (``device.DEVICES``)."""

    plan: Plan
    base: Path
    out: Path
    own: list[str] | None = None
    start: Path | None = None
    device: str = "auto"


class Training:
    """One training in a folder: ``checkpoint.pt`` while it runs, ``weights.pt`` when it is done."""

    def __init__(self, setting: Setting, valid: list[Record], crew: Crew | None = None) -> None:
        plan, base, out = setting.plan, setting.base, setting.out
        torch.manual_seed(plan.seed)
        self.setting, self.plan, self.out = setting, plan, out
        self.valid = valid[:: max(1, len(valid) // _WATCHED)]
        self.crew = crew or Crew()
        encoder, self.tokenizer = load_base(base)
        if setting.start is not None:
            _go_on(encoder)
        self.device = choose(setting.device, int(os.environ.get("LOCAL_RANK", self.crew.rank)))
        if self.device.type == "cpu" and has_bfloat16():
            use_bfloat16(encoder)
        self.network = Network(encoder).to(self.device)
        own = [p for n, p in self.network.named_parameters() if not n.startswith("encoder")]
        theirs = [p for p in self.network.encoder.parameters() if p.requires_grad]
        groups = [{"params": theirs, "lr": plan.encoder_rate}, {"params": own, "lr": plan.head_rate}]
        self.optimizer = torch.optim.AdamW(groups, weight_decay=0.01, fused=True)
        self.state = State()
        self._begin()
        self.mean = AveragedModel(self.network, multi_avg_fn=_towards_mean)
        if self.resumed:
            self.mean.load_state_dict(self._saved["mean"])
            self._saved.clear()

    def _begin(self) -> None:
        """Takes up the checkpoint, else earlier weights, else the bare base."""
        path = self.out / "checkpoint.pt"
        self._saved: dict[str, Any] = {}
        if path.is_file():
            self._saved = load_tensors(path, trusted=True)
            self.network.load_state_dict(self._saved["network"])
            self.optimizer.load_state_dict(self._saved["optimizer"])
            self.state = State(**self._saved["state"])
        elif self.setting.start is not None:
            self.network.load_state_dict(_weights(self.setting.start, self.setting.base))
        self.resumed = bool(self._saved)
        # What is drawn depends on the seed, on who draws, and on how far the training is.
        drawn = f"{self.plan.seed} {self.crew.rank} {self.state.seen}"
        self.mixture = mixture_of(self.plan, self.setting.own, random.Random(drawn))
        torch.manual_seed(self.plan.seed * 1000003 + self.crew.rank * 997 + self.state.seen)

    def save(self) -> None:
        """Writes the checkpoint; the old one stands until the new one is whole."""
        state = {
            "network": self.network.state_dict(),
            "mean": self.mean.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "state": vars(self.state),
        }
        save_tensors(self.out / "checkpoint.pt", state)

    def run(self, progress: Progress) -> None:
        """Trains until the time of the plan is spent; the process of rank 0 writes ``weights.pt``."""
        threads = torch.get_num_threads()
        # Numbers next to nothing slow the optimizer; what else runs in this process must keep them.
        torch.set_flush_denormal(True)
        try:
            self.crew.gather(self.out, _follow, (self.setting,))
            self.crew.check_same(self.network.parameters(), self.state.seen)
            self._loop(progress)
        finally:
            self.crew.part()
            torch.set_flush_denormal(False)
            torch.set_num_threads(threads)
        if self.crew.rank == 0:
            self._validate(self._lately(), progress)
            save_tensors(self.out / "weights.pt", {name: weight.cpu() for name, weight in self.mean.module.state_dict().items()})

    def _loop(self, progress: Progress) -> None:
        plan, state = self.plan, self.state
        saved = validated = told = state.seconds
        leads = self.crew.rank == 0
        self.losses: list[float] = []
        for examples in batches(self.mixture.records(), self.tokenizer, plan.batch):
            began = plan.clock(torch.get_num_threads())
            if not self._step(examples):
                break
            if leads:
                # A machine that slept has not trained.
                state.seconds += min(plan.clock(torch.get_num_threads()) - began, _LONGEST_STEP)
            state.seen += len(examples) * self.crew.size
            if not leads:
                continue
            if state.seconds - told > 15:
                told = state.seconds
                progress(_line(state, plan, self.losses[-40:]))
            if state.seconds - validated > plan.validation_seconds:
                validated = state.seconds
                self._validate(self._lately(), progress)
                self.losses.clear()
            if state.seconds - saved > plan.checkpoint_seconds:
                saved = state.seconds
                self.save()

    def _lately(self) -> float:
        return sum(self.losses) / max(1, len(self.losses))

    def _step(self, examples: list[Any]) -> bool:
        """One step; false when the time is over, which rank 0 decides for all."""
        state, limit = self.state, self.plan.minutes * 60
        self.network.train()
        loss, _ = batch_loss(self.network, examples)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        seconds, done = self.crew.agree(self.network.parameters(), state.seconds, state.seconds >= limit)
        if done:
            return False
        rates = (self.plan.encoder_rate, self.plan.head_rate)
        share = self.plan.rate(self.plan.spent(seconds)) * (1.0 if self.setting.start is None else _GOING_ON)
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * share
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 2.0)
        self.optimizer.step()
        if self.crew.rank == 0:
            self.mean.update_parameters(self.network)
        self.losses.append(float(loss.detach()))
        return True

    def _validate(self, loss: float, progress: Progress) -> None:
        figures = evaluate(self.mean.module, self.tokenizer, self.valid) if self.valid else {}
        self.state.log.append({"seen": self.state.seen, "minutes": round(self.state.seconds / 60, 2), "loss": round(loss, 4), **figures})
        write_log(self.out, self.state.log)
        shown = " ".join(f"{k} {figures[k]:.2f}" for k in ("fields", "constraints", "references", "usable") if k in figures)
        progress(f"  {self.state.seen} examples: loss {loss:.2f}, validation {shown or 'none'}")


def _line(state: State, plan: Plan, recent: list[float]) -> str:
    left = max(0.0, plan.minutes - state.seconds / 60)
    mean = sum(recent) / max(1, len(recent))
    return f"{plan.spent(state.seconds):4.0%}  {state.seen} examples, loss {mean:.2f}, {left:.0f} min left"


def _follow(crew: Crew, setting: Setting) -> None:
    """What every process but the first does."""
    torch.set_flush_denormal(True)
    training = Training(setting, [], crew)
    crew.check_same(training.network.parameters(), training.state.seen)
    training._loop(lambda _: None)


def _weights(start: Path, base: Path) -> dict[str, torch.Tensor]:
    """The weights of an earlier training (a file) or of a released model (its folder)."""
    return restored(start, base) if start.is_dir() else taken_up(start, base)


def _go_on(encoder: Any) -> None:
    """The embeddings of an earlier training stay, and every layer learns on with dropout: it learns its records less by heart
    than if the lower layers stayed, too, and reads others better (``docs/experiments.md``)."""
    encoder.embeddings.requires_grad_(False)
    for layer in encoder.encoder.layer:
        layer.attention.output.dropout.p = layer.output.dropout.p = _DROPOUT


@torch.no_grad()
def _towards_mean(means: Any, weights: Any, count: Any) -> None:
    """The mean follows the weights, at first quickly."""
    share = max(1e-3, 9 / (10 + float(count)))
    torch._foreach_lerp_(list(means), list(weights), share)
