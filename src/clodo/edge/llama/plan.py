"""Which Worker holds what: one where the budget allows, else a front and as few layer Workers as possible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clodo.edge.llama.memory import JAVASCRIPT_MB, MB, kv_bytes, wasm_bytes, working_bytes
from clodo.edge.llama.shape import Shape
from clodo.errors import ModelError

#: More slots than this are no use: all share one thread.
MOST_SLOTS = 4


@dataclass(frozen=True)
class Sizes:
    """Bytes of what there is to place: the vocabulary's blob, each layer's, and the tokenizer's tables in JavaScript."""

    vocabulary: int
    layers: tuple[int, ...]
    tokenizer: int


@dataclass(frozen=True)
class Share:
    """What one Worker holds: the layers ``first`` … ``last - 1``, and the vocabulary where it is the front. ``planned_mb``
    is its peak: WebAssembly memory, JavaScript's heap and tables."""

    first: int
    last: int
    front: bool
    planned_mb: float


@dataclass(frozen=True)
class Layout:
    """The front's share first, then those of the layer Workers in order; every one has ``slots`` slots of keys and values."""

    shares: tuple[Share, ...]
    slots: int


def plan_layout(shape: Shape, sizes: Sizes, budget_mb: float, context: int, *, layer_workers: int | None = None, slots: int | None = None) -> Layout:
    """The layout with the fewest Workers that keeps each below ``budget_mb``, and then with the most slots.
    ``layer_workers`` and ``slots`` fix what would be chosen; 0 layer Workers mean that the front holds everything.

    Raises:
        ModelError: no layout fits; it says what is needed.
    """
    counts: Sequence[int] = range(shape.layers + 1) if layer_workers is None else [layer_workers]
    for count in counts:
        for some in range(MOST_SLOTS, 0, -1) if slots is None else [slots]:
            shares = _shares(shape, sizes, count, context, some)
            if all(share.planned_mb <= budget_mb for share in shares):
                return Layout(shares, some)
    raise _too_large(shape, sizes, budget_mb, context, counts[-1])


def _shares(shape: Shape, sizes: Sizes, workers: int, context: int, slots: int) -> tuple[Share, ...]:
    if workers == 0:
        return (_share(shape, sizes, 0, shape.layers, context, slots, front=True),)
    edges = [shape.layers * i // workers for i in range(workers + 1)]
    layers = [_share(shape, sizes, a, b, context, slots, front=False) for a, b in zip(edges, edges[1:], strict=False)]
    return (_share(shape, sizes, 0, 0, context, slots, front=True), *layers)


def _share(shape: Shape, sizes: Sizes, first: int, last: int, context: int, slots: int, *, front: bool) -> Share:
    weights = sum(sizes.layers[first:last]) + (sizes.vocabulary if front else 0)
    wasm = wasm_bytes(working_bytes(shape, last - first, context, slots, vocabulary=front), weights)
    planned = (wasm + (sizes.tokenizer if front else 0)) / MB + JAVASCRIPT_MB
    return Share(first, last, front, planned)


def _too_large(shape: Shape, sizes: Sizes, budget_mb: float, context: int, workers: int) -> ModelError:
    shares = _shares(shape, sizes, workers, context, 1)
    worst = max(shares, key=lambda share: share.planned_mb)
    if worst.front and workers:
        what = f"the front with a vocabulary of {shape.vocabulary} tokens ({sizes.vocabulary / MB:.1f} MB of weights)"
    elif worst.front:
        what = "the one Worker with everything"
    else:
        cache = kv_bytes(shape, worst.last - worst.first, context) / MB
        layers = sum(sizes.layers[worst.first : worst.last]) / MB
        count = worst.last - worst.first
        what = f"a Worker with {count} {'layer' if count == 1 else 'layers'} ({layers:.1f} MB of weights, {cache:.1f} MB of keys and values)"
    return ModelError(
        f"The model does not fit: {what} needs {worst.planned_mb:.1f} MB, and the budget is {budget_mb:g} MB.",
        hint="Choose a smaller model, or one with fewer bits, a shorter context or a larger budget.",
        code="model-too-large",
    )
