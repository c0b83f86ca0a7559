"""Whether the services of usable blueprints hold: ``python -m evals.proven [--set FILE] [--model REF]``.

Each text of a set of which the model makes a usable blueprint is built and proven in workerd, one after the other. The command ends with 1
where one of them is not proven.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from clodo.app.models import open_understander
from clodo.app.services import Unproven, put_service
from clodo.blueprint import format_blueprint
from clodo.evaluation.cases import load
from clodo.evaluation.measure import answers_of
from clodo.evaluation.scoring import Score
from clodo.proof.report import Report
from clodo.understand.port import Understander
from evals.run import tell

_SET = Path("../shared/descriptions/descriptions.json")


def proof_of(understander: Understander, text: str) -> Report:
    """The proof of the service that a description comes to.

    Raises:
        Unproven: a check failed.
    """
    blueprint = understander.understand(text).blueprint
    assert blueprint is not None
    with tempfile.TemporaryDirectory() as folder:
        report = put_service(blueprint, format_blueprint(blueprint), Path(folder) / "service", prove=True).report
    assert report is not None
    return report


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--set", type=Path, default=_SET, dest="path")
    parser.add_argument("--model", default="clodo-1")
    given = parser.parse_args()
    understander = open_understander(given.model, tell)
    answer = answers_of(understander)
    usable, failed, skipped = 0, 0, 0
    for case in load(given.path):
        said = answer(case.text).meaning
        if case.meaning is None or said is None or Score().add(said, case.meaning, lenient=not case.exact):
            continue
        usable += 1
        try:
            skipped += len(proof_of(understander, case.text).skipped)
        except Unproven as error:
            failed += 1
            print(f"{case.id}: {error.report.summary()}")
    print(f"{usable} usable, {usable - failed} proven, {skipped} checks skipped")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
