"""Rules: their words, what is wrong with them, and planted faults."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from clodo.blueprint import InvalidBlueprint, format_blueprint, parse
from clodo.bricks.registry import service_tree
from clodo.proof.host import Host
from clodo.toolchain import Toolchain
from tests.bricks.proving import Fault, example_of, expect_caught, proof
from tests.bricks.tables import put, tables

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
        "at most 3 per book per week of from_day",
        'at most 20 per hour of created_at where note != "x" "Come later."',
        "no overlap (from_day, to_day) per book where not back_at is not empty",
        'check note in ("a", "b") or from_day is empty',
    ],
)
def test_lines_have_one_form(line: str) -> None:
    assert format_blueprint(parse(with_line(line))) == with_line(line)


FILED = """service x
read user
write user

users {
}

entity item {
  title: text required
  status: enum(draft, out) default draft
  opens: integer
  closes: integer
  paper: file
  photo: image
  shown: boolean = photo is not empty
  LINE
}
"""


@pytest.mark.parametrize(
    "line",
    [
        "check photo is not empty",
        "check not (photo is empty)",
        'check title != "x" and (photo is not empty and paper is not empty)',
        "check photo is not empty or paper is not empty",
        "check shown",
        "check shown = true",
        "check (photo is empty) = (paper is not empty)",
    ],
)
def test_no_rule_asks_every_new_row_for_its_file(line: str) -> None:
    with pytest.raises(InvalidBlueprint) as error:
        parse(FILED.replace("LINE", line))
    [problem] = [p for p in error.value.problems if p.message.startswith("No item could be made: 'p")]
    assert "can be uploaded only once the row is there" in problem.message
    assert problem.suggestion.startswith("Ask for it where a step is taken: 'when p") and "is not empty' in an action of item" in problem.suggestion


@pytest.mark.parametrize(
    "line",
    [
        'check status = "draft" or photo is not empty',
        'check not (status = "out" and photo is empty)',
        "check photo is empty or paper is empty",
        "check shown = false or closes > 3",
        "at most 3 per title where photo is not empty",
        'action publish {\n    when photo is not empty "A photo is missing."\n    set status = "out"\n  }',
    ],
)
def test_a_rule_may_ask_for_a_file_later_on(line: str) -> None:
    assert parse(FILED.replace("LINE", line))


@pytest.mark.parametrize("line", ["at most 3 per photo", "at most 3 per title, paper", "no overlap (opens, closes) per photo"])
def test_rows_are_not_counted_by_their_file(line: str) -> None:
    with pytest.raises(InvalidBlueprint, match="is a file, and no two rows share one"):
        parse(FILED.replace("LINE", line))


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
        ("at most 3 per owner", "have no owner to count by"),
        ("at most 3 per day of note", "wants a date, and this is a text"),
        ("at most 3 per hour of from_day", "wants a moment, and this is a date"),
        ("at most 3 per decade of from_day", "no period 'decade'"),
        ("at most 3 per day of monday", "loan has no field 'monday'"),
        ("no overlap (from_day, back_at)", "are no range"),
        ("no overlap (note, note)", "are no range"),
        ("no overlap (from_day, from_day)", "are no range"),
        ("check book > book", "Rows are alike or not"),
        ("check book.pages > 3", "book has no 'pages'"),
        ("check from_day + 3 > to_day", "cannot take a date and a number"),
        ("check days(2) < days(3)", "Lengths of time cannot be compared"),
        ('check note = "a" "with a brace at its end }"', "without braces"),
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


PERIODS = "service studio\n\nentity lesson {\n  teacher: text required\n  day: date required\n  at most 2 per teacher per quarter of day\n  at most 5 per week of day\n}\n\nentity order {\n  note: text\n  at most 30 per day of created_at\n}\n"
PERIOD_FAULTS = [
    Fault("quarters are years", SQL, "strftime('%Y', NEW.\"day\") || '-Q' || ((strftime('%m', NEW.\"day\") + 2) / 3)", "strftime('%Y', \"o\".\"day\") || '-Q' || ((strftime('%m', \"o\".\"day\") + 2) / 3)", "rules.at-most"),
    Fault("weeks are days", SQL, """date("o"."day", 'weekday 0', '-6 days') = date(NEW."day", 'weekday 0', '-6 days')""", '"o"."id" = NEW."id"', "rules.at-most"),
]  # fmt: skip


@pytest.mark.workerd
def test_so_many_in_a_period(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    report = proof(PERIODS, tmp_path / "s", toolchain, host)
    assert report.proven, report.summary()
    assert [e.outcome for e in report.evidence if e.id == "rules.at-most"] == ["passed", "passed", "skipped"]


@pytest.mark.workerd
@pytest.mark.parametrize("fault", PERIOD_FAULTS, ids=lambda f: f.name.replace(" ", "-"))
def test_periods_are_kept_apart(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(PERIODS, tmp_path / "s", toolchain, host, fault)


def test_periods_begin_where_people_say_they_do() -> None:
    db, _ = tables(PERIODS.replace("  at most 5 per week of day\n", "").replace("at most 2 per teacher per quarter", "at most 1 per week"))
    for id, day in (("a", "2026-11-29"), ("b", "2026-11-30"), ("c", "2025-12-29")):
        put(db, "lesson", id=id, teacher="t", day=day, created_at="", updated_at="")
    for day in ("2026-11-23", "2026-12-06", "2026-01-04"):
        assert "1 at most in one week" in refused(db, f"INSERT INTO lesson VALUES ('{day}', 't', '{day}', '', '')")


ONCE = """service films

