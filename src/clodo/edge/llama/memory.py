"""How much memory a Worker of a model takes, before one is built: what ``llama.c`` allocates, and JavaScript beside it."""

from __future__ import annotations

from clodo.edge.llama.shape import Shape

#: Bytes of a MB, as budgets count.
MB = 1_000_000

#: V8's heap with the script, the answers in work, and states between Workers that wait to be collected, in MB. Measured 5 to
#: 13.5; what is collected when is V8's own business.
JAVASCRIPT_MB = 14.0

#: The longest pass in tokens, as in ``llama.c``.
_TOKENS = 64
#: Code's own tables and stack: below the heap.
_STATIC = 128 * 1024
_PAGE = 65536


def _up(size: int, to: int) -> int:
    return -(-size // to) * to


def kv_bytes(shape: Shape, layers: int, context: int) -> int:
    """Keys and values of one slot, f16."""
    return 2 * 2 * layers * context * shape.kv_heads * shape.head_size


def working_bytes(shape: Shape, layers: int, context: int, slots: int, *, scored: int) -> int:
    """Everything in WebAssembly memory but weights: the same sums as ``prepare`` in ``llama.c``. ``scored`` tokens have their scores there."""
    q, kv = shape.heads * shape.head_size, shape.kv_heads * shape.head_size
    total = 4 * _TOKENS * (shape.width + max(shape.width, q))
    total += 40 * _TOKENS // 32 * max(shape.width, q, shape.hidden if layers else 0)
    if layers:
        total += slots * kv_bytes(shape, layers, context) + 4 * context * shape.rope.size
        total += 4 * _TOKENS * (max(shape.width, q) + 2 * kv + 2 * shape.hidden) + 16 * _up(context, 4) + 16 * shape.head_size
    return total + 4 * _up(scored, 8)


def wasm_bytes(working: int, weights: int) -> int:
    """The whole WebAssembly memory."""
    return _up(_STATIC + working + weights, _PAGE)


def tokenizer_bytes(table: int, merges: int, tokens: int) -> int:
    """The tables of a vocabulary in JavaScript: the tokenizer's file, an open table of at most four places for each merge, and two numbers for
    each token that may be drawn."""
    return table + 4 * 4 * merges + 2 * 8 * tokens
