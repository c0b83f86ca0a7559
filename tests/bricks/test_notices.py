"""Notices: the language, and faults that the checks must find."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from clodo.blueprint import check, format_blueprint, parse
from clodo.blueprint.plan import make_plan
from clodo.bricks.notices.brick import BRICK
from clodo.bricks.notices.checks import checks
from clodo.bricks.notices.reminders import key, reminders, statement
from clodo.bricks.registry import service_tree
from clodo.proof.host import Host
from clodo.toolchain import Toolchain
from tests.bricks.proving import Fault, example_of, expect_caught

EXAMPLE = example_of("notices")
SQL, LIB, INDEX = "migrations/0001_init.sql", "src/lib/notices.ts", "src/index.ts"
OUTGOING = "src/lib/outgoing.ts"
SHOP = """service shop
read public
write user

users {
}

entity customer {
  email: email required
}

entity sale {
  total: money required
  mail: email
  pin: email write-only
  due_on: date
  starts_at: datetime
  hidden_on: date write-only
  worked_on: date = due_on + days(3)
  customer: -> customer required
  write owner
  LINE
}
"""


@pytest.mark.parametrize(
    "line",
    [
        "notify admin on created",
        'notify owner when total > 100 "A large sale"',
        "notify customer.email on created",
        "notify mail when total > 100 and mail is not empty",
        'notify "boss@example.com" when customer.email = "x@example.com" "A known one"',
        "remind owner 3 days before due_on",
        "remind mail 1 week after due_on when total > 100",
        'remind customer.email 90 minutes before starts_at when count(sale where customer = this.customer) > 3 and now < starts_at "It begins"',
        'remind "boss@example.com" 1 hour after created_at "A sale was made"',
        "remind admin 0 minutes after starts_at",
        "remind mail 1 day before customer.created_at when total > 100",
        "remind admin 10000 weeks before due_on",
    ],
)
def test_lines_are_read_and_written_back(line: str) -> None:
    text = SHOP.replace("LINE", line)
    blueprint = parse(text)
    assert format_blueprint(blueprint) == text
    assert BRICK.applies(make_plan(blueprint))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("notify total on created", "no e-mail field"),
        ("notify pin on created", "no e-mail field"),
        ("notify customer.name on created", "no e-mail field"),
        ('notify "nobody" on created', "no e-mail field"),
        ("notify admin when count(sale where customer = this) > 3", "counts no other rows"),
        ("notify admin when total > 1 and now > now", "counts no other rows"),
        ("notify admin when total", "condition"),
        ("remind total 1 day before due_on", "no e-mail field"),
        ('remind "nobody@" 1 day before due_on', "no address"),
        ("remind admin 1 day before total", "no date or datetime"),
        ("remind admin 1 day before due", "no date or datetime"),
        ("remind admin 1 day before customer.email", "no date or datetime of customer"),
        ("remind admin 1 day before shop.due_on", "no reference 'shop'"),
        ("remind admin 1 day before worked_on", "computed"),
        ("remind admin 1 day before hidden_on", "write-only"),
        ("remind admin 2 hours before due_on", "is a date and knows no hours"),
        ("remind admin 1 minute after due_on", "is a date and knows no minutes"),
        ("remind admin 1.5 days before due_on", "no time that a reminder knows"),
        ("remind admin -1 days before due_on", "no time that a reminder knows"),
        ("remind admin 10001 days before due_on", "no time that a reminder knows"),
        ("remind admin 1 day before due_on when total", "condition"),
        ("remind admin 1 day before due_on\n  remind admin 1 days before due_on", "said twice"),
    ],
)
def test_what_cannot_be_told_is_an_error(line: str, words: str) -> None:
    try:
        problems = check(parse(SHOP.replace("LINE", line)))
    except Exception as error:
        problems = getattr(error, "problems", ())
    assert any(words in p.message for p in problems if p.severity == "error"), problems


@pytest.mark.parametrize(
    ("line", "canonical"),
    [
        ("remind admin 1 days before due_on", "remind admin 1 day before due_on"),
        ("remind admin 2 week after due_on", "remind admin 2 weeks after due_on"),
        ("remind admin 0 hour after starts_at", "remind admin 0 hours after starts_at"),
        ("remind admin 1.0 hours before starts_at", "remind admin 1 hour before starts_at"),
    ],
)
def test_units_are_written_as_they_are_said(line: str, canonical: str) -> None:
    assert format_blueprint(parse(SHOP.replace("LINE", line))) == SHOP.replace("LINE", canonical)


def test_a_reminder_keeps_its_id_when_other_lines_come_and_go() -> None:
    def ids(*lines: str) -> list[str]:
        blueprint = parse(SHOP.replace("LINE", "\n  ".join(lines)))
        return [key(e, reminder) for e, reminder in reminders(blueprint)]

    first, second, third = "remind admin 1 day before due_on", "remind owner 1 day before due_on", "remind admin 1 day before due_on when total > 1"
    assert ids(first, second, third) == ["sale/admin/1 day before due_on", "sale/owner/1 day before due_on", "sale/admin/1 day before due_on (2)"]
    assert ids(second) == ["sale/owner/1 day before due_on"]


FIRMS = """service tent
read user
write user

