"""Models in Workers, in real workerd on this machine: memory of each isolate, speed beside native llama.cpp, cold start.

``python -m benchmarks.edge [MODEL …] [--json] [--rounds N] [--write] [--gate]``

The default model and the stock model where none is named. ``--write`` puts the tables into ``docs/edge.md``.
``--gate`` exits with 1 and a sentence for each figure that falls short of ``clodo.edge.platform.gate``.
Best on an idle machine: the load client shares its cores with workerd. Not covered: Cloudflare's machines and network, where
weights come from further away than this disk, and limits that workerd does not enforce.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from clodo.app.edge import bench_model
from clodo.app.models import DEFAULT_MODEL
from clodo.edge.platform.benchmark import Figures
from clodo.edge.platform.gate import shortfalls

DOCS = Path(__file__).parents[1] / "docs" / "edge.md"
STOCK_MODEL = "smollm2"
BEGIN, END = "<!-- figures: python -m benchmarks.edge --write -->", "<!-- end of figures -->"


def tables(found: Sequence[Figures]) -> str:
    """The figures in Markdown: isolates, then speeds."""
    isolates = ["| model | Worker | peak | WebAssembly | heap | script, gzip |", "|---|---|---|---|---|---|"]
    isolates += [
        f"| {f.model} | `{m.name}` | **{m.peak_mb:.1f} MB** | {m.wasm_mb:.1f} MB | {m.heap_mb:.1f} MB | {f.gzip[m.name] / 1024:.0f} KB |"
        for f in found
        for m in f.isolates
    ]
    speeds = ["| | " + " | ".join(f.model for f in found) + " |", "|---|" + "---|" * len(found)]
    rows = (
        ("description → blueprint, p50, warm", [_ms(f.blueprint_p50_ms) for f in found]),
        ("prefill", [_beside(f.prefill_tok_s, f.native_prefill_tok_s) for f in found]),
        ("decode", [_beside(f.decode_tok_s, f.native_decode_tok_s) for f in found]),
        ("first answer of isolates that have loaded nothing", [_ms(f.cold_start_ms) for f in found]),
        ("CPU time of an answer", [_ms(f.cpu_ms_per_answer) for f in found]),
    )
    speeds += [f"| {name} | {' | '.join(values)} |" for name, values in rows]
    return "\n".join(isolates) + "\n\n" + "\n".join(speeds)


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f} ms"


def _beside(edge: float | None, native: float | None) -> str:
    if edge is None:
        return "–"
    compared = f" (native llama.cpp: {native:.0f}; **{edge / native:.2f}** of it)" if native else ""
    return f"{edge:.0f} tok/s{compared}"


def put_into(text: str, figures: str) -> str:
    """A page with new figures between its marks."""
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\nOf {date.today().isoformat()}.\n\n{figures}\n{END}{after}"


def say(line: str) -> None:
    """Progress, on stderr."""
    print(f"  {line}", file=sys.stderr)


def held(shortfalls: Sequence[str]) -> None:
    """Ends the program with 1 where something falls short, and says what."""
    for sentence in shortfalls:
        say(sentence)
    if shortfalls:
        sys.exit(1)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("models", nargs="*", default=[DEFAULT_MODEL, STOCK_MODEL])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--gate", action="store_true", help="exit with 1 where a figure falls short")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    found = []
    for model in options.models:
        say(f"{model} …")
        found.append(bench_model(model, budget_mb=48, context=1024, rounds=options.rounds, progress=say))
    if options.write:
        DOCS.write_text(put_into(DOCS.read_text("utf-8"), tables(found)), "utf-8")
    print(json.dumps([f.to_json() for f in found]) if options.json else tables(found))
    if options.gate:
        held([sentence for figures in found for sentence in shortfalls(figures)])


if __name__ == "__main__":
    main()
