"""What is trained on, held out, and fit to calibrate by."""

from __future__ import annotations

from clodo.corpus.format import Record, parse
from clodo.corpus.splits import as_people_write, held_out


def records(*ids: str) -> list[Record]:
    return [parse(f"=== {id} | style=terse | domain=d{i}\n[books|book] with a [title|book.]\n---") for i, id in enumerate(ids)]


def test_all_records_of_a_domain_are_on_one_side() -> None:
    one, other = (parse(f"=== a1-{i} | style=terse | domain={name}\n[books|book]\n---") for i, name in enumerate(("Bee Keeping", "bee keeping ")))
    assert held_out(one) == held_out(other)
    assert {held_out(r) for r in records(*(f"a1-{i}" for i in range(60)))} == {True, False}


def test_what_was_written_against_a_model_does_not_calibrate_it() -> None:
    mixed = records("a1-1", "h2-1", "m1-1", "q7-1", "own-1", "s1-1")
    assert [r.id for r in as_people_write(mixed, 10)] == ["a1-1", "m1-1", "own-1"]
    assert [r.id for r in as_people_write(mixed, 1)] == ["a1-1"]
    assert [r.id for r in as_people_write(records("h1-1", "h1-2"), 10)] == ["h1-1", "h1-2"]
