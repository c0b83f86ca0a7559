"""Where tensors of a training live: on the processor or on a graphics card."""

from __future__ import annotations

import torch

from clodo.errors import UsageError

#: What ``--device`` takes; ``auto`` is the first of the others that is there.
DEVICES = ("auto", "cuda", "mps", "cpu")


def there(name: str) -> bool:
    """Whether a kind of device can be used here."""
    if name == "cuda":
        return bool(torch.cuda.is_available())
    return name == "cpu" or (name == "mps" and bool(torch.backends.mps.is_available()))


def choose(name: str, rank: int = 0) -> torch.device:
    """The device that is meant; each process of a machine (``rank``) has a CUDA card of its own as far as there are so many.

    Raises:
        UsageError: it is not there.
    """
    if name not in DEVICES or (name != "auto" and not there(name)):
        raise UsageError(f"There is no device {name!r} here.", hint=f"Use one of {', '.join(d for d in DEVICES if d == 'auto' or there(d))}.")
    kind = next(d for d in DEVICES[1:] if there(d)) if name == "auto" else name
    return torch.device("cuda", rank % torch.cuda.device_count()) if kind == "cuda" else torch.device(kind)


def usual_workers(device: torch.device, cores: int) -> int:
    """How many processes train where nothing is said: one on each core, or one on each card."""
    if device.type == "cpu":
        return cores
    return torch.cuda.device_count() if device.type == "cuda" else 1
