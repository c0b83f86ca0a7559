"""Rules: their words, what is wrong with them, and planted faults."""

from __future__ import annotations

from pathlib import Path

import pytest

from clodo.blueprint import InvalidBlueprint, format_blueprint, parse
from clodo.proof.host import Host
from clodo.toolchain import Toolchain
from tests.bricks.proving import Fault, example_of, expect_caught, proof

HEAD = "service x\n\nentity book {\n  copies: integer required min 0\n}\n\nentity loan {\n  from_day: date\n  to_day: date\n  back_at: datetime\n  note: text\n  book: -> book required\n"
SQL = "migrations/0001_init.sql"


def with_line(line: str) -> str:
    return f"{HEAD}  {line}\n}}\n"


@pytest.mark.parametrize(
    "line",
    [
        "check to_day > from_day",
        'check to_day >= from_day + days(2) and note != "x" "Two days at least."',
        "check count(loan where book = this.book and back_at is empty) <= book.copies",
        'at most 3 per book where back_at is empty "Three at most."',
        "at most 1 per book, note",
        "no overlap (from_day, to_day) per book where not back_at is not empty",
        'check note in ("a", "b") or from_day is empty',
    ],
)
def test_lines_have_one_form(line: str) -> None:
    assert format_blueprint(parse(with_line(line))) == with_line(line)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("check to_day", "A condition is yes or no, and this is a date."),
        ("check to_dai > from_day", "Did you mean to_day?"),
        ("check to_day > 3", "One side is a date"),
        ("check count(loans) < 3", "wants the name of an entity"),
        ("check caller = book", "There is no caller here."),
        ('check note = "a" "with }} in it"', "without braces"),
        ("at most 0 per book", "a whole number from 1 on"),
        ("at most 2.5 per book", "a whole number from 1 on"),
        ("at most 3 per shelf", "no 'shelf' to count by"),
        ("no overlap (from_day, back_at)", "are no range"),
        ("no overlap (note, note)", "are no range"),
        ("check book > book", "Rows are alike or not"),
        ("check book.pages > 3", "book has no 'pages'"),
        ("check from_day + 3 > to_day", "cannot take a date and a number"),
    ],
)
def test_what_makes_no_sense_is_told(line: str, words: str) -> None:
    with pytest.raises(InvalidBlueprint) as caught:
        parse(with_line(line))
    assert words in caught.value.message
    assert all(p.line == 13 for p in caught.value.problems)


FAULTS = [
    Fault("range unchecked", SQL, 'WHERE NOT (NEW."ends_at" > NEW."starts_at")', "WHERE 0", "rules.check"),
    Fault("equal ends let through", SQL, '(NEW."ends_at" > NEW."starts_at")', '(NEW."ends_at" >= NEW."starts_at")', "rules.check|rules.no-overlap"),
    Fault("checked at creation only", SQL, 'AFTER UPDATE OF "ends_at", "starts_at" ON', 'AFTER UPDATE OF "guest" ON', "rules.check"),
    Fault("overlap of one minute less", SQL, '"o"."starts_at" < NEW."ends_at" AND', '"o"."starts_at" < NEW."starts_at" AND', "rules.no-overlap"),
    Fault("ends touch", SQL, 'NEW."starts_at" < "o"."ends_at")', 'NEW."starts_at" <= "o"."ends_at")', "rules.no-overlap"),
    Fault("one too many", SQL, "> 3;", "> 4;", "rules.at-most"),
    Fault("room not asked", SQL, 'NOT (NEW."people" <=', 'NOT (0 <=', "rules.check"),
    Fault("room may shrink", SQL, 'AFTER UPDATE OF "seats" ON "room"', 'AFTER UPDATE OF "name" ON "room"', "rules.check"),
    Fault("refusals are failures", "src/lib/rules.ts", "if (found === null) return;", "if (found === null || true) return;", "rules."),
    Fault("refusals name no rule", "src/lib/rules.ts", 'Number(status), message ?? ""', 'Number(status), "no"', "rules."),
]  # fmt: skip


@pytest.mark.workerd
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name.replace(" ", "-"))
def test_planted_fault_is_caught(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(example_of("rules"), tmp_path / "s", toolchain, host, fault)


@pytest.mark.workerd
def test_rules_that_count_other_rows_hold(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    source = with_line("check count(loan where book = this.book and back_at is empty) <= book.copies")
    report = proof(source, tmp_path / "s", toolchain, host)
    assert report.proven, report.summary()
    assert [e.outcome for e in report.evidence if e.id == "rules.check"] == ["passed"]
