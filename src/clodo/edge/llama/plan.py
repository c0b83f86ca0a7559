"""Which Worker holds what: one where the budget allows, else a front and as few layer Workers as possible, and where the vocabulary does not
fit the front, as few Workers with rows of it as possible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clodo.edge.llama.memory import JAVASCRIPT_MB, MB, kv_bytes, wasm_bytes, working_bytes
from clodo.edge.llama.shape import Shape
from clodo.errors import ModelError

#: More slots than this are no use: all share one thread.
MOST_SLOTS = 4
#: More Workers than this are not called for a token's scores: a request's calls are counted.
MOST_TABLES = 16
#: Matrices lie in groups of so many rows.
_GROUP = 8


@dataclass(frozen=True)
class Sizes:
    """Bytes of what there is to place: the vocabulary's blob, each layer's, and the tokenizer's tables in JavaScript; ``group`` are those of eight
    rows of the vocabulary, in all of its tables."""

    vocabulary: int
    layers: tuple[int, ...]
    tokenizer: int
    group: int


@dataclass(frozen=True)
class Share:
    """What one Worker holds: the layers ``first`` … ``last - 1``, and ``rows`` of the vocabulary, from the first to before the second.
    ``planned_mb`` is its peak: WebAssembly memory, JavaScript's heap and tables."""

    first: int
    last: int
    front: bool
    planned_mb: float
    rows: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Layout:
    """The front's share first, then those of the layer Workers in order, every one with ``slots`` slots of keys and values, then those of Workers
    with rows of the vocabulary, if it is not the front's."""

    shares: tuple[Share, ...]
    slots: int


def plan_layout(shape: Shape, sizes: Sizes, budget_mb: float, context: int, *, layer_workers: int | None = None, tables: int | None = None, slots: int | None = None) -> Layout:
    """The layout with the fewest Workers that keeps each below ``budget_mb``, and then with the most slots.
    ``layer_workers``, ``tables`` (Workers with rows of the vocabulary) and ``slots`` fix what would be chosen; 0 layer Workers mean that the front
    holds everything, 0 tables that it holds the vocabulary.

    Raises:
        ModelError: no layout fits; it says what is needed.
    """
    counts: Sequence[int] = range(shape.layers + 1) if layer_workers is None else [layer_workers]
    for count in counts:
        for some in range(MOST_SLOTS, 0, -1) if slots is None else [slots]:
            shares = _shares(shape, sizes, count, context, some, budget_mb, tables)
            if all(share.planned_mb <= budget_mb for share in shares):
                return Layout(shares, some)
    raise _too_large(shape, sizes, budget_mb, context, counts[-1], tables)


def _shares(shape: Shape, sizes: Sizes, workers: int, context: int, slots: int, budget_mb: float, tables: int | None) -> tuple[Share, ...]:
    whole = (0, shape.vocabulary)
    if workers == 0:
        return (_share(shape, sizes, 0, shape.layers, context, slots, front=True, rows=whole),)
    edges = [shape.layers * i // workers for i in range(workers + 1)]
    layers = [_share(shape, sizes, a, b, context, slots, front=False) for a, b in zip(edges, edges[1:], strict=False)]
    front = _share(shape, sizes, 0, 0, context, slots, front=True, rows=whole)
    if tables == 0 or (tables is None and front.planned_mb <= budget_mb):
        return (front, *layers)
    front = _share(shape, sizes, 0, 0, context, slots, front=True)
    return (front, *layers, *_tables(shape, sizes, context, budget_mb, tables))


def _tables(shape: Shape, sizes: Sizes, context: int, budget_mb: float, tables: int | None) -> list[Share]:
    """The fewest Workers that keep their rows below the budget, or the most that there may be."""
    groups = -(-shape.vocabulary // _GROUP)
    most = min(MOST_TABLES, groups)
    for count in range(1, most + 1) if tables is None else [tables]:
        edges = [min(groups * i // count * _GROUP, shape.vocabulary) for i in range(count + 1)]
        shares = [_share(shape, sizes, 0, 0, context, 1, front=False, rows=rows) for rows in zip(edges, edges[1:], strict=False)]
        if all(share.planned_mb <= budget_mb for share in shares):
            break
    return shares


def _share(shape: Shape, sizes: Sizes, first: int, last: int, context: int, slots: int, *, front: bool, rows: tuple[int, int] = (0, 0)) -> Share:
    elsewhere = (-(-shape.vocabulary // _GROUP) - -(-(rows[1] - rows[0]) // _GROUP)) * sizes.group
    weights = sum(sizes.layers[first:last]) + (sizes.vocabulary - elsewhere if rows[1] else 0)
    scored = shape.vocabulary if front else rows[1] - rows[0]
    wasm = wasm_bytes(working_bytes(shape, last - first, context, slots, scored=scored), weights)
    planned = (wasm + (sizes.tokenizer if front else 0)) / MB + JAVASCRIPT_MB
    return Share(first, last, front, planned, rows)


def _too_large(shape: Shape, sizes: Sizes, budget_mb: float, context: int, workers: int, tables: int | None) -> ModelError:
    shares = _shares(shape, sizes, workers, context, 1, budget_mb, tables)
    worst = max(shares, key=lambda share: share.planned_mb)
    if worst.front and workers and worst.rows[1]:
        what = f"the front with a vocabulary of {shape.vocabulary} tokens ({sizes.vocabulary / MB:.1f} MB of weights)"
    elif worst.front and workers:
        what = f"the front with the tokenizer of {shape.vocabulary} tokens"
    elif worst.front:
        what = "the one Worker with everything"
    elif worst.rows[1]:
        what = f"a Worker with {worst.rows[1] - worst.rows[0]} of {shape.vocabulary} tokens, in a vocabulary of {sizes.vocabulary / MB:.1f} MB that {len(shares) - 1 - workers} Workers share,"
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
