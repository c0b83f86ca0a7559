"""Near-duplicates are found, others are not, and no set leaks into another."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from clodo.corpus.format import blocks, parse
from clodo.corpus.similarity import overlap, shingles, twins
from clodo.corpus.splits import load_split

SETS = Path(__file__).parents[2] / "evals" / "sets"
TEXT = "We keep books with a title, a price and an ISBN that nobody may use twice, and loans of them to members."


def test_the_same_text_with_a_word_changed_is_a_twin() -> None:
    found = twins([TEXT, "Something else entirely about boats."], [TEXT.replace("price", "weight").upper()])
    assert [(t.left, t.right) for t in found] == [(0, 0)] and 0.3 < found[0].overlap < 1


def test_other_sentences_on_the_same_thing_are_none() -> None:
    assert twins([TEXT], ["A book has an ISBN (unique), a title and a price. Members borrow books."]) == []


@given(st.text(min_size=1), st.text(min_size=1))
def test_overlap_is_a_share_that_is_symmetric_and_whole_for_equals(a: str, b: str) -> None:
    one, two = shingles(a), shingles(b)
    assert overlap(one, one) == 1
    assert overlap(one, two) == overlap(two, one) and 0 <= overlap(one, two) <= 1


def test_no_held_out_text_is_a_near_duplicate_of_a_training_text() -> None:
    held_out = [(r.id, r.text) for r in load_split("valid")]
    assert held_out
    for path in sorted(SETS.glob("*.txt")):
        texts = [(r.id, r.text) for r in map(parse, blocks(path))]
        assert texts, path.name
        held_out += texts
    train = load_split("train")
    found = twins([r.text for r in train], [text for _, text in held_out], 0.25)
    assert [(train[t.left].id, held_out[t.right][0], t.overlap) for t in found] == []
