"""Data-parallel training on one machine: a process for each core, gradients averaged (gloo).

One thread a process: the links of an example are many small operations, and waking a second thread for
each costs more than it does. Every process computes the same weights; rank 0 keeps the time, validates and saves.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from torch import distributed

from clodo.errors import ModelError

#: How long the others wait for rank 0, which validates alone.
_PATIENCE = timedelta(minutes=30)


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass
class Crew:
    """The processes of a training. ``rank`` 0 is the one that called; alone, it does nothing."""

    rank: int = 0
    size: int = 1
    hands: list[Any] = field(default_factory=list)

    def gather(self, folder: Path, follow: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        """Starts the others: ``follow(crew, *arguments)`` in each, which calls ``join``."""
        if self.size == 1:
            return
        meeting = folder / "meeting"
        meeting.unlink(missing_ok=True)
        start = multiprocessing.get_context("spawn")
        for rank in range(1, self.size):
            process = start.Process(target=_hand, args=(Crew(rank, self.size), meeting, follow, arguments), daemon=True)
            process.start()
            self.hands.append(process)
        self.join(meeting)

    def join(self, meeting: Path) -> None:
        """Waits until all processes have met."""
        torch.set_num_threads(1)
        distributed.init_process_group(
            "gloo", init_method=f"file://{meeting}", rank=self.rank, world_size=self.size, timeout=_PATIENCE
        )

    def agree(self, parameters: Iterable[torch.nn.Parameter], seconds: float, done: bool) -> tuple[float, bool]:
        """Averages the gradients in place, and tells all what rank 0 says of time and end."""
        if self.size == 1:
            return seconds, done
        trained = [p for p in parameters if p.requires_grad]
        grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in trained]
        told = torch.tensor([seconds, float(done)]) if self.rank == 0 else torch.zeros(2)
        flat = torch.cat([*(g.reshape(-1) / self.size for g in grads), told])
        try:
            distributed.all_reduce(flat)
        except RuntimeError:
            raise ModelError(
                "A process of the training has ended.", hint="Give the same command again to go on."
            ) from None
        at = 0
        for p in trained:
            p.grad = flat[at : at + p.numel()].view_as(p)
            at += p.numel()
        return float(flat[-2]), bool(flat[-1] > 0)

    def part(self) -> None:
        """Ends the other processes."""
        if distributed.is_available() and distributed.is_initialized():
            distributed.destroy_process_group()
        for process in self.hands:
            process.join(5)
            process.kill()
        self.hands.clear()


def _hand(crew: Crew, meeting: Path, follow: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    crew.join(meeting)
    try:
        follow(crew, *arguments)
    except (ModelError, KeyboardInterrupt):
        raise SystemExit(1) from None