read public
write user

users {
}

entity film {
  title: text required
}

entity review {
  stars: integer required min 1 max 5
  film: -> film required
  write owner
  at most 1 per film, owner
}

entity wish {
  note: text
  write owner
  at most 3 per owner
}
"""
ONCE_FAULTS = [
    Fault("once for all users", SQL, ' AND "o"."owner_id" = NEW."owner_id") > 1', ") > 1", "rules.at-most"),
    Fault("one too many", SQL, '"o"."owner_id" = NEW."owner_id") > 3', '"o"."owner_id" = NEW."owner_id") > 4', "rules.at-most"),
]  # fmt: skip


@pytest.mark.workerd
def test_rows_are_counted_by_whom_they_belong_to(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    report = proof(ONCE, tmp_path / "s", toolchain, host)
    assert report.proven, report.summary()
    assert [e.outcome for e in report.evidence if e.id == "rules.at-most"] == ["passed", "passed"]


@pytest.mark.workerd
@pytest.mark.parametrize("fault", ONCE_FAULTS, ids=lambda f: f.name.replace(" ", "-"))
def test_owners_are_kept_apart(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(ONCE, tmp_path / "s", toolchain, host, fault)


@pytest.mark.workerd
def test_rules_that_count_other_rows_hold(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    source = with_line("check count(loan where book = this.book and back_at is empty) <= book.copies")
    report = proof(source, tmp_path / "s", toolchain, host)
    assert report.proven, report.summary()
    assert [e.outcome for e in report.evidence if e.id == "rules.check"] == ["passed"]


def refused(db: sqlite3.Connection, statement: str) -> str:
    """What a rule says to a change."""
    with pytest.raises(sqlite3.IntegrityError) as caught:
        db.execute(statement)
    return str(caught.value)


def test_rules_see_changes_of_what_computed_fields_are_computed_from() -> None:
    db, _ = tables(
        "service x\n\nentity trip {\n  seats: integer\n}\n\nentity order {\n  price: integer\n  amount: integer\n  total: integer = price * amount\n"
        "  guests: integer = count(guest where order = this)\n  trip: -> trip\n  check total <= 10\n  check guests <= trip.seats\n}\n\n"
        "entity guest {\n  order: -> order\n  no timestamps\n}\n"
    )
    put(db, "trip", id="t", seats=1, created_at="", updated_at="")
    put(db, "order", id="o", price=1, amount=10, trip_id="t", created_at="", updated_at="")
    assert "422|price|" in refused(db, "UPDATE \"order\" SET price = 2")
    put(db, "guest", id="a", order_id="o")
    assert "guests <= trip.seats" in refused(db, "INSERT INTO guest VALUES ('b', 'o')")
    assert "guests <= trip.seats" in refused(db, "UPDATE trip SET seats = 0")


def test_rules_see_changes_behind_several_references() -> None:
    db, _ = tables(
        "service x\n\nentity author {\n  age: integer\n  no timestamps\n}\n\nentity book {\n  rare: boolean\n  author: -> author\n  no timestamps\n}\n\n"
        "entity loan {\n  member: text\n  book: -> book\n  no timestamps\n  check book.author.age > 17\n  at most 1 per member where book.rare\n}\n"
    )
    put(db, "author", id="a", age=20)
    for id in "bc":
        put(db, "book", id=id, rare=id == "b", author_id="a")
        put(db, "loan", id=id, member="m", book_id=id)
    assert "book.author.age" in refused(db, "UPDATE author SET age = 17")
    assert "1 at most" in refused(db, "UPDATE book SET rare = 1")


def test_rows_are_counted_by_what_holds_of_each_of_them() -> None:
    db, _ = tables(
        "service x\n\nentity loan {\n  member: text\n  no timestamps\n  at most 1 per member where exists(fine where loan = this)\n}\n\n"
        "entity fine {\n  loan: -> loan\n  no timestamps\n}\n"
    )
    for id in "abc":
        put(db, "loan", id=id, member="m")
    put(db, "fine", id="1", loan_id="a")
    db.execute("UPDATE loan SET member = 'm' WHERE id = 'a'")
    assert "1 at most" in refused(db, "INSERT INTO fine VALUES ('2', 'b')")


def test_each_tenant_is_counted_by_itself() -> None:
    db, _ = tables(
        "service x\nread user\nwrite user\ntenants team\n\nusers {\n}\n\nentity team {\n  name: text\n  no timestamps\n}\n\n"
        "entity slot {\n  hour: integer\n  end: integer\n  no timestamps\n  at most 1 per hour\n  no overlap (hour, end)\n  check count(slot) <= 1\n}\n"
    )
    for team in "ab":
        put(db, "team", id=team, name=team)
        put(db, "slot", id=team, hour=1, end=2, team_id=team)
    assert "409" in refused(db, "INSERT INTO slot VALUES ('c', 1, 2, 'a')")


def test_times_and_moments_are_compared_in_the_form_that_they_are_stored_in() -> None:
    db, _ = tables(
        'service x\n\nentity shop {\n  closes: time\n  since: datetime\n  day_off: date\n  no timestamps\n  check closes <= "22:00" and closes in ("21:00", "22:00")\n'
        '  check since >= "2026-01-01T01:00:00+01:00"\n  check day_off != since\n}\n'
    )
    put(db, "shop", id="a", closes="22:00:00", since="2026-01-01T00:00:00.000Z")
    assert "closes" in refused(db, "UPDATE shop SET closes = '22:00:01'")
    assert "since" in refused(db, "UPDATE shop SET since = '2025-12-31T23:59:59.999Z'")
    assert "day_off" in refused(db, "UPDATE shop SET day_off = '2026-01-01'")


def test_sums_of_money_are_free_of_dust() -> None:
    db, _ = tables(
        "service x\n\nentity bill {\n  total: money\n  no timestamps\n}\n\nentity payment {\n  amount: money\n  tip: money\n  sum: money\n  bill: -> bill\n  no timestamps\n"
        "  check sum(payment.amount where bill = this.bill) <= bill.total\n  check amount + tip = sum\n}\n"
    )
    put(db, "bill", id="b", total=30)
    put(db, "payment", id="1", amount=10, tip=20, sum=30, bill_id="b")
    put(db, "payment", id="2", amount=20, tip=0, sum=20, bill_id="b")
    assert "bill.total" in refused(db, "INSERT INTO payment VALUES ('3', 1, 0, 1, 'b')")


def test_a_refusal_is_known_where_rows_go_along_with_others() -> None:
    source = (
        "service x\n\nentity team {\n  name: text\n}\n\nentity player {\n  team: -> team on delete cascade\n  game: -> game\n}\n\n"
        "entity game {\n  name: text\n  players: integer\n  check count(player where game = this) >= players\n}\n"
    )
    assert "rules" in service_tree(parse(source), source)["src/entities/team.ts"]


def test_what_nothing_can_be_counted_by_is_told() -> None:
    with pytest.raises(InvalidBlueprint) as caught:
        parse("service x\n\nentity a {\n  n: integer\n  twice: integer = n * 2\n  at most 3 per twice\n}\n")
    assert "'twice' is computed" in caught.value.message
