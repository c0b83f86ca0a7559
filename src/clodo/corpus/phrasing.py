"""How descriptions are phrased, whatever they are about: their texts with each marked noun replaced by what it is.

Two records are of one family of phrasings where these skeletons overlap, as texts do (:mod:`clodo.corpus.similarity`). What a cue or a wish that
cannot be said is marked on stays as it is written: its words are phrasing. ``python -m clodo.corpus.phrasing`` writes the table of the records
that are phrased as one on the other side (``data/corpus/phrased-alike.txt``), which :mod:`clodo.corpus.splits` leaves out.

What it does not see: one sentence among many that two long records have in common.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from clodo.corpus.format import Mark, Record, read
from clodo.corpus.similarity import Shingles, Twin, twins
from clodo.corpus.splits import FROZEN, WRITTEN, alike_table, held_out, written_blocks

#: From this overlap on two skeletons are of one family. At 0.2 about half of the pairs are the same sentences with other nouns,
#: the others are the same few words around lists; below, hardly any are the former.
ALIKE = 0.2
_WORDS = 5
#: So many of five words must not be marks: what only lists fields is common to all.
_OWN = 3
_TOKEN = re.compile(r"<[a-z:]+>|[a-z0-9']+")
#: What stands between the things of a list.
_BETWEEN = frozenset(["a", "an", "the", "and", "or", "its", "their", "his", "her", "our", "my", "plus", "also"])


def skeleton(record: Record) -> str:
    """The words of a text, each marked noun as its kind, values as their role too; a list of several of one kind is as one."""
    text, last, pieces = record.text.lower(), 0, []
    for mark in sorted(record.marks, key=lambda m: m.start):
        if mark.kind not in ("cue", "unsupported") and mark.start >= last:
            pieces += [text[last : mark.start], _kind(mark)]
            last = mark.end
    return " ".join(_lists_as_one(_TOKEN.findall(" ".join([*pieces, text[last:]]))))


def _kind(mark: Mark) -> str:
    return f"<value:{mark.role}>" if mark.kind == "value" and mark.role else f"<{mark.kind}>"


def _lists_as_one(tokens: Iterable[str]) -> list[str]:
    found: list[str] = []
    between: list[str] = []
    for token in tokens:
        if token[0] == "<" and found and found[-1] == token:
            between = []
        elif token in _BETWEEN and found and found[-1][0] == "<":
            between.append(token)
        else:
            found += [*between, token]
            between = []
    return found + between


def frames(skeleton: str) -> Shingles:
    """The five-grams of a skeleton that say more than a list of things does; of most short lists none."""
    words = skeleton.split()
    found = (tuple(words[i : i + _WORDS]) for i in range(max(1, len(words) - _WORDS + 1)))
    return frozenset(f for f in found if sum(w[0] != "<" for w in f) >= _OWN)


def phrased_alike(left: Sequence[Record], right: Sequence[Record], least: float = ALIKE) -> list[Twin]:
    """The pairs of a left and a right record that are of one family of phrasings, the closest first."""
    return twins([skeleton(r) for r in left], [skeleton(r) for r in right], least, cut=frames)


def table(records: Iterable[Record], tests: Sequence[Record]) -> str:
    """Which records are in no split, each with the closest that it is apart from, a line each: those that are phrased as a test, and of the
    others the held-out ones that are phrased as one that is trained on."""
    records = list(records)
    found = _closest(records, tests)
    train, held = ([r for r in records if r.id not in found and held_out(r) == side] for side in (False, True))
    return "".join(f"{line}\n" for _, line in sorted((found | _closest(held, train)).items()))


def _closest(records: Sequence[Record], others: Sequence[Record]) -> dict[str, str]:
    """The line of each record that is phrased as another one."""
    return {records[t.left].id: f"{records[t.left].id} {others[t.right].id} {t.overlap:.2f}" for t in reversed(phrased_alike(records, others))}


def frozen_records() -> list[Record]:
    """The texts of the test sets."""
    return [r for path in sorted(FROZEN.glob("*.txt")) for r in read(path)]


def main() -> None:
    """Writes the table of the written records."""
    alike_table(WRITTEN).write_text(table((r for _, r in written_blocks()), frozen_records()), "utf-8")


if __name__ == "__main__":
    main()
