"""The bake-off: kinds of model trained for the same time on the same data, and measured on the same sets.

``python -m evals.bakeoff --minutes 30 [--only encoder,decoder,pointer] [--cpu] [--save FILE]`` takes that long for each of
them, one after the other, each with all cores. All start from their bare bases; the sets are the validation records
(every fourth) and the frozen sets.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from clodo.app.training import base_of
from clodo.corpus.splits import load_split
from clodo.evaluation.case import Case
from clodo.evaluation.cases import from_records, load
from clodo.evaluation.measure import Candidate, answers_of, measure
from clodo.evaluation.tables import table
from clodo.training.decoder.stages import open_trained
from clodo.training.pipeline import Job, run
from clodo.training.plan import Plan
from evals.bakeoff import pointer
from evals.run import SETS

KINDS = ("encoder", "pointer", "decoder")


def tell(line: str) -> None:
    """Progress."""
    print(line, file=sys.stderr, flush=True)


def trained(kind: str, plan: Plan, out: Path) -> Candidate:
    """A candidate of a kind, trained anew."""
    base = base_of("smollm2" if kind == "decoder" else "minilm-l6", tell)
    if kind == "pointer":
        network, tokenizer, seen = pointer.train(base[1], plan, tell)
        tell(f"pointer: {seen} examples seen")
        return lambda text: pointer.answer(network, tokenizer, text)
    job = Job(plan, base[1], out / kind, kind, "bake-off", base[2], kind=kind)
    return answers_of(open_trained(run(job, tell).folder))


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--cpu", action="store_true", help="minutes are processor time on all cores")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default=",".join(KINDS))
    parser.add_argument("--limit", type=int, help="at most so many texts of each set")
    parser.add_argument("--save", type=Path)
    given = parser.parse_args()
    sets: dict[str, list[Case]] = {"validation": from_records(load_split("valid")[::4])}
    sets |= {path.stem: load(path) for path in SETS}
    results: dict[str, list[dict[str, object]]] = {name: [] for name in sets}
    with tempfile.TemporaryDirectory() as folder:
        for kind in given.only.split(","):
            candidate = trained(kind, Plan(given.minutes, seed=given.seed, cpu=given.cpu), Path(folder))
            for name, cases in sets.items():
                results[name].append(measure(kind, candidate, cases[: given.limit], tell).to_json())
                print(f"\n{name}\n{table(results[name])}", flush=True)
            if given.save:
                given.save.write_text(json.dumps(results, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
