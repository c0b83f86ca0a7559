"""A user's own pairs: what the blueprint says must stand in the description."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clodo.blueprint import format_blueprint, parse
from clodo.corpus.format import CorpusError
from clodo.corpus.format import parse as parse_record
from clodo.corpus.gold import gold_draft
from clodo.errors import UsageError
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


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("  score: integer", "  at most 3 per book\n  score: integer", "entity review: at most 3 per book"),
        ("  score: integer", "  check score > 2\n  score: integer", "entity review: check score > 2"),
        ("  isbn: text unique\n", "  isbn: text unique\n  action sell {\n    set state = \"used\"\n  }\n", "entity book: action sell"),
        ("entity review {", "users {\n  roles staff\n}\n\nentity review {\n  write role staff", "entity review: write role staff"),
    ],
)
def test_what_records_cannot_say_is_refused_and_not_dropped(old: str, new: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl"
    path.write_text(f"{pair()}\n{pair(blueprint=BLUEPRINT.replace(old, new))}\n", "utf-8")
    good, bad = read_pairs(path)
    assert len(good) == 1
    assert str(bad[0]).startswith("line 2: cannot be learnt yet: ") and told in str(bad[0])


def test_the_order_of_things_and_the_name_of_the_service_do_not_count(tmp_path: Path) -> None:
    turned = BLUEPRINT.replace("service book_service", "service shelves").replace("enum(new, used, lost)", "enum(lost, new, used)")
    turned = turned.replace("  title: text required\n", "").replace("  price: money", "  title: text required\n  price: money")
    path = tmp_path / "own.jsonl"
    path.write_text(pair(blueprint=turned), "utf-8")
    good, bad = read_pairs(path)
    assert len(good) == 1 and not bad


def test_a_reference_that_may_be_empty_is_learnt_as_one(tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl"
    source = "service s\n\nentity hive {\n  name: text\n}\n\nentity jar {\n  colour: text\n  hive: -> hive\n}\n"
    path.write_text(pair("Hives have a name. Jars have a colour and may come from a hive.", source), "utf-8")
    good, bad = read_pairs(path)
    assert not bad
    said, _ = compile_draft(gold_draft(parse_record(good[0])))
    assert said is not None and not next(e for e in said.entities if e.name == "jar").references[0].required


def test_texts_that_should_be_asked_about_have_a_verdict(tmp_path: Path) -> None:
    rows = [
        {"description": "Something with data.", "blueprint": None, "verdict": "vague"},
        {"description": "What time is it?", "blueprint": None, "verdict": "odd"},
        {"description": "What time is it?", "blueprint": None},
        {"description": TEXT, "blueprint": BLUEPRINT, "verdict": "vague"},
    ]
    path = tmp_path / "own.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    good, bad = read_pairs(path)
    assert [parse_record(g).verdict for g in good] == ["vague"]
    assert [b.line for b in bad] == [2, 3, 4]
    assert "vague, not-a-service, contradictory" in bad[0].reason


def test_a_file_in_another_encoding_is_told_by_line(tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl"
    path.write_bytes(f"{pair()}\n".encode() + '{"description": "Cafés"}'.encode("latin-1"))
    with pytest.raises(UsageError, match=r"not UTF-8: line 2, byte 21 \(0xe9\)") as told:
        read_pairs(path)
    assert "LATIN1" in (told.value.hint or "")
    path.write_bytes(b"\xef\xbb\xbf" + pair("Hives have a name\u2028.", "service s\n\nentity hive {\n  name: text\n}\n").encode())
    good, bad = read_pairs(path)
    assert len(good) == 1 and not bad
