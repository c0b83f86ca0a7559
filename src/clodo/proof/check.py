"""A check: one rule of a blueprint, and how to find out over HTTP whether the service keeps it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from clodo.proof.session import Session


@dataclass(frozen=True)
class Check:
    """``id`` names the kind (``resources.required``), ``rule`` says it in words. ``run`` raises
    ``Fault`` where the rule is broken."""

    id: str
    rule: str
    run: Callable[[Session], Awaitable[None]]
