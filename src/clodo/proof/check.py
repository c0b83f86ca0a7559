"""A check: one rule of a blueprint, and how to find out over HTTP whether the service keeps it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from clodo.proof.session import Session


@dataclass(frozen=True)
class Check:
    """``id`` names the kind (``resources.required``), ``rule`` says it in words. ``run`` raises
    ``Fault`` where the rule is broken. ``variables`` are values that variables of the Worker must have for it. ``beside``
    is what must run from before the boot to the end of the proof, a server that the service calls, say; it gives variables too.
    ``bound`` are Workers that service bindings lead to: name of the binding → source of the module, with the same variables.
    What is ``alone`` runs when all others are done: it sees nothing but its own doing (whatever rings
    cron must be). ``prepare`` runs before the first
    check of all."""

    id: str
    rule: str
    run: Callable[[Session], Awaitable[None]]
    variables: Mapping[str, str] = field(default_factory=dict)
    beside: Callable[[], AbstractContextManager[Mapping[str, str]]] | None = None
    bound: Mapping[str, str] = field(default_factory=dict)
    alone: bool = False
    prepare: Callable[[Session], None] | None = None
