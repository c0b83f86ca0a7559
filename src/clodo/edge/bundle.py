"""What a model becomes to run in Workers, as a value: scripts, weights, and who calls whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class WorkerFiles:
    """One Worker script. ``name`` ("front", "layers-0") gets the service's name before it when it is deployed.
    ``sources`` are paths in the Worker's folder to TypeScript or WebAssembly, the entry is ``src/index.ts``;
    ``assets`` are paths under ``assets/`` to weights, ``services`` bindings to names of other Workers of the
    bundle. ``planned_mb`` is the planned peak in MB: WebAssembly memory and an allowance for the JavaScript heap."""

    name: str
    sources: Mapping[str, str | bytes]
    planned_mb: float
    assets: Mapping[str, bytes] = field(default_factory=dict)
    services: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Bundle:
    """A model made ready for Workers. The first of ``workers`` answers HTTP at ``routes``; ``model`` is its name and version.
    ``notes`` are sentences on what it cannot do, for whoever builds it."""

    kind: Literal["encoder", "llama"]
    model: str
    workers: tuple[WorkerFiles, ...]
    routes: tuple[str, ...]
    notes: tuple[str, ...] = ()
