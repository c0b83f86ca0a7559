"""Writes a model's graphs anew, as they are made today: ``python -m scripts.export_again FOLDER BASE``.

For a released model after a change of :mod:`clodo.training.export`: its weights stay the same to the last bit, or nothing is written.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from clodo.training.export import export_again


def main() -> None:
    """Reads the folders and writes the model."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("folder", type=Path, help="the folder of the model")
    parser.add_argument("base", type=Path, help="the folder of the base that it was made from")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder.parent) as made:
        export_again(given.folder, given.base, Path(made))
        for file in sorted(Path(made).iterdir(), key=lambda file: file.suffix == ".json"):
            file.replace(given.folder / file.name)


if __name__ == "__main__":
    main()
