"""Everything that the docs say of models, in one run.

``python -m evals.run [--set SET]… [--model REF]… [--save FILE] [--html FILE]``

For each set: the no-model baseline (``evals/baseline.py``), the models that are named, and the previous
release's saved results (``evals/results``) are measured or shown side by side.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from clodo.app.models import open_understander
from clodo.evaluation.cases import load
from clodo.evaluation.measure import Answer, answers_of, measure
from clodo.evaluation.report import page, table
from evals.baseline import extract

HERE = Path(__file__).parent
SETS = (HERE / "sets" / "clear.txt", HERE / "sets" / "unclear.txt")


def baseline(text: str) -> Answer:
    """The patterns as a candidate. They know no doubt, and ask only where they found nothing."""
    started = time.perf_counter()
    said = extract(text)
    return Answer(said if said.entities else None, ms=(time.perf_counter() - started) * 1000)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--set", dest="sets", action="append", type=Path)
    parser.add_argument("--model", action="append", default=[])
    parser.add_argument("--against", action="append", type=Path, default=[])
    parser.add_argument("--limit", type=int)
    parser.add_argument("--save", type=Path)
    parser.add_argument("--html", type=Path)
    given = parser.parse_args()

    def tell(line: str) -> None:
        print(line, file=sys.stderr)

    sets = given.sets or SETS
    cases = [case for path in sets for case in load(path)[: given.limit]]
    results = [measure("patterns (no model)", baseline, cases).to_json()]
    results += [r for path in given.against for r in json.loads(path.read_text("utf-8"))]
    for reference in given.model or ["clodo-1"]:
        tell(f"Measuring {reference} on {len(cases)} texts …")
        candidate = answers_of(open_understander(reference, tell))
        results.append(measure(reference, candidate, cases, tell).to_json())
    if given.save:
        given.save.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    if given.html:
        given.html.write_text(page(", ".join(p.name for p in sets), results), "utf-8")
    print(table(results))


if __name__ == "__main__":
    main()