users {
}

entity firm {
  name: text required
}

entity lead {
  note: text required
  due_on: date
  assignee: -> user
  notify assignee.email when note = "hot" "A hot lead"
  notify owner when note = "hot" "Your hot lead"
  remind assignee.email 1 days before due_on "A lead is due"
  write owner
}

tenants firm
"""


def test_nobody_who_has_left_a_tenant_is_told_of_its_rows() -> None:
    source = service_tree(parse(FIRMS), FIRMS)
    db = sqlite3.connect(":memory:")
    db.executescript(source[SQL])
    for user in ("ann", "ben"):
        db.execute("INSERT INTO \"user\" (\"id\", \"email\", \"password_hash\", \"role\", \"created_at\", \"updated_at\") VALUES (?1, ?1, '', 'user', '', '')", [user])
    for firm in ("a", "b"):
        db.execute("INSERT INTO \"firm\" (\"id\", \"name\", \"created_at\", \"updated_at\") VALUES (?1, ?1, '', '')", [firm])
    row = "INSERT INTO \"lead\" (\"id\", \"note\", \"due_on\", \"assignee_id\", \"firm_id\", \"owner_id\", \"created_at\", \"updated_at\") VALUES (?, 'cold', '2027-01-02', 'ann', 'a', 'ben', '', '')"
    due = statement(parse(FIRMS), *reminders(parse(FIRMS))[0])

    def told(id: str, *members: tuple[str, str]) -> list[str]:
        db.execute('DELETE FROM "tenants__member"')
        db.executemany("INSERT INTO \"tenants__member\" (\"tenant_id\", \"user_id\", \"role\", \"created_at\") VALUES (?, ?, 'member', '')", members)
        db.execute(row, [id])
        db.execute('UPDATE "lead" SET "note" = \'hot\' WHERE "id" = ?', [id])
        db.execute(due, ["2027-01-01T01:00:00.000Z"])
        found = db.execute('SELECT "recipient", "subject" FROM "notice__outbox" WHERE "row_id" = ?', [id])
        return sorted(f"{who}: {subject}" for who, subject in found)

    assert told("1", ("a", "ann"), ("a", "ben")) == ["ann: A hot lead", "ann: A lead is due", "ben: Your hot lead"]
    assert told("2", ("a", "ann"), ("b", "ben")) == ["ann: A hot lead", "ann: A lead is due"]
    db.execute('DELETE FROM "lead"')
    assert told("3", ("b", "ann"), ("a", "ben")) == ["ben: Your hot lead"]


@pytest.mark.parametrize("field", ["due_on", "starts_at", "created_at", "customer.created_at"])
@pytest.mark.parametrize("tenants", [False, True])
def test_rows_that_are_due_are_found_by_an_index(field: str, tenants: bool) -> None:
    text = SHOP.replace("LINE", f"remind admin 1 day before {field}")
    if tenants:
        text = text.replace("read public", "read user") + "\nentity firm {\n  name: text required\n}\n\ntenants firm\n"
    sql = service_tree(blueprint := parse(text), text)[SQL]
    assert ("__reminder" in sql) is tenants  # where rows have no tenant, dates have an index as it is
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(sql)
        b = make_plan(blueprint).blueprint
        [(e, reminder)] = reminders(b)
        plan = database.execute(f"EXPLAIN QUERY PLAN {statement(b, e, reminder)}", ["2026-03-01T12:00:00.000Z"]).fetchall()
    name = field.rpartition(".")[2]
    assert any(f"({name}>? AND {name}<?)" in detail for *_, detail in plan), plan


def test_an_owner_is_told_only_where_there_is_one() -> None:
    text = SHOP.replace("  write owner\n", "").replace("LINE", "notify owner on created")
    with pytest.raises(Exception, match="have no owner"):
        parse(text)


def test_a_service_without_notices_has_nothing_of_them() -> None:
    tree = service_tree(parse(text := SHOP.replace("  LINE\n", "")), text)
    assert LIB not in tree
    assert "notice" not in tree[SQL]
    text = SHOP.replace("LINE", "notify admin on created")
    assert "src/lib/reminders.ts" not in service_tree(parse(text), text)


FAULTS = [
    Fault("it is told of again while the condition holds", SQL, """ AND ((OLD."stock" < 5)) IS NOT TRUE""", "", "notices.told"),
    Fault("new rows are told of whatever they hold", SQL, """NEW."id" WHERE (NEW."stock" < 5);""", """NEW."id";""", "notices.told"),
    Fault("changes are not told of", SQL, "AFTER UPDATE", "AFTER DELETE", "boot|notices.told"),
    Fault("it goes to somebody else", SQL, """SELECT NEW."email", 'We have""", """SELECT 'x@example.com', 'We have""", "notices.told"),
    Fault("what is not taken counts as sent", OUTGOING, "taken ? iso(Date.now()) : null, next", "iso(Date.now()), next", "notices.sent"),
    Fault("what is taken is sent again", OUTGOING, "taken ? iso(Date.now()) : null, next", "null, iso(0)", "notices.sent"),
    Fault("cron sends nothing", LIB, "  await sendDue(env, outbox);\n  await env.DB", "  await env.DB", "notices.sent"),
    Fault("the notice holds another row's data", LIB, '''WHERE "id" = ?`).bind(row_id)''', '''WHERE "id" <> ?`).bind(row_id)''', "notices.sent"),
    Fault("no report is mailed", "src/lib/schedules.ts", "for (const mailed of schedule.reports) await apart(() => mail(env, mailed));", "", "notices.report"),
    Fault("the report is empty", "src/lib/schedules.ts", "JSON.stringify(await report(env))", "JSON.stringify({})", "notices.report"),
    Fault("a day is reminded of too early", INDEX, """ AND \\"order\\".\\"needed_on\\" <= date(?1, '+3 days')""", "", "notices.reminded"),
    Fault("a moment is reminded of too early", INDEX, "?1, '+2 hours')", "?1, '+3 hours')", "notices.reminded"),
    Fault("it comes when its moment has come for good", INDEX, "?1, '+2 hours')", "?1, '-26 hours')", "notices.reminded"),
    Fault("what is long past is reminded of", INDEX, "'-25 hours'", "'-250 hours'", "notices.reminded"),
    Fault("every tick reminds of it again", INDEX, """|| '/' || \\"order\\".\\"needed_on\\",""", """|| '/' || hex(randomblob(8)),""", "notices.reminded"),
    Fault("a day that moves is not reminded of", INDEX, """ || '/' || \\"order\\".\\"needed_on\\",""", """ || '/',""", "notices.reminded"),
    Fault("a moment that moves is not reminded of", INDEX, """ || '/' || \\"order\\".\\"pickup_at\\",""", """ || '/',""", "notices.reminded"),
    Fault("its condition does not count", INDEX, """ AND (\\"order\\".\\"status\\" = 'new')""", "", "notices.reminded"),
    Fault("deleted rows are reminded of", INDEX, """ AND \\"order\\".\\"deleted_at\\" IS NULL""", "", "notices.reminded"),
    Fault("the day of another row is early", INDEX, """ AND \\"back_on\\" <= date(?1, '+1 days')""", "", "notices.reminded"),
    Fault("the day of another row moves unseen", INDEX, """ || '/' || (SELECT \\"back_on\\" FROM \\"product\\" WHERE \\"id\\" = \\"order\\".\\"product_id\\"),""", """ || '/',""", "notices.reminded"),
    Fault("somebody else is reminded", INDEX, """, \\"order\\".\\"email\\", 'Order: 2""", """, 'x@example.com', 'Order: 2""", "notices.reminded"),
    Fault("cron reminds of nothing", "src/lib/reminders.ts", "statements.map(", "statements.slice(1).map(", "notices.reminded"),
]  # fmt: skip


@pytest.mark.workerd
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
def test_the_proof_finds_a_planted_fault(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(EXAMPLE, tmp_path / "s", toolchain, host, fault, checks=checks)
