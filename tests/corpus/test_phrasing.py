"""The same sentence with other nouns is found, lists are not, and no phrasing is on two sides."""

from __future__ import annotations

import random
from pathlib import Path

from clodo.corpus.format import Record, parse
from clodo.corpus.phrasing import frozen_records, phrased_alike, skeleton, table
from clodo.corpus.splits import WRITTEN, alike_table, load_split, written_blocks
from clodo.training.generator import generate

LOANS = "A [member|member] who brings a [book|book] back late pays a [fee|member. money] of at least [2|member.fee =min] euros."
RENTS = "A [client|client] who brings a [kayak|kayak] back late pays a [fine|client. money] of at least [9|client.fine =min] euros."
LIST = "[Books|book]: [title|book.], [price|book. money], [pages|book. int]"


def record(id: str, body: str, domain: str = "library") -> Record:
    return parse(f"=== {id} | style=terse | domain={domain}\n{body}\n---\n")


def test_a_skeleton_has_kinds_for_nouns_and_the_words_of_wishes() -> None:
    said = record("a1-1", "[Members|member] can [cancel|@action of=member] at most [3|#] times. [Print labels|X] for the [city|member.], a [name|member.] and their [age|member. int].")
    assert skeleton(said) == "<entity> can cancel at most <value> times print labels for the <field>"


def test_the_same_sentence_with_other_nouns_is_of_one_family() -> None:
    left, right = [record("a1-1", LOANS), record("a1-2", LIST)], [record("a1-3", RENTS)]
    assert [(t.left, t.right, t.overlap) for t in phrased_alike(left, right)] == [(0, 0, 1.0)]


def test_lists_and_other_words_for_the_same_are_not() -> None:
    other = "[Fees|member.fee money] are [2|member.fee =min] euros or more for any [member|member] with an overdue [book|book]."
    theirs = [record("a1-2", LIST.replace("Books", "Boats").replace("book", "boat")), record("a1-3", other)]
    assert phrased_alike([record("a1-1", LIST), record("a1-4", LOANS)], theirs) == []


def test_what_is_phrased_as_on_another_side_is_in_no_split(tmp_path: Path) -> None:
    trained, held, tests = record("a1-1", LOANS, "library"), record("a1-2", RENTS, "bakery"), record("t-1", LIST)
    folder = tmp_path / "written"
    folder.mkdir()
    for r, body in ((trained, LOANS), (held, RENTS)):
        (folder / f"{r.id}.txt").write_text(f"=== {r.id} | style=terse | domain={r.domain}\n{body}\n---\n", "utf-8")
    assert [[r.id for r in load_split(s, folder)] for s in ("train", "valid")] == [["a1-1"], ["a1-2"]]
    assert table([trained, held], [tests]) == "a1-2 a1-1 1.00\n"
    assert table([trained, held], [record("t-1", RENTS)]) == "a1-1 t-1 1.00\na1-2 t-1 1.00\n"
    alike_table(folder).write_text(table([trained, held], [tests]), "utf-8")
    assert [[r.id for r in load_split(s, folder)] for s in ("train", "valid")] == [["a1-1"], []]


def test_the_table_is_that_of_the_written_records() -> None:
    wanted = table((r for _, r in written_blocks()), frozen_records())
    assert alike_table(WRITTEN).read_text("utf-8") == wanted, "run `python -m clodo.corpus.phrasing`"


def test_no_record_of_one_split_or_test_set_is_phrased_as_one_of_another() -> None:
    train, valid, sets = load_split("train"), load_split("valid"), frozen_records()
    for ours, theirs in ((train, [*valid, *sets]), (valid, sets)):
        assert ours and [(ours[t.left].id, theirs[t.right].id, t.overlap) for t in phrased_alike(ours, theirs)] == []


def test_no_text_of_a_test_set_is_phrased_as_the_generator_does() -> None:
    rng, sets = random.Random(0), frozen_records()
    made = [parse(generate(rng)) for _ in range(6000)]
    assert {sets[t.right].id for t in phrased_alike(made, sets)} == set()
