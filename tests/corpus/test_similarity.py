"""Near-duplicates are found, others are not, and no set leaks into another."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from clodo.corpus.phrasing import frozen_records
from clodo.corpus.similarity import overlap, shingles, twins
from clodo.corpus.splits import FROZEN, load_split

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


WORDS = st.lists(st.sampled_from(["a", "book", "has", "one", "title", "and", "pages"]), max_size=14).map(" ".join)


@given(st.lists(WORDS, max_size=5), st.lists(WORDS, max_size=5), st.sampled_from([0.2, 0.5, 1.0]))
def test_twins_are_the_pairs_whose_overlap_is_large_enough(left: list[str], right: list[str], least: float) -> None:
    pairs = {(i, j): overlap(shingles(a), shingles(b)) for i, a in enumerate(left) for j, b in enumerate(right)}
    found = twins(left, right, least)
    assert {(t.left, t.right): t.overlap for t in found} == {k: o for k, o in pairs.items() if o >= least}
    assert [t.overlap for t in found] == sorted((t.overlap for t in found), reverse=True)


def test_no_text_of_one_split_or_test_set_is_a_near_duplicate_of_another_ones() -> None:
    train, valid, sets = load_split("train"), load_split("valid"), frozen_records()
    assert valid and len({r.id.partition("-")[0] for r in sets}) >= len(list(FROZEN.glob("*.txt")))
    for ours, theirs in ((train, [*valid, *sets]), (valid, sets)):
        found = twins([r.text for r in ours], [r.text for r in theirs], 0.25)
        assert [(ours[t.left].id, theirs[t.right].id, t.overlap) for t in found] == []
