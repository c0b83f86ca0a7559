"""Rules that a step can keep only as a whole, and what they cost: the triggers alone."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from clodo.blueprint import parse
from clodo.bricks.registry import service_tree
from clodo.proof.host import Host
from clodo.toolchain import Toolchain
from tests.bricks.proving import Fault, checks_of, expect_caught, proof
from tests.bricks.tables import carry_out, put, tables

LEDGER = """service ledger

entity journal {
  name: text
  total: integer required default 0
  no timestamps
  check sum(leg.amount where journal = this) = total "The legs make the total."

  action post(amount: integer required) {
    create leg (journal = this, amount = amount)
    set total = total + amount
  }

  action forge(amount: integer required) {
    create leg (journal = this, amount = amount)
    set total = total + amount + 1
  }

  action double {
    update leg set amount = amount * 2 where journal = this
    set total = total * 2
  }

  action clear {
    set total = 0
    delete leg where journal = this
  }
}

entity leg {
  amount: integer required
  journal: -> journal required
  no timestamps
}
"""


def state(db: sqlite3.Connection) -> tuple[int, list[int]]:
    [(total,)] = db.execute("SELECT total FROM journal WHERE id = 'a'").fetchall()
    return total, [n for (n,) in db.execute("SELECT amount FROM leg ORDER BY amount")]


def test_a_step_keeps_a_sum_equal_as_a_whole() -> None:
    db, b = tables(LEDGER)
    put(db, "journal", id="a", total=0)
    for amount, id in ((3, "x"), (4, "y")):
        carry_out(db, b, "journal", "post", "a", amount, id)
    assert state(db) == (7, [3, 4])
    carry_out(db, b, "journal", "double", "a")
    assert state(db) == (14, [6, 8])
    db.execute("BEGIN")
    with pytest.raises(sqlite3.IntegrityError, match="The legs make the total"):
        carry_out(db, b, "journal", "forge", "a", 5, "z")
    db.execute("ROLLBACK")
    assert state(db) == (14, [6, 8])
    for change in ("INSERT INTO leg (id, amount, journal_id) VALUES ('w', 1, 'a')", "UPDATE journal SET total = 1", "DELETE FROM leg", "UPDATE leg SET amount = 1"):
        with pytest.raises(sqlite3.IntegrityError, match="The legs make the total"):
            db.execute(change)  # nobody else waits
    carry_out(db, b, "journal", "clear", "a")
    assert state(db) == (0, [])
    assert db.execute('SELECT * FROM "_rules_waiting"').fetchall() == []


VOUCHER = """
entity voucher {
  code: text

  action book(journal: -> journal required, amount: integer required) {
    set journal.total = journal.total + amount
    create leg (journal = journal, amount = amount)
  }
}
"""


def test_a_row_that_a_parameter_names_counts_among_those_that_a_step_changes() -> None:
    head, leg = LEDGER[: LEDGER.index("  action post")], LEDGER[LEDGER.index("\nentity leg") :]
    source = head + "}\n" + leg + VOUCHER
    db, b = tables(source)
    put(db, "journal", id="a", total=0)
    put(db, "voucher", id="v", created_at="", updated_at="")
    carry_out(db, b, "voucher", "book", "v", 3, "a", "x")
    assert state(db) == (3, [3])


def test_rules_that_no_step_changes_twice_do_not_wait() -> None:
    source = LEDGER.replace("    create leg (journal = this, amount = amount)\n", "").replace("    update leg set amount = amount * 2 where journal = this\n", "").replace("    delete leg where journal = this\n", "")
    db, _ = tables(source)
    assert db.execute("SELECT name FROM sqlite_master WHERE name LIKE '_rules_waiting%'").fetchall() == []


def test_a_schedule_keeps_a_sum_equal_as_a_whole() -> None:
    source = LEDGER + '\nevery day at "03:00" {\n  update leg set amount = amount + amount where amount > 0\n  update journal set total = total + total where total > 0\n}\n'
    made = str(service_tree(parse(source), source)["src/index.ts"])
    start, end = made.index("INSERT INTO \\\"_rules_waiting"), made.index("DELETE FROM \\\"_rules_waiting")
    assert start < made.index("UPDATE \\\"leg") < made.index("UPDATE \\\"journal") < end


#: Legs count once they are posted, so that others may be made one by one.
POSTED = """service ledger

entity journal {
  name: text
  total: integer required default 0
  check sum(leg.amount where journal = this and posted) = total "The legs make the total."

  action enter(amount: integer required) {
    create leg (journal = this, amount = amount, posted = true)
    set total = total + amount
  }
}

entity leg {
  amount: integer required
  posted: boolean required read-only default false
  journal: -> journal required

  action post {
    when not posted "It is posted."
    set posted = true, journal.total = journal.total + amount
  }
}
"""
ACTIONS, SQL = "src/actions.ts", "migrations/0001_init.sql"
FAULTS = [
    Fault("rules wait for nothing", ACTIONS, "{ sql: \"INSERT INTO \\\"_rules_waiting\\\" (\\\"rule\\\", \\\"id\\\") VALUES ('', '')\", uses: 0 },", "", "actions.does"),
    Fault("rules wait for ever", ACTIONS, "{ sql: \"DELETE FROM \\\"_rules_waiting\\\" WHERE \\\"rule\\\" = ''\", uses: 0 },", "", "actions.does"),
    Fault("the rule is lost", SQL, 'SELECT RAISE(ABORT, \'{{409|', 'SELECT (\'{{409|', "rules.check"),
]


@pytest.mark.workerd
@pytest.mark.parametrize("fault", [None, *FAULTS], ids=lambda f: f.name.replace(" ", "-") if f else "none")
def test_a_sum_that_steps_keep_is_proven(fault: Fault | None, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    if fault is not None:
        expect_caught(POSTED, tmp_path / "s", toolchain, host, fault)
        return
    report = proof(POSTED, tmp_path / "s", toolchain, host)
    assert report.proven, report.summary()
    assert [e.outcome for e in report.evidence if e.id == "actions.does"] == ["passed", "passed"]


LIBRARY = """service library

