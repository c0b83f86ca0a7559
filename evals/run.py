"""Measures understanding on a set of descriptions with their meaning.

``python -m evals.run SET.json --model clodo-1 --model smollm2 --baseline [--json]``

The set has the shape of ``evals/README.md``. For each candidate: micro-F1 of entities, fields, types,
constraints and references, the share of right access rules and of texts that are right as a whole, with
95 % bootstrap intervals over texts, and the model's time (p50, p95) in ms.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from clodo.app.models import open_understander
from clodo.errors import ModelError
from clodo.training.handwritten import load
from clodo.training.scoring import Meaning, Score, meaning
from evals.baseline import extract

Candidate = Callable[[str], Meaning]
_DRAWS = 500


def candidate(reference: str) -> Candidate:
    """What a model reference understands."""
    understander = open_understander(reference, lambda line: print(line, file=sys.stderr))

    def understand(text: str) -> Meaning:
        try:
            found = understander.understand(text).blueprint
        except ModelError as error:
            print(f"  no blueprint: {error.message[:100]}", file=sys.stderr)
            return Meaning()
        return meaning(found) if found is not None else Meaning()

    understand("A book has a title.")  # loads everything
    return understand


def measure(name: str, run: Candidate, texts: list[tuple[str, str, Meaning]]) -> dict[str, Any]:
    """The figures of one candidate."""
    said, times = [], []
    for _, text, _ in texts:
        started = time.perf_counter()
        said.append(run(text))
        times.append((time.perf_counter() - started) * 1000)
    wanted = [w for _, _, w in texts]
    figures = _table(said, wanted, range(len(texts)))
    rng = random.Random(0)
    draws = [_table(said, wanted, rng.choices(range(len(texts)), k=len(texts))) for _ in range(_DRAWS)]
    intervals = {}
    for key in figures:
        values = sorted(d[key] for d in draws)
        intervals[key] = (values[int(_DRAWS * 0.025)], values[int(_DRAWS * 0.975)])
    times.sort()
    return {
        "candidate": name,
        "texts": len(texts),
        "figures": figures,
        "intervals": intervals,
        "p50_ms": round(statistics.median(times), 1),
        "p95_ms": round(times[min(len(times) - 1, int(len(times) * 0.95))], 1),
    }


def _table(said: list[Meaning], wanted: list[Meaning], chosen: Any) -> dict[str, float]:
    score = Score()
    for i in chosen:
        # The sets do not tell inclusive from exclusive bounds.
        score.add(said[i], wanted[i], lenient_bounds=True)
    return score.table()


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("set", type=Path)
    parser.add_argument("--model", action="append", default=[])
    parser.add_argument("--baseline", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--limit", type=int, default=None)
    given = parser.parse_args()
    texts = load(given.set)[: given.limit]
    results = []
    if given.baseline:
        results.append(measure("patterns (no model)", extract, texts))
    results += [measure(ref, candidate(ref), texts) for ref in given.model]
    if given.json:
        print(json.dumps(results, indent=1))
        return
    columns = list(results[0]["figures"])
    print("| candidate |", " | ".join(columns), "| p50 ms | p95 ms |")
    print("|---" * (len(columns) + 3) + "|")
    for r in results:
        cells = [f"{r['figures'][c]:.2f} ({r['intervals'][c][0]:.2f}–{r['intervals'][c][1]:.2f})" for c in columns]
        print("|", r["candidate"], "|", " | ".join(cells), "|", r["p50_ms"], "|", r["p95_ms"], "|")


if __name__ == "__main__":
    main()
