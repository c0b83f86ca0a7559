"""LoRA (Hu et al. 2021) on a llama-family language model, with PEFT.

As with the encoder, the dial is time, and a training that was ended goes on where it was.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional as F

from clodo.errors import ModelError
from clodo.training.curves import write_log
from clodo.training.data import mixture_of
from clodo.training.decoder.pairs import batches
from clodo.training.device import choose
from clodo.training.files import load_tensors, save_tensors
from clodo.training.plan import Plan

Progress = Callable[[str], None]

RANK = 16
_RATE = 4e-4
_BATCH = 4
_LONGEST_STEP = 60.0
_TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def load(base: Path) -> tuple[Any, Any]:
    """The model (``transformers``) and its tokenizer out of a GGUF file.

    Raises:
        ModelError: it is no llama-family GGUF.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        tokenizer = AutoTokenizer.from_pretrained(base.parent, gguf_file=base.name)
        model = AutoModelForCausalLM.from_pretrained(base.parent, gguf_file=base.name, dtype=torch.float32)
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"{base.name!r} cannot be trained: {str(error)[:160]}", hint="Use a llama-family GGUF.") from None
    return model, tokenizer


def with_adapter(base: Path) -> tuple[Any, Any]:
    """The model with matrices to train beside its own (PEFT), and its tokenizer."""
    from peft import LoraConfig, get_peft_model

    model, tokenizer = load(base)
    config = LoraConfig(r=RANK, lora_alpha=2 * RANK, target_modules=list(_TARGETS), task_type="CAUSAL_LM")
    return get_peft_model(model, config), tokenizer


class DecoderTraining:
    """One training in a folder: ``checkpoint.pt`` while it runs, ``adapter.pt`` when it is done."""

    def __init__(self, plan: Plan, base: Path, out: Path, own: list[str] | None, device: str = "auto") -> None:
        torch.manual_seed(plan.seed)
        self.plan, self.out, self.own = plan, out, own
        self.device = choose(device)
        self.model, self.tokenizer = with_adapter(base)
        self.model.to(self.device)
        trained = [p for p in self.model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(trained, lr=_RATE, weight_decay=0.0)
        self.seconds, self.seen = 0.0, 0
        self.log: list[dict[str, float]] = []
        self._resume()

    def _resume(self) -> None:
        path = self.out / "checkpoint.pt"
        if path.is_file():
            saved = load_tensors(path, trusted=True)
            self.model.load_state_dict(saved["adapter"], strict=False)
            self.optimizer.load_state_dict(saved["optimizer"])
            self.seconds, self.seen, self.log = saved["seconds"], saved["seen"], saved["log"]

    def adapter(self) -> dict[str, torch.Tensor]:
        """The weights that are trained."""
        return {n: p.detach().cpu().clone() for n, p in self.model.named_parameters() if p.requires_grad}

    def save(self) -> None:
        """Writes the checkpoint; the old one stands until the new one is whole."""
        state = {"adapter": self.adapter(), "optimizer": self.optimizer.state_dict(), "seconds": self.seconds, "seen": self.seen, "log": self.log}
        save_tensors(self.out / "checkpoint.pt", state)

    def run(self, progress: Progress) -> None:
        """Trains until the time of the plan is spent, and writes ``adapter.pt``."""
        limit, told, saved = self.plan.minutes * 60, self.seconds, self.seconds
        self._told = self.seen
        mixture = mixture_of(self.plan, self.own, random.Random(f"{self.plan.seed} {self.seen}"))
        losses: list[float] = []
        for ids, labels in batches(mixture.records(), self.tokenizer, _BATCH):
            if self.seconds >= limit:
                break
            began = self.plan.clock(torch.get_num_threads())
            losses.append(self._step(ids.to(self.device), labels.to(self.device), self.plan.spent(self.seconds)))
            self.seconds += min(self.plan.clock(torch.get_num_threads()) - began, _LONGEST_STEP)
            self.seen += len(ids)
            if self.seconds - told > 15:
                told = self.seconds
                self._note(losses)
                left = max(0.0, limit - self.seconds) / 60
                progress(f"{self.plan.spent(self.seconds):4.0%}  {self.seen} examples, loss {self.log[-1]['loss']:.2f}, {left:.0f} min left")
            if self.seconds - saved > self.plan.checkpoint_seconds:
                saved = self.seconds
                self.save()
        if losses and self.seen != self._told:
            self._note(losses)
        save_tensors(self.out / "adapter.pt", self.adapter())

    def _note(self, losses: list[float]) -> None:
        """Adds a line to the log and writes it."""
        recent = losses[-40:]
        self._told = self.seen
        self.log.append({"seen": self.seen, "minutes": round(self.seconds / 60, 2), "loss": round(sum(recent) / len(recent), 4)})
        write_log(self.out, self.log)

    def _step(self, ids: torch.Tensor, labels: torch.Tensor, spent: float) -> float:
        self.model.train()
        for group in self.optimizer.param_groups:
            group["lr"] = _RATE * self.plan.rate(spent)
        # Only the answer is scored, so only its states go through the head: most of the vocabulary's cost.
        states = self.model.base_model.model.model(input_ids=ids).last_hidden_state
        scored = labels[:, 1:] != -100
        logits = self.model.base_model.model.lm_head(states[:, :-1][scored])
        loss = F.cross_entropy(logits, labels[:, 1:][scored])
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_([p for p in self.model.parameters() if p.requires_grad], 1.0)
        self.optimizer.step()
        return float(loss.detach())


def merged(base: Path, adapter: Path) -> dict[str, torch.Tensor]:
    """The weights of the base with the adapter added, by their names in ``transformers``."""
    model, _ = with_adapter(base)
    model.load_state_dict(load_tensors(adapter), strict=False)
    whole = model.merge_and_unload()
    return {name: weight.detach() for name, weight in whole.state_dict().items()}
