"""What is trained on, held out, and fit to calibrate by."""

from __future__ import annotations

from pathlib import Path

from clodo.corpus.format import Record, parse
from clodo.corpus.splits import as_people_write, held_out, split_blocks, written_blocks


def records(*ids: str) -> list[Record]:
    return [parse(f"=== {id} | style=terse | domain=d{i}\n[books|book] with a [title|book.]\n---") for i, id in enumerate(ids)]


def test_all_records_of_a_domain_are_on_one_side() -> None:
    one, other = (parse(f"=== a1-{i} | style=terse | domain={name}\n[books|book]\n---") for i, name in enumerate(("Bee Keeping", "bee keeping ")))
    assert held_out(one) == held_out(other)
    assert {held_out(r) for r in records(*(f"a1-{i}" for i in range(60)))} == {True, False}


def test_each_side_is_what_all_records_have_of_it_in_their_order(tmp_path: Path) -> None:
    domains = ["bees", *(f"d{i}" for i in range(40)), " Bees"]
    texts = [f"=== a{i % 3}-{i} | style=terse | domain={d}\n[books|book] with a [title|book.]\n---\n" for i, d in enumerate(domains)]
    texts[7] = texts[7].replace("---", "--")
    for name in ("a", "b"):
        (tmp_path / f"{name}.txt").write_text("".join(texts[name == "b" :: 2]), "utf-8")
    (tmp_path / "c.txt").write_text("=== none\n", "utf-8")
    every = written_blocks(tmp_path)
    assert [b for b, _ in every] == [t for t in texts[::2] + texts[1::2] if "---" in t]
    for split in ("train", "valid"):
        assert split_blocks(split, tmp_path) == [(b, parse(b)) for b, r in every if held_out(r) == (split == "valid")] != []


def test_what_was_written_against_a_model_does_not_calibrate_it() -> None:
    mixed = records("a1-1", "h2-1", "m1-1", "q7-1", "own-1", "s1-1")
    assert [r.id for r in as_people_write(mixed, 10)] == ["a1-1", "m1-1", "own-1"]
    assert [r.id for r in as_people_write(mixed, 1)] == ["a1-1"]
    assert [r.id for r in as_people_write(records("h1-1", "h1-2"), 10)] == ["h1-1", "h1-2"]
