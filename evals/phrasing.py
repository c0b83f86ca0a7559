"""How much the built-in model gains where a held-out text is phrased as one that it was trained on: ``python -m evals.phrasing [--every N]``.

Every Nth record of the held-out domains, those of them that validate (their phrasing is held out, too), and the same by how much their
skeletons overlap with the closest one that is trained on; and all of those that are left out of validation for it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from functools import cache

from clodo.app.models import open_understander
from clodo.corpus.format import Record
from clodo.corpus.phrasing import ALIKE, phrased_alike
from clodo.corpus.splits import held_out, load_split, written_blocks
from clodo.evaluation.cases import from_records
from clodo.evaluation.measure import answers_of, measure

#: Where the groups by overlap begin.
_FROM = (0.0, 0.05, 0.1)


def groups(held: Sequence[Record], every: int) -> dict[str, list[Record]]:
    """Records of the held-out domains, by what of them is held out."""
    validating, sample = {r.id for r in load_split("valid")}, held[::every]
    closest: dict[int, float] = {}
    for twin in phrased_alike(load_split("train"), sample, _FROM[1]):
        closest.setdefault(twin.right, twin.overlap)
    found = {
        "held out by domain": list(sample),
        "held out by domain and phrasing": [r for r in sample if r.id in validating],
        "phrased as a trained one (all)": [r for r in held if r.id not in validating],
    }
    for low, high in zip(_FROM, (*_FROM[1:], ALIKE), strict=True):
        found[f"overlap {low} to {high}"] = [r for i, r in enumerate(sample) if low <= closest.get(i, 0.0) < high]
    return found


def main() -> None:
    """The command: a line of JSON for each group."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", default="clodo-1")
    parser.add_argument("--every", type=int, default=5, metavar="N")
    given = parser.parse_args()
    candidate = cache(answers_of(open_understander(given.model, lambda line: print(line, file=sys.stderr))))
    for name, records in groups([r for _, r in written_blocks() if held_out(r)], given.every).items():
        found = measure(name, candidate, from_records(records), lambda line: print(line, file=sys.stderr), draws=0)
        print(json.dumps({"group": name, "texts": len(records), **found.figures, **found.abstention}), flush=True)


if __name__ == "__main__":
    main()
