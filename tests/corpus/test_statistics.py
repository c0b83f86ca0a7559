"""The data card tells the counts of today's records."""

from __future__ import annotations

from clodo.corpus.splits import WRITTEN
from clodo.corpus.statistics import card


def test_the_data_card_has_the_counts() -> None:
    assert card() in (WRITTEN.parents[1] / "README.md").read_text("utf-8"), "put what `python -m clodo.corpus.statistics` prints into data/README.md"
