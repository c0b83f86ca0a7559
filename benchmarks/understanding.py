"""The time from a description to a blueprint, and where it goes.

``python -m benchmarks.understanding [--json] [--rounds N]``

Texts of the frozen set, in groups by length in words. Warm; the best of the rounds for each text, then
the median and the 95th percentile over texts, in ms, and the median share of reading (the encoder),
linking (the heads and their decoding) and compiling (draft to blueprint, coverage). Not covered: loading
the model (told apart, once) and other work on the machine.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

from clodo.app.models import DEFAULT_MODEL, open_understander
from clodo.evaluation.cases import load
from clodo.understand.encoder import EncoderUnderstander

SET = Path(__file__).parents[1] / "evals" / "sets" / "clear.txt"
GROUPS = ((0, 30), (30, 50), (50, 80), (80, 150), (150, 1000))
SHARES = ("prefill", "decode")


def main() -> None:
    """Runs everything and prints it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    model = open_understander(DEFAULT_MODEL)
    assert isinstance(model, EncoderUnderstander)
    started = time.perf_counter()
    model.warm_up()
    loading = (time.perf_counter() - started) * 1000
    rows = [_timed(model, case.text, options.rounds) for case in load(SET)]
    found: dict[str, Any] = {"loading_ms": round(loading), "groups": []}
    for low, high in GROUPS:
        inside = [r for r in rows if low <= r["words"] < high]
        if inside:
            found["groups"].append({"words": f"{low}–{high}", "texts": len(inside), **_summary(inside)})
    found["all"] = {"texts": len(rows), **_summary(rows)}
    if options.json:
        print(json.dumps(found))
        return
    print(f"loading: {found['loading_ms']} ms, once")
    print(f"{'words':>10}{'texts':>7}{'p50':>8}{'p95':>8}{'reading':>10}{'linking':>10}{'compiling':>11}")
    for row in (*found["groups"], {"words": "all", **found["all"]}):
        print(f"{row['words']:>10}{row['texts']:7}{row['p50']:8.1f}{row['p95']:8.1f}{row['prefill']:10.1f}{row['decode']:10.1f}{row['rest']:11.1f}")


def _timed(model: EncoderUnderstander, text: str, rounds: int) -> dict[str, float]:
    best: dict[str, float] = {}
    for _ in range(rounds):
        started = time.perf_counter()
        found = model.understand(text)
        total = (time.perf_counter() - started) * 1000
        if not best or total < best["total"]:
            best = {"total": total, **{k: found.timings_ms[k] for k in SHARES}}
    return {**best, "words": len(text.split())}


def _summary(rows: list[dict[str, float]]) -> dict[str, float]:
    totals = sorted(r["total"] for r in rows)
    shares = {k: statistics.median(r[k] for r in rows) for k in SHARES}
    rest = statistics.median(r["total"] - sum(r[k] for k in SHARES) for r in rows)
    return {
        "p50": round(statistics.median(totals), 1),
        "p95": round(totals[min(len(totals) - 1, int(len(totals) * 0.95))], 1),
        **{k: round(v, 1) for k, v in shares.items()},
        "rest": round(rest, 1),
    }


if __name__ == "__main__":
    main()
