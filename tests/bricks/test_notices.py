"""Notices: the language, and faults that the checks must find."""

from __future__ import annotations

from pathlib import Path

import pytest

from clodo.blueprint import check, format_blueprint, parse
from clodo.blueprint.plan import make_plan
from clodo.bricks.notices.brick import BRICK
from clodo.bricks.notices.checks import checks
from clodo.bricks.registry import service_tree
from clodo.proof.host import Host
from clodo.toolchain import Toolchain
from tests.bricks.proving import Fault, example_of, expect_caught

EXAMPLE = example_of("notices")
SQL, LIB = "migrations/0001_init.sql", "src/lib/notices.ts"
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
    ],
)
def test_what_cannot_be_told_is_an_error(line: str, words: str) -> None:
    try:
        problems = check(parse(SHOP.replace("LINE", line)))
    except Exception as error:
        problems = getattr(error, "problems", ())
    assert any(words in p.message for p in problems if p.severity == "error"), problems


def test_an_owner_is_told_only_where_there_is_one() -> None:
    text = SHOP.replace("  write owner\n", "").replace("LINE", "notify owner on created")
    with pytest.raises(Exception, match="have no owner"):
        parse(text)


def test_a_service_without_notices_has_nothing_of_them() -> None:
    tree = service_tree(parse(text := SHOP.replace("  LINE\n", "")), text)
    assert LIB not in tree
    assert "notice" not in tree[SQL]


FAULTS = [
    Fault("it is told of again while the condition holds", SQL, """ AND ((OLD."stock" < 5)) IS NOT TRUE""", "", "notices.told"),
    Fault("new rows are told of whatever they hold", SQL, """NEW."id" WHERE (NEW."stock" < 5);""", """NEW."id";""", "notices.told"),
    Fault("changes are not told of", SQL, "AFTER UPDATE", "AFTER DELETE", "boot|notices.told"),
    Fault("it goes to somebody else", SQL, """SELECT NEW."email", 'We have""", """SELECT 'x@example.com', 'We have""", "notices.told"),
    Fault("what is not taken counts as sent", LIB, "taken ? iso(Date.now()) : null, taken", "iso(Date.now()), taken", "notices.sent"),
    Fault("what is taken is sent again", LIB, "taken ? iso(Date.now()) : null, taken ? null : next", "null, next", "notices.sent"),
    Fault("cron sends nothing", LIB, "  await send(env);\n  await env.DB", "  await env.DB", "notices.sent"),
    Fault("the notice holds another row's data", LIB, '''WHERE "id" = ?`).bind(row_id)''', '''WHERE "id" <> ?`).bind(row_id)''', "notices.sent"),
    Fault("no report is mailed", "src/lib/schedules.ts", "for (const mailed of schedule.reports) await mail(env, mailed);", "", "notices.report"),
    Fault("the report is empty", "src/lib/schedules.ts", "JSON.stringify(await report(env))", "JSON.stringify({})", "notices.report"),
]  # fmt: skip


@pytest.mark.workerd
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
def test_the_proof_finds_a_planted_fault(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(EXAMPLE, tmp_path / "s", toolchain, host, fault, checks=checks)
