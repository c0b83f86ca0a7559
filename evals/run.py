"""Everything that the docs say of models, in one run.

``python -m evals.run [--set SET]… [--model REF]… [--by style|construct] [--save FILE] [--html FILE]``

Without ``--set``: the sets of this folder, a table for the frozen ones, one for ``cues`` and one for ``bricks``. Sets that are named are measured
as one. In each table stand the no-model baseline (``evals/baseline.py``), what is kept for the set of stock models and of the
release before (``evals/results``), and the models that are named (``clodo-1``).

At a release its results become those that the next one is held against:
``python -m evals.run --save-as-previous``, and once more with ``--set`` for each set elsewhere.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from clodo.app.models import open_understander
from clodo.evaluation.cases import load
from clodo.evaluation.measure import Answer, Figures, answers_of, measure
from clodo.evaluation.report import page
from clodo.evaluation.tables import BREAKDOWNS, breakdown, table
from evals.baseline import extract
from evals.kept import Kind, keep, kept_for, name_of

HERE = Path(__file__).parent
#: The frozen sets, and all that are measured where none is named.
SETS = (HERE / "sets" / "clear.txt", HERE / "sets" / "unclear.txt")
ALL = (SETS, (HERE / "sets" / "cues.txt",), (HERE / "sets" / "bricks.txt",))


def baseline(text: str) -> Answer:
    """The patterns as a candidate. They know no doubt, and ask only where they found nothing."""
    started = time.perf_counter()
    said = extract(text)
    return Answer(said if said.entities else None, ms=(time.perf_counter() - started) * 1000)


def tell(line: str) -> None:
    """Progress."""
    print(line, file=sys.stderr)


def measured(references: Sequence[str], sets: Sequence[Path], limit: int | None) -> list[Figures]:
    """The models that are named, each by its name and version, over some sets as one."""
    cases = [case for path in sets for case in load(path)[:limit]]
    found = []
    for reference in references:
        understander = open_understander(reference, tell)
        name = str(getattr(understander, "name", reference))
        tell(f"Measuring {name} on {len(cases)} texts …")
        found.append(measure(name, answers_of(understander), cases, tell))
        if found[-1].failed:
            tell(f"{name} came to no answer for {found[-1].failed} of them: {found[-1].failure}")
    return found


def main() -> int:
    """The command; 1 where a model answered nothing at all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--set", dest="sets", action="append", type=Path)
    parser.add_argument("--model", action="append", default=[])
    parser.add_argument("--against", action="append", type=Path, default=[], help="a file of --save, to show beside where it is of the same set")
    parser.add_argument("--by", action="append", choices=BREAKDOWNS, default=[], help="figures of each style or construct, too")
    parser.add_argument("--limit", type=int, help="only the first texts of each set")
    parser.add_argument("--save", type=Path)
    parser.add_argument("--html", type=Path)
    parser.add_argument("--save-as-previous", action="store_true", help="keep the results as those of a release")
    parser.add_argument("--save-as-stock", action="store_true", help="keep the results as those of a stock model")
    given = parser.parse_args()

    against = [r for path in given.against for r in json.loads(path.read_text("utf-8"))]
    saved: list[dict[str, Any]] = []
    pages: list[tuple[str, list[dict[str, Any]]]] = []
    dead = False
    for sets in [given.sets] if given.sets else ALL:
        cases = [case for path in sets for case in load(path)[: given.limit]]
        name = name_of(sets, given.limit)
        found = measured(given.model or ["clodo-1"], sets, given.limit)
        dead |= any(f.failed == len(cases) for f in found)
        results = [f.to_json() for f in found]
        kept = kept_for(sets, given.limit)
        if not kept.previous:
            tell(f"No release is kept for {name} as it is.")
        rows = [
            measure("patterns (no model)", baseline, cases).to_json(),
            *kept.beside([f.candidate for f in found]),
            *(r for r in against if r.get("set", name) == name),
            *results,
        ]
        wishes: tuple[tuple[bool, Kind], ...] = ((given.save_as_previous, "previous"), (given.save_as_stock, "stock"))
        for wished, kind in wishes:
            if wished:
                kept = kept.with_results(results, kind)
                tell(f"kept in {keep(kept)}")
        saved += [{"set": name, **r} for r in rows if r not in against]
        pages.append((name, rows))
        print("\n\n".join([f"## {name}", table(rows), *(breakdown(rows, by) for by in given.by)]), end="\n\n", flush=True)
    if given.save:
        given.save.write_text(json.dumps(saved, indent=1) + "\n", "utf-8")
    if given.html:
        given.html.write_text(page(", ".join(name for name, _ in pages), *pages), "utf-8")
    return int(dead)


if __name__ == "__main__":
    sys.exit(main())
