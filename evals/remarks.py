"""How far the remarks of the built-in model can be trusted: ``python -m evals.remarks [--every N] [--from N] [--show]``.

The texts are the held-out written records. Of those that are understood rightly the share with a false remark is told, of those that lack
a value or a wish the share that shows all of it. ``--show`` prints the texts behind both.
"""

from __future__ import annotations

import argparse
import json

from clodo.app.models import open_understander
from clodo.corpus.format import Record
from clodo.corpus.splits import load_split
from clodo.evaluation.remarks import remarks


def show(record: Record, kind: str, words: list[str]) -> None:
    """A text with a false remark, or with something that is lost in silence."""
    print(f"{kind} {record.id}: {', '.join(map(repr, words))}\n  {' '.join(record.text.split())}")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", default="clodo-1")
    parser.add_argument("--every", type=int, default=5, metavar="N")
    parser.add_argument("--from", dest="first", type=int, default=0, metavar="N")
    parser.add_argument("--show", action="store_true")
    given = parser.parse_args()
    understander = open_understander(given.model, print)
    records = load_split("valid")[given.first :: given.every]
    print(json.dumps(remarks(understander.understand, records, show if given.show else None).to_json()))


if __name__ == "__main__":
    main()
