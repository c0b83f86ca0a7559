"""What is trained on: written records, varied, and generated ones."""

from __future__ import annotations

import random
from collections.abc import Iterator

from clodo.corpus.format import CorpusError, Record, parse
from clodo.corpus.splits import split_blocks
from clodo.training.generator import generate
from clodo.training.plan import Plan
from clodo.training.variation import Vocabulary, vary

#: Files of the corpus, by their first letters or names, and how often a record of theirs is drawn for one of the others: what
#: people ask for on ordinary days, and kinds of mention that no other file has. A name goes before a letter.
_DRAWN = {
    "m": 2, "n": 2, "p": 2, "q": 2, "r": 2, "s": 2, "t": 2, "u": 2, "v": 3, "w": 3, "x": 3, "y": 5, "o": 6, "z": 8,
    "o3": 8, "o4": 8, "o5": 8, "o6": 14, "o7": 14, "z1": 14, "z4": 14, "z5": 14, "z6": 14, "z7": 10, "z8": 10, "z9": 10, "z10": 10, "z11": 14, "z12": 14, "z13": 14, "z14": 14,
    "o8": 16, "o9": 12, "z15": 12, "z16": 12, "z17": 10, "z18": 10,
    "o10": 20, "o11": 30, "o12": 24, "o13": 24, "z19": 12, "z20": 14, "z21": 30, "z22": 30, "z23": 24, "z24": 30, "o14": 24,
}  # fmt: skip
#: Words, facts and all, up to which a record is drawn as often as any other; beyond, the longer the rarer.
_USUAL_WORDS = 150


class Mixture:
    """An endless, seeded stream of training records. ``own`` are the texts of a user's records, which
    then stand in the place of the corpus."""

    def __init__(self, rng: random.Random, written_share: float, own: list[str] | None = None) -> None:
        self.rng, self.share = rng, written_share
        corpus = split_blocks("train") if own is None else []
        self.written = [b for b, _ in corpus] if own is None else own
        with_cues = [b for b in self.written if "|@" in b]
        often = [b for b, r in corpus for _ in range(1, _drawn(r.id))]
        self.again = [*with_cues, *often]
        self.vocabulary = Vocabulary.of(r for _, r in corpus) if own is None else Vocabulary.of(parse(b) for b in own)

    def records(self) -> Iterator[Record]:
        """Records, one after the other: each written one once in every round, in an order of its own, and once more those with
        cues, which are few for so many kinds, and further times those of some files."""
        pending: list[str] = []
        while True:
            try:
                if self.written and self.rng.random() < self.share:
                    if not pending:
                        round_ = [*self.written, *self.again]
                        pending = self.rng.sample(round_, len(round_))
                    block = pending.pop()
                    words = len(block.split())
                    if self.rng.random() < _USUAL_WORDS / max(words, _USUAL_WORDS):
                        yield parse(vary(block, self.vocabulary, self.rng))
                else:
                    yield parse(generate(self.rng))
            except CorpusError:
                continue


def _drawn(identifier: str) -> int:
    """How often the record of such an id is drawn in one round."""
    return _DRAWN.get(identifier.partition("-")[0]) or _DRAWN.get(identifier[0], 1)


def mixture_of(plan: Plan, own: list[str] | None, rng: random.Random) -> Mixture:
    """The stream of records: the corpus, or the user's own records alone."""
    return Mixture(rng, plan.written_share if own is None else 1.0, own)
