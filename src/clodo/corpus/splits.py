"""Which written records are trained on and which are held out, by domain."""

from __future__ import annotations

import zlib
from functools import cache
from pathlib import Path

from clodo.corpus.format import CorpusError, Record, blocks, parse

#: The written records, in the source tree (they are not part of an installed Clodo).
WRITTEN = Path(__file__).parents[3] / "data" / "corpus" / "written"
_ONE_IN = 9
#: First letters of the files whose records were written against a model: there are more of what it misreads in them than people say.
_AGAINST = frozenset("hinpqrstuvwxyz")


def held_out(record: Record) -> bool:
    """Whether a written record is for validation: one domain in nine."""
    domain = record.domain.lower().strip()
    return zlib.crc32(domain.encode()) % _ONE_IN == 0


def written_blocks(folder: Path = WRITTEN) -> tuple[tuple[str, Record], ...]:
    """Every well-formed written record with its text; ill-formed ones are left out. They are read once."""
    # A default would be another key of the cache.
    return _blocks(folder)


@cache
def _blocks(folder: Path) -> tuple[tuple[str, Record], ...]:
    found = []
    for path in sorted(folder.glob("*.txt")):
        for block in blocks(path):
            try:
                found.append((block, parse(block)))
            except CorpusError:
                continue
    return tuple(found)


def load_split(split: str, folder: Path = WRITTEN) -> list[Record]:
    """The written records of ``train`` or ``valid``."""
    return [r for _, r in written_blocks(folder) if held_out(r) == (split == "valid")]


def as_people_write(records: list[Record], most: int) -> list[Record]:
    """About ``most`` of some records, evenly, those left out that were chosen for what a model misreads: what a model is
    right in among the others tells how sure it may be. Where there are no others, of all."""
    found = [r for r in records if r.id[0] not in _AGAINST] or records
    return found[:: max(1, len(found) // most)]
