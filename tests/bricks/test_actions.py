"""Actions: their words, what is wrong with them, planted faults, and many calls for the last copy."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from clodo.blueprint import InvalidBlueprint, format_blueprint, parse
from clodo.blueprint.checks import check
from clodo.blueprint.plan import make_plan
from clodo.bricks.actions.checks import call
from clodo.bricks.actions.values import Action
from clodo.proof.client import Client
from clodo.proof.host import Host
from clodo.proof.session import Session
from clodo.proof.verify import PROOF_SECRETS
from clodo.toolchain import Toolchain
from tests.bricks.proving import Fault, example_of, expect_caught, made
from tests.bricks.tables import carry_out, put, tables

HEAD = """service x

users {
}

entity book {
  copies: integer required
  state: enum(new, old)
  transitions state: new -> old
"""
TAIL = """}

entity loan {
  due_on: date required
  note: text
  book: -> book required
  holder: -> user
}
"""


def with_action(lines: str, head: str = "act") -> str:
    body = "".join(f"    {line}\n" for line in lines.split("; "))
    return f"{HEAD}  action {head} {{\n{body}  }}\n{TAIL}"


@pytest.mark.parametrize(
    ("head", "lines"),
    [
        ("lend(days_out: integer required min 1)", "by user; when copies > 0; set copies = copies - 1; create loan (book = this, due_on = today + days(days_out), holder = caller)"),
        ("age", 'when state = "new" "It is old."; set state = "old"'),
        ("clear", 'delete loan where book = this and due_on < today; update loan set note = "late" where book = this'),
        ("hand_over(to: -> user)", "by user; update loan set holder = to where book = this and holder = caller"),
    ],
)
def test_actions_have_one_form(head: str, lines: str) -> None:
    source = with_action(lines, head)
    assert format_blueprint(parse(source)) == source


@pytest.mark.parametrize(
    ("head", "lines", "words"),
    [
        ("act", "when copies > 0", "does nothing"),
        ("act", "when copies; set copies = 1", "A condition is yes or no"),
        ("act", 'set copies = "many"', "'copies' is a number, and the value is a text"),
        ("act", "set pages = 1", "book has no 'pages' to set"),
        ("act", "set copies = empty", "cannot be emptied"),
        ("act", 'set state = "older"', "Did you mean old?"),
        ("act", "create loan (book = this)", "needs 'due_on', which 'create' does not give"),
        ("act", "create lone (book = this)", "There is no entity 'lone'"),
        ("act", "create loan (book = caller, due_on = today)", "There is no caller here."),
        ("act(to: -> usher)", "set copies = 1", "refers to 'usher', which does not exist"),
        ("act(n: integer unique)", "set copies = n", "a type, bounds and a default at most"),
        ("act", "by owner; set copies = 1", "have no owner"),
        ("act", "by role boss; set copies = 1", "No role 'boss' is declared"),
        ("act", "delete loan where note", "A condition is yes or no"),
        ("act(book: -> book)", "delete loan where book = book", "Both sides are the same"),
        ("act", "set copies = 2.5", "2.5 is no integer"),
        ("act(why: text)", "set state = why", "'state' takes new, old only"),
        ("act(now: text)", "set copies = 1", "is a word of expressions"),
        ("act(to: -> book, to_id: text)", "set copies = 1", "'to_id' 2 times"),
    ],
)
def test_what_makes_no_sense_is_told(head: str, lines: str, words: str) -> None:
    with pytest.raises(InvalidBlueprint) as caught:
        parse(with_action(lines, head))
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("read", "warned"),
    [("owner", "Say 'read owner or role guide'"), ("role clerk", "Say 'read role clerk, guide'"), ("owner or role guide", ""), ("role guide", ""), ("user", "")],
)
def test_a_step_with_rows_that_nobody_who_takes_it_sees_is_warned_of(read: str, warned: str) -> None:
    source = f"service tours\nusers {{\n  roles guide, clerk\n}}\nentity tour {{\n  led: boolean\n  read {read}\n  write owner\n  action lead {{\n    by role guide\n    set led = true\n  }}\n}}\n"
    told = [p.suggestion for p in check(parse(source)) if p.severity == "warning"]
    assert len(told) == bool(warned) and all(warned in mend for mend in told)


def test_a_state_that_an_action_sets_is_changed_by_actions_only() -> None:
    plan = make_plan(parse(with_action('set state = "old"')))
    state = plan.blueprint.entities[0].field("state")
    assert state is not None and state.read_only and state.required and state.default == "new"


INDEX, LIB = "src/actions.ts", "src/lib/actions.ts"
FAULTS = [
    Fault("guards not asked", LIB, "...asserted(c, a, values),", "", "actions.guard|actions.at-once"),
    Fault("guards asked before, not with the change", LIB, "const done = await c.env.DB.batch<Row>(statements)",
          "if (a.explanation) { const held = await bound(c, a.explanation, values).first<Row>(); if (a.refusals.some((_, i) => held?.[`g${i}`] !== 1)) await refusal(c, a, entity, values, new Error('malformed JSON')); await new Promise((r) => setTimeout(r, 20)); }\n  const done = await c.env.DB.batch<Row>(a.assertion ? statements.slice(1) : statements)", "actions.at-once"),
    Fault("a copy is not taken", INDEX, '(\\"t\\".\\"copies\\" - 1)', '(\\"t\\".\\"copies\\" - 0)', "actions.does"),
    Fault("a copy does not come back", INDEX, "+ 1)) AS INTEGER)", "+ 0)) AS INTEGER)", "actions.does"),
    Fault("no loan is made", INDEX, '{ sql: "INSERT INTO', '{ sql: "SELECT 1", uses: 0 }, void { sql: "INSERT INTO', "files.types|actions.does|boot"),
    Fault("a day too late", INDEX, "' days')), CAST", "' days', '+1 day'), CAST", "actions.|boot"),
    Fault("refused in other words", LIB, 'throw new Problem(409, broken ??', 'throw new Problem(409, "no" ??', "actions.guard"),
    Fault("unknown keys taken", LIB, "checkedFields(shape, body, \"create\")", "checkedFields(shape, Object.fromEntries(Object.entries(body).filter(([k]) => k in a.fields || k in a.references)), \"create\")", "actions.body"),
    Fault("parameters not looked up", LIB, "errors.push(...(await missingRows(c, shape, caller, references)));", "void missingRows;", "actions.body"),
    Fault("lost without a fee", INDEX, '\\"fee\\" = CAST(ROUND((?5 / 100.0) * 100) AS INTEGER)', '\\"fee\\" = 0 * ?5', "actions.does"),
]  # fmt: skip


@pytest.mark.workerd
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name.replace(" ", "-"))
def test_planted_fault_is_caught(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(example_of("actions"), tmp_path / "s", toolchain, host, fault)


@pytest.mark.workerd
def test_of_200_calls_for_the_last_copy_one_wins(tmp_path: Path, host: Host) -> None:
    source = example_of("actions")
    plan = make_plan(parse(source))
    url = host.serve(made(source, tmp_path / "s"), bindings=PROOF_SECRETS).url

    async def play() -> None:
        client = Client(url, (), frozenset())
        s = Session(client, plan, PROOF_SECRETS, host.query)
        book, member, loan = plan.blueprint.entities
        lend = book.parts_of(Action)[0]
        row = await s.create(book, {"copies": 1})
        readers = [await s.create(member) for _ in range(10)]
        bodies = [{"member_id": readers[n % 10]["id"]} for n in range(200)]
        answers = await asyncio.gather(*(call(s, book, lend, row["id"], body) for body in bodies))
        assert sorted(a.status for a in answers) == [200] + [409] * 199
        assert (await s.get(book, row["id"])).body["copies"] == 0
        assert len((await s.page(loan, {"book_id": row["id"]})).body["items"]) == 1
        await client.close()

    asyncio.run(play())
    host.reset()


def test_values_are_stored_in_the_form_of_their_field() -> None:
    db, b = tables(
        "service x\n\nentity item {\n  stock: integer\n  weight: decimal\n  opens: time\n  price: money\n  no timestamps\n  action weigh(given: decimal) {\n"
        "    set stock = weight, price = given, opens = \"09:30\"\n    create note (words = \"it's ?9 {}\")\n  }\n}\n\n"
        'entity note {\n  words: text\n  at: time default now\n  day: date default now\n  no timestamps\n}\n'
    )
    put(db, "item", id="i", weight=2.4)
    carry_out(db, b, "item", "weigh", "i", 1.005, "n")
    assert db.execute("SELECT stock, typeof(stock), price, opens FROM item").fetchall() == [(2, "integer", 100, "09:30:00")]
    assert db.execute("SELECT words, at, day FROM note").fetchall() == [("it's ?9 {}", "10:20:30", "2026-03-01")]


def test_a_parameter_hides_a_reference_of_its_name() -> None:
    db, b = tables(
        "service x\n\nentity person {\n  age: integer\n  no timestamps\n}\n\nentity pet {\n  age: integer\n  no timestamps\n}\n\n"
        "entity house {\n  n: integer\n  guest: -> pet\n  no timestamps\n  action host(guest: -> person) {\n    set n = guest.age\n  }\n}\n"
    )
    put(db, "person", id="p", age=7)
    put(db, "house", id="h")
    carry_out(db, b, "house", "host", "h", "p")
    assert db.execute("SELECT n FROM house").fetchall() == [(7,)]


def test_money_of_users_is_money() -> None:
    db, b = tables(
        "service x\nread user\nwrite user\n\nusers {\n  credit: money\n}\n\nentity item {\n  price: money\n  no timestamps\n"
        "  action buy {\n    by user\n    when caller.credit >= price\n    set price = 0\n  }\n}\n"
    )
    put(db, "user", id="u", email="", password_hash="", credit=500, created_at="", updated_at="")
    put(db, "item", id="i", price=600)
    with pytest.raises(sqlite3.OperationalError, match="malformed JSON"):
        carry_out(db, b, "item", "buy", "i", caller="u")


def test_actions_stay_within_the_tenant_of_their_row() -> None:
    db, b = tables(
        "service x\nread user\nwrite user\ntenants team\n\nusers {\n}\n\nentity team {\n  name: text\n  no timestamps\n  action open {\n    by user\n"
        '    create task (title = "first")\n  }\n}\n\nentity task {\n  title: text\n  no timestamps\n  action sweep {\n    by user\n'
        '    when count(task) < 3\n    update task set title = "old" where title = "new"\n    create task (title = "next")\n    delete task where title = "gone"\n  }\n}\n'
    )
    for team in "ab":
        put(db, "team", id=team, name=team)
        put(db, "task", id=f"{team}1", title="new", team_id=team)
        put(db, "task", id=f"{team}2", title="gone", team_id=team)
    carry_out(db, b, "task", "sweep", "a1", "fresh")
    found = db.execute("SELECT team_id, title FROM task ORDER BY team_id, title").fetchall()
    assert found == [("a", "next"), ("a", "old"), ("b", "gone"), ("b", "new")]
    carry_out(db, b, "team", "open", "b", "b3")
    assert db.execute("SELECT team_id FROM task WHERE title = 'first'").fetchall() == [("b",)]


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [("n: integer max 3", "4", "more or less than 'n' takes"), ("u: url", '"x"', "x is no url"), ('t: text required', '""', "than 't' takes"), ("u: url", "other", "is a url, and the value is a text")],
)
def test_values_that_a_field_does_not_take_are_told(field: str, value: str, words: str) -> None:
    with pytest.raises(InvalidBlueprint) as caught:
        parse(f"service x\n\nentity a {{\n  {field}\n  other: text\n  action act {{\n    set {field.split(':')[0]} = {value}\n  }}\n}}\n")
    assert words in caught.value.message


@pytest.mark.workerd
def test_actions_are_written_down_and_keep_to_versions(tmp_path: Path, host: Host) -> None:
    source = (
        "service x\n\nentity book {\n  copies: integer required\n  audit\n  versions\n  action lend {\n    when copies > 0\n"
        "    set copies = copies - 1\n  }\n}\n"
    )
    plan = make_plan(parse(source))
    url = host.serve(made(source, tmp_path / "s"), bindings=PROOF_SECRETS).url

    async def play() -> None:
        client = Client(url, (), frozenset())
        s = Session(client, plan, PROOF_SECRETS, host.query)
        row = await s.create(plan.blueprint.entities[0], {"copies": 1})
        path = f"/api/books/{row['id']}/lend"
        assert (await client.send("POST", path, {}, headers={"if-match": '"another"'})).status == 412
        assert [(await client.send("POST", path, {})).status for _ in range(2)] == [200, 409]
        found = await s.query('SELECT "action" FROM "_audit" WHERE "row_id" = ? ORDER BY "id"', row["id"])
        assert [entry["action"] for entry in found] == ["create", "update"]
        await client.close()

    asyncio.run(play())
    host.reset()
