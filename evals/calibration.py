"""How well confidence is calibrated where there are enough texts to tell: ``python -m evals.calibration [--model REF] [--texts N]``.

On held-out records, as people write (those that ``clodo train`` calibrates by): curves fitted on one half judge the other, and the other way
round. A line of JSON for the parts and for the whole: how many, the expected calibration error, and the error that chance makes of so many.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from clodo.app.models import DEFAULT_MODEL, open_understander
from clodo.corpus.splits import as_people_write, load_split
from clodo.evaluation.calibration import Judged, chance_error, expected_error
from clodo.evaluation.case import Case
from clodo.evaluation.cases import from_records
from clodo.evaluation.measure import answers_of, judged_parts, judged_whole
from clodo.training.pipeline import CALIBRATED, calibration
from clodo.understand.encoder import EncoderUnderstander


def cross_fitted(model: EncoderUnderstander, cases: Sequence[Case]) -> tuple[list[Judged], list[Judged]]:
    """Parts and whole blueprints, each judged with curves that its text was not part of."""
    halves = [list(cases[i::2]) for i in range(2)]
    parts: list[Judged] = []
    whole: list[Judged] = []
    for judged, others in zip(halves, reversed(halves), strict=True):
        model.calibrate(calibration(model, others))
        candidate = answers_of(model)
        answered = [(c, candidate(c.text)) for c in judged if c.meaning is not None]
        parts += [j for c, a in answered for j in judged_parts(c, a)]
        whole += judged_whole(answered)
    return parts, whole


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--texts", type=int, default=CALIBRATED)
    given = parser.parse_args()
    model = open_understander(given.model, lambda line: print(line, file=sys.stderr))
    if not isinstance(model, EncoderUnderstander):
        parser.error("Only encoders have curves of confidence.")
    cases = from_records(as_people_write(load_split("valid"), given.texts))
    for name, judged in zip(("parts", "whole"), cross_fitted(model, cases), strict=True):
        print(json.dumps({"of": name, "judged": len(judged), "ece": round(expected_error(judged), 4), "by_chance": round(chance_error(judged), 4)}), flush=True)


if __name__ == "__main__":
    main()
