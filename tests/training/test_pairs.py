"""A user's own pairs: what the blueprint says must stand in the description."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clodo.blueprint import format_blueprint, parse
from clodo.corpus.format import CorpusError
from clodo.corpus.format import parse as parse_record
from clodo.corpus.gold import gold_draft
from clodo.training.pairs import align, read_pairs
from clodo.understand.compiler import compile_draft

TEXT = (
    "Books have a title, which is required, an ISBN that is unique, a price of at least 0 and a state: "
    "new, used or lost, new by default. Reviews of a book hold a score from 1 to 5. Writing needs an API key."
)
BLUEPRINT = """service book_service
read public
write key

entity book {
  title: text required
  isbn: text unique
  price: money min 0
  state: enum(new, used, lost) default new
}

entity review {
  score: integer min 1 max 5
  book: -> book required on delete cascade
}
"""


def pair(text: str = TEXT, blueprint: str = BLUEPRINT) -> str:
    return json.dumps({"description": text, "blueprint": blueprint})


def test_a_pair_becomes_a_record_that_means_the_same() -> None:
    record = parse_record(align(TEXT, parse(BLUEPRINT), "p"))
    assert record.text == TEXT
    said, left = compile_draft(gold_draft(record))
    assert said is not None and not left
    assert format_blueprint(said) == format_blueprint(parse(BLUEPRINT))


def test_marks_stand_at_the_words_and_not_elsewhere() -> None:
    record = parse_record(align(TEXT, parse(BLUEPRINT), "p"))
    said = {(m.kind, m.entity, m.field, m.role): TEXT[m.start : m.end] for m in record.marks}
    assert said["value", "review", "score", "max"] == "5"
    assert said["field", "book", "isbn", ""] == "ISBN"
    assert sum(m.kind == "entity" and m.entity == "book" for m in record.marks) == 2


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("  isbn: text unique", "  weight: decimal", "'book.weight'"),
        ("min 1 max 5", "min 1 max 7", "'max'"),
        ("enum(new, used, lost)", "enum(new, used, stolen)", "'enum'"),
        ("entity review", "entity rating", "'rating'"),
    ],
)
def test_what_the_description_does_not_say_is_refused_with_the_reason(old: str, new: str, reason: str) -> None:
    with pytest.raises(CorpusError, match=reason):
        align(TEXT, parse(BLUEPRINT.replace(old, new)), "p")


def test_bad_rows_are_told_by_line_and_the_good_ones_kept(tmp_path: Path) -> None:
    rows = [pair(), "not json", "", json.dumps({"description": TEXT}), pair(blueprint="entity {"), pair(text="Cats have a name.")]
    path = tmp_path / "own.jsonl"
    path.write_text("\n".join(rows), "utf-8")
    good, bad = read_pairs(path)
    assert len(good) == 1
    assert [b.line for b in bad] == [2, 4, 5, 6]
    assert "JSON" in bad[0].reason and "'book'" in bad[3].reason
