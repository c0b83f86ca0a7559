"""Which written records are trained on and which are held out, by domain; which of the latter validate, by phrasing."""

from __future__ import annotations

import gc
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from clodo.corpus.format import CorpusError, Record, blocks, domain_of, parse

#: The written records, in the source tree (they are not part of an installed Clodo).
WRITTEN = Path(__file__).parents[3] / "data" / "corpus" / "written"
#: The frozen sets, in the source tree: no text of theirs is in the corpus.
FROZEN = WRITTEN.parents[2] / "evals" / "sets"
_ONE_IN = 9
#: First letters of the files whose records were written against a model: there are more of what it misreads in them than people say.
_AGAINST = frozenset("hinpqrstuvwxyz")


def held_out(record: Record) -> bool:
    """Whether a written record is not trained on: one domain in nine."""
    return _apart(record.domain)


def _apart(domain: str) -> bool:
    return zlib.crc32(domain.lower().strip().encode()) % _ONE_IN == 0


def written_blocks(folder: Path = WRITTEN) -> tuple[tuple[str, Record], ...]:
    """Every well-formed written record with its text; ill-formed ones are left out. They are read once."""
    # A default would be another key of the cache.
    return _both(folder)


@cache
def _both(folder: Path) -> tuple[tuple[str, Record], ...]:
    sides = _side(folder, True) | _side(folder, False)
    return tuple(sides[at] for at in sorted(sides))


@cache
def _texts(folder: Path) -> tuple[str, ...]:
    return tuple(block for path in sorted(folder.glob("*.txt")) for block in blocks(path))


@cache
def _side(folder: Path, held: bool) -> dict[int, tuple[str, Record]]:
    """The well-formed records that are held out, or the others, by their places among all. Most of the corpus is trained on, and need
    not be read for what is held out."""
    # All of it stays: to look through it for what does not, again and again, took longer than to read it.
    collecting = gc.isenabled()
    gc.disable()
    try:
        return dict(_read(folder, held))
    finally:
        if collecting:
            gc.enable()


def _read(folder: Path, held: bool) -> Iterator[tuple[int, tuple[str, Record]]]:
    for at, block in enumerate(_texts(folder)):
        try:
            if _apart(domain_of(block)) == held:
                yield at, (block, parse(block))
        except CorpusError:
            continue


def alike_table(folder: Path) -> Path:
    """The table of the records of a folder that are phrased as one they are apart from (:mod:`clodo.corpus.phrasing`)."""
    return folder.with_name("phrased-alike.txt")


def left_out(folder: Path = WRITTEN) -> frozenset[str]:
    """The ids of the records that are in no split: held-out ones that are phrased as one that is trained on, and any that are as one of a test set."""
    table = alike_table(folder)
    return frozenset(line.split()[0] for line in table.read_text("utf-8").splitlines()) if table.is_file() else frozenset()


def split_blocks(split: str, folder: Path = WRITTEN) -> list[tuple[str, Record]]:
    """The written records of ``train`` or ``valid`` with their texts."""
    neither = left_out(folder)
    return [(b, r) for b, r in _side(folder, split == "valid").values() if r.id not in neither]


def load_split(split: str, folder: Path = WRITTEN) -> list[Record]:
    """The written records of ``train`` or ``valid``."""
    return [r for _, r in split_blocks(split, folder)]


def as_people_write(records: list[Record], most: int) -> list[Record]:
    """About ``most`` of some records, evenly, those left out that were chosen for what a model misreads: what a model is
    right in among the others tells how sure it may be. Where there are no others, of all."""
    found = [r for r in records if r.id[0] not in _AGAINST] or records
    return found[:: max(1, len(found) // most)]
