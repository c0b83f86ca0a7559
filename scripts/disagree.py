"""Shows where a model reads marked records otherwise than their marks say.

``python -m scripts.disagree FILE [--from ID] [--model REF]``

Each difference is either a slip in the marks or a mistake of the model's: the first is mended, the second
tells what to write more of (``CONTRIBUTING.md``).
"""

from __future__ import annotations

import argparse
import itertools
import sys
from pathlib import Path

from clodo.app.models import open_understander
from clodo.evaluation.cases import load
from clodo.evaluation.measure import answers_of
from clodo.evaluation.scoring import Score


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--from", dest="first", default="", help="the id of the first record to show")
    parser.add_argument("--model", default="clodo-1")
    given = parser.parse_args()
    cases = list(itertools.dropwhile(lambda c: given.first not in ("", c.id), load(given.file)))
    candidate = answers_of(open_understander(given.model, lambda line: print(line, file=sys.stderr)))
    right = 0
    for case in cases:
        answer = candidate(case.text)
        if case.meaning is None or answer.meaning is None:
            asks = answer.meaning is None
            wanted = case.meaning is None
            faults = [] if asks == wanted else ["asks" if asks else "does not ask"]
        else:
            faults = Score().add(answer.meaning, case.meaning, lenient=not case.exact)
        right += not faults
        for fault in faults:
            print(f"{case.id}  {fault}")
    print(f"{right} of {len(cases)} are read as they are marked.")


if __name__ == "__main__":
    main()