entity region {
  name: text
  max_tomes: integer required
  no timestamps
  check count(tome where branch.region = this) <= max_tomes "Full."
}

entity branch {
  name: text
  region: -> region
  no timestamps
}

entity tome {
  title: text
  branch: -> branch
  no timestamps
}
"""


def test_rows_that_count_through_two_references_are_found_by_their_ids() -> None:
    db, _ = tables(LIBRARY)
    [(text,)] = db.execute("SELECT sql FROM sqlite_master WHERE name = 'region__rule_1__1_insert_of_tome'").fetchall()
    assert '"region"."id" IN ((SELECT "r0"."region_id" FROM "branch" AS "r0" WHERE "r0"."id" = NEW."branch_id"))' in text
    [(update,)] = db.execute("SELECT sql FROM sqlite_master WHERE name = 'region__rule_1__1_update_of_tome'").fetchall()
    assert 'UPDATE OF "branch_id" ON "tome"' in update
    for n in range(60):
        put(db, "region", id=f"r{n}", max_tomes=1)
        put(db, "branch", id=f"b{n}", region_id=f"r{n}")
        put(db, "tome", id=f"t{n}", branch_id=f"b{n}")
    plan = " ".join(row[3] for row in db.execute("EXPLAIN QUERY PLAN SELECT COUNT(*) FROM tome AS a1 WHERE a1.branch_id IN (SELECT id FROM branch WHERE region_id = 'r1')"))
    assert "SCAN" not in plan
    for change in ("INSERT INTO tome (id, branch_id) VALUES ('x', 'b7')", "UPDATE tome SET branch_id = 'b7' WHERE id = 't8'", "UPDATE branch SET region_id = 'r7' WHERE id = 'b8'", "UPDATE region SET max_tomes = 0 WHERE id = 'r7'"):
        with pytest.raises(sqlite3.IntegrityError, match="Full"):
            db.execute(change)
    db.execute("UPDATE tome SET title = 'new' WHERE id = 't7'")


OPEN = [
    Fault("what has no end has ended", SQL, 'COALESCE(NEW."starts" < "o"."ends", 1)', 'NEW."starts" < "o"."ends"', "rules.no-overlap"),
    Fault("an end before the start", SQL, 'NEW."ends" < NEW."starts"', "0", "rules.no-overlap"),
]


@pytest.mark.workerd
@pytest.mark.parametrize("fault", OPEN, ids=lambda f: f.name.replace(" ", "-"))
def test_ends_that_are_not_looked_at_are_found(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(BOOKING, tmp_path / "s", toolchain, host, fault, checks=checks_of("rules"))


BOOKING = """service rooms

entity room {
  name: text
}

entity stay {
  starts: date
  ends: date
  room: -> room required
  no timestamps
  no overlap (starts, ends) per room "Taken."
}
"""


@pytest.mark.parametrize(
    ("first", "second", "taken"),
    [
        (("2026-01-01", None), ("2026-06-01", "2026-06-02"), True),
        (("2026-01-01", None), ("2025-06-01", "2026-01-01"), False),
        ((None, "2026-01-01"), ("2020-06-01", "2020-06-02"), True),
        ((None, "2026-01-01"), ("2026-01-01", None), False),
        (("2026-01-01", None), ("2027-01-01", None), True),
        ((None, None), ("2026-06-01", "2026-06-02"), True),
        (("2026-01-01", "2026-01-03"), ("2026-01-03", "2026-01-04"), False),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_what_has_no_end_does_not_end(first: tuple[str, str], second: tuple[str, str], taken: bool, turned: bool) -> None:
    db, _ = tables(BOOKING)
    put(db, "room", id="r", name="", created_at="", updated_at="")
    one, other = (second, first) if turned else (first, second)
    put(db, "stay", id="a", starts=one[0], ends=one[1], room_id="r")
    if taken:
        with pytest.raises(sqlite3.IntegrityError, match="Taken"):
            put(db, "stay", id="b", starts=other[0], ends=other[1], room_id="r")
    else:
        put(db, "stay", id="b", starts=other[0], ends=other[1], room_id="r")


def test_a_range_does_not_end_before_it_begins() -> None:
    db, _ = tables(BOOKING)
    put(db, "room", id="r", name="", created_at="", updated_at="")
    with pytest.raises(sqlite3.IntegrityError, match=r"\{\{422\|ends\|The ends of this stay lies before its starts.\}\}"):
        put(db, "stay", id="a", starts="2026-01-02", ends="2026-01-01", room_id="r")
    put(db, "stay", id="a", starts="2026-01-02", ends="2026-01-02", room_id="r")
    with pytest.raises(sqlite3.IntegrityError, match="lies before"):
        db.execute("UPDATE stay SET ends = '2026-01-01'")
