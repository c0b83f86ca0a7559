"""What is trained on: written records, varied, and generated ones; held-out records by domain."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator
from pathlib import Path

from clodo.training.corpus import CorpusError, Record, blocks, parse
from clodo.training.generator import generate
from clodo.training.variation import Vocabulary, vary

WRITTEN = Path(__file__).parents[3] / "data" / "corpus" / "written"


def held_out(record: Record) -> bool:
    """Whether a written record is for validation: one domain in nine."""
    domain = record.domain.lower().strip()
    return zlib.crc32(domain.encode()) % 9 == 0


def written_blocks(folder: Path = WRITTEN) -> list[tuple[str, Record]]:
    """Every well-formed written record with its text; ill-formed ones are left out."""
    found = []
    for path in sorted(folder.glob("*.txt")):
        for block in blocks(path):
            try:
                found.append((block, parse(block)))
            except CorpusError:
                continue
    return found


def load_split(split: str, folder: Path = WRITTEN) -> list[Record]:
    """The written records of ``train`` or ``valid``."""
    return [r for _, r in written_blocks(folder) if held_out(r) == (split == "valid")]


class Mixture:
    """An endless, seeded stream of training records."""

    def __init__(self, rng: random.Random, written_share: float) -> None:
        self.rng, self.share = rng, written_share
        self.refresh()

    def refresh(self) -> None:
        """Reads the written records anew."""
        self.written = [b for b, r in written_blocks() if not held_out(r)]
        self.vocabulary = Vocabulary.of(parse(b) for b in self.written)

    def records(self) -> Iterator[Record]:
        """Records, one after the other."""
        pending: list[str] = []
        while True:
            try:
                if self.written and self.rng.random() < self.share:
                    if not pending:
                        self.refresh()
                        pending = self.rng.sample(self.written, len(self.written))
                    yield parse(vary(pending.pop(), self.vocabulary, self.rng))
                else:
                    yield parse(generate(self.rng))
            except CorpusError:
                continue
