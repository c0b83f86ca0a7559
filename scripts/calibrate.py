"""Fits a model's curves of confidence anew: ``python -m scripts.calibrate FOLDER``.

For an encoder model that was trained with older records or an older way of fitting. The texts are those that ``clodo train``
calibrates by: held-out records that were not chosen for what a model misreads. Only the manifest is written.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from clodo.corpus.splits import as_people_write, load_split
from clodo.evaluation.cases import from_records
from clodo.training.pipeline import CALIBRATED, calibrate


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--texts", type=int, default=CALIBRATED, help=f"about so many texts ({CALIBRATED})")
    given = parser.parse_args()
    for kind, curve in calibrate(given.folder, from_records(as_people_write(load_split("valid"), given.texts))).items():
        print(kind, *curve)


if __name__ == "__main__":
    main()
