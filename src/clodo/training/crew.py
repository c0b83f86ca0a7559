"""Data-parallel training: a process for each core of a machine (gloo), or the processes that a launcher has started on several; gradients
are averaged.

One thread a process: the links of an example are many small operations, and waking a second thread for
each costs more than it does. Every process computes the same weights; rank 0 keeps the time, validates and saves.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from math import isclose
from pathlib import Path
from typing import Any

import torch
from torch import distributed

from clodo.errors import ModelError, UsageError

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
    #: Whether something else has started the processes, each with a crew of its own.
    started: bool = False
    #: Whether it was this crew that has let its processes meet.
    met: bool = False

    @staticmethod
    def of_environment() -> Crew:
        """The crew that this process is in where a launcher has started all of them and tells each its ``RANK`` and the
        ``WORLD_SIZE`` (and ``MASTER_ADDR`` and ``MASTER_PORT``), as ``torchrun`` does. It starts no others.

        Raises:
            UsageError: there are no such variables.
        """
        try:
            rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
        except (KeyError, ValueError):
            raise UsageError("RANK and WORLD_SIZE are not set.", hint="Start the processes with torchrun.") from None
        return Crew(rank, size, started=True)

    def gather(self, folder: Path, follow: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        """Starts the others: ``follow(crew, *arguments)`` in each, which calls ``join``. Those of a launcher only meet."""
        if self.size == 1:
            return
        if self.started:
            if not distributed.is_initialized():
                distributed.init_process_group("gloo", timeout=_PATIENCE)
                self.met = True
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
        # Not as an address (``file://…``), of which the first folder of a relative path would be the host.
        store = distributed.FileStore(str(meeting), self.size)
        distributed.init_process_group("gloo", store=store, rank=self.rank, world_size=self.size, timeout=_PATIENCE)
        self.met = True

    def check_same(self, parameters: Iterable[torch.nn.Parameter], seen: int) -> None:
        """Raises ``ModelError`` where the processes do not all start from the same weights and place."""
        if self.size == 1:
            return
        mine = [float(seen), *(float(p.detach().cpu().double().sum()) for p in parameters)]
        all_: list[Any] = [None] * self.size
        try:
            distributed.all_gather_object(all_, mine)
        except RuntimeError:
            raise _ended() from None
        # Machines of other makes add up in another order.
        if any(not isclose(x, y, rel_tol=1e-6, abs_tol=1e-6) for theirs in all_ for x, y in zip(theirs, all_[0], strict=True)):
            raise ModelError(
                "The processes of the training do not start from the same weights.",
                hint="They need the same plan and base, and one folder that all of them see.",
            )

    def agree(self, parameters: Iterable[torch.nn.Parameter], seconds: float, done: bool) -> tuple[float, bool]:
        """Averages the gradients in place, and tells all what rank 0 says of time and end."""
        if self.size == 1:
            return seconds, done
        trained = [p for p in parameters if p.requires_grad]
        grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in trained]
        device = grads[0].device
        told = torch.tensor([seconds, float(done)] if self.rank == 0 else [0.0, 0.0], device=device)
        flat = torch.cat([*(g.reshape(-1) / self.size for g in grads), told])
        # Gloo speaks of what is in the memory of the machine.
        spoken = flat.cpu() if distributed.get_backend() == "gloo" else flat
        try:
            distributed.all_reduce(spoken)
        except RuntimeError:
            raise _ended() from None
        flat = spoken.to(device)
        at = 0
        for p in trained:
            p.grad = flat[at : at + p.numel()].view_as(p)
            at += p.numel()
        return float(flat[-2]), bool(flat[-1] > 0)

    def part(self) -> None:
        """Ends the other processes."""
        if self.met:
            distributed.destroy_process_group()
            self.met = False
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


def _ended() -> ModelError:
    """What to say where a process is gone."""
    return ModelError("A process of the training has ended.", hint="Give the same command again to go on.")
