"""What a model in Workers must show: the thresholds, in one place, and what falls short of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from clodo.edge.platform.benchmark import Figures

#: From a description to its blueprint, warm, in the middle case.
MOST_BLUEPRINT_MS = 500
#: Decoding, beside native llama.cpp with one thread on the same file in the same run.
LEAST_DECODE_RATIO = 0.9
#: The peak of an isolate, in MB (10⁶ bytes).
MOST_ISOLATE_MB = 50
#: Where a greedy answer parts from llama.cpp's, by how much float32 itself may prefer one of the two words, in logits: docs/edge.md
#: has what was found. A fault of the arithmetic shows as gaps of whole logits.
MOST_GREEDY_GAP = 1.0
#: The least share of greedy answers that are the same to the last token. Two builds of our own kernels have .24.
LEAST_GREEDY_SAME = 0.1


def shortfalls(figures: Figures) -> Iterator[str]:
    """A sentence for each figure that falls short."""
    f = figures
    if f.blueprint_p50_ms is not None and f.blueprint_p50_ms >= MOST_BLUEPRINT_MS:
        yield f"{f.model}: a description takes {f.blueprint_p50_ms:.0f} ms to its blueprint; it must be under {MOST_BLUEPRINT_MS} ms."
    if f.decode_ratio is not None and f.decode_ratio < LEAST_DECODE_RATIO:
        yield f"{f.model}: decoding has {f.decode_ratio:.2f} of the speed of native llama.cpp; {LEAST_DECODE_RATIO} is the least."
    if f.decode_tok_s is not None and f.decode_ratio is None:
        yield f"{f.model}: there is no llama.cpp to compare decoding with; `pip install 'clodo[llama]'` installs it."
    for isolate in f.isolates:
        if isolate.peak_mb >= MOST_ISOLATE_MB:
            yield f"{f.model}: the isolate {isolate.name} comes to {isolate.peak_mb:.1f} MB; it must stay under {MOST_ISOLATE_MB} MB."


def greedy_shortfalls(report: Mapping[str, Any]) -> Iterator[str]:
    """The same of a report of ``benchmarks.edge_greedy``."""
    other, count = report["beside"], report["prompts"]
    wide = [p for p in report["parted"] if p["gap"] > MOST_GREEDY_GAP]
    for p in wide[:3]:
        yield f"The answer to {p['prompt']!r} parts from that of {other} where float32 has {p['gap']:.2f} logits between the words; {MOST_GREEDY_GAP} is no near-tie."
    if len(wide) > 3:
        yield f"{len(wide) - 3} more answers part at what is no near-tie."
    if report["same"] < LEAST_GREEDY_SAME * count:
        yield f"{report['same']} of {count} greedy answers are those of {other}; {LEAST_GREEDY_SAME:.0%} is the least."
