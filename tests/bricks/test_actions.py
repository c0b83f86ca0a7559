"""Actions: their words, what is wrong with them, planted faults, and many calls for the last copy."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from clodo.blueprint import InvalidBlueprint, format_blueprint, parse
from clodo.blueprint.checks import check
from clodo.blueprint.plan import make_plan
from clodo.blueprint.values import Blueprint
from clodo.bricks.actions.checks import call
from clodo.bricks.actions.values import Action
from clodo.proof.client import Client
from clodo.proof.host import Host
from clodo.proof.session import Session, expect
from clodo.proof.verify import PROOF_SECRETS
from clodo.toolchain import Toolchain
from tests.bricks.live import live
from tests.bricks.proving import Fault, checks_of, example_of, expect_caught, made, proof
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
        ("give(to: -> book required, n: integer required)", "set copies = copies - n, to.copies = to.copies + n"),
        ("empty_out", "delete loan where true"),
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
        ("act(to: -> book required)", "set to.pages = 1", "book has no 'to.pages' to set"),
        ("act(to: -> user required)", "by user; set to.role = \"admin\"", "book has no 'to.role' to set"),
        ("act(to: -> book required)", "update book set copies = copies + 1 where this = to", "names nothing of the rows of book: it chooses all of them or none"),
        ("act", "by user; delete loan where this.copies > 3 and caller.role = \"admin\"", "names nothing of the rows of loan"),
        ("act", "update loan set book.copies = 1 where book = this", "loan has no 'book.copies' to set"),
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


def warnings(source: str) -> list[str]:
    return [p.message for p in check(parse(source)) if p.severity == "warning"]


def test_what_is_doubtful_is_warned_of() -> None:
    assert warnings(with_action("set to.copies = 0", "act(to: -> book required)")) == []
    assert "no 'to' is given" in warnings(with_action("set to.copies = 0", "act(to: -> book)"))[0]
    assert "No change leads to this state" in warnings(with_action('set state = "new"'))[0]
    public = "service x\nread {}\nwrite user\nusers {{\n}}\nentity memo {{\n  body: text\n  action flag {{\n    by public\n    set body = \"x\"\n  }}\n}}\n"
    assert "Whoever is not signed in takes this step with no memo" in warnings(public.format("user"))[0]
    assert warnings(public.format("public")) == []


LISTS = """service lists

entity list {{
  name: text
}}

entity item {{
  position: {}
  label: text
  list: -> list required
{}
  action insert {{
    update item set position = position + 1 where list = this.list and position >= this.position
  }}

  action reset {{
    update item set position = empty, label = label & "+" where list = this.list
  }}
}}
"""


@pytest.mark.parametrize(
    ("position", "unique", "words"),
    [("integer", "  unique (list, position)\n", "with the rest of its 'unique' still has"), ("integer unique", "", "another row still has"), ("integer", "  unique (list, label)\n", "")],
)
def test_rows_that_move_on_over_each_other_are_warned_of(position: str, unique: str, words: str) -> None:
    told = warnings(LISTS.format(position, unique))
    assert len(told) == bool(words) and all(words in one for one in told)


STATES = """service x

entity bill {
  state: enum(open, paid, void) required default open
  no timestamps
  transitions state: open -> paid -> paid, open -> void
  action annul {
    set state = "void"
  }
}

entity deposit {
  bill: -> bill
  times: integer default 0
  kind: enum(fresh, used)
  no timestamps
  transitions kind: fresh -> used
  action confirm {
    set bill.state = "paid", times = times + 1
  }
  action settle(bill: -> bill required, kind: text) {
    set bill.state = "void", kind = "used"
  }
  action turn(to: enum(fresh, used) required) {
    set kind = to
  }
}

entity order {
  step: enum(a, b, c)
  other: enum(a, b)
  no timestamps
  transitions step: a -> b -> c
  transitions other: a -> b
  action twice {
    set step = "b"
    set step = "c"
  }
  action said {
    when step in (a, b) and step = "b"
    set step = "c"
  }
  action all {
    update order set other = "b" where step = "a"
  }
}
"""


def test_a_state_that_any_action_of_the_service_sets_is_changed_by_actions_only() -> None:
    bill, deposit, order = make_plan(parse(STATES)).blueprint.entities
    assert [f.read_only for e in (bill, deposit, order) for f in e.fields] == [True, False, True, True, True]
    # What a schedule or nothing sets stays free.
    free = make_plan(parse('service x\n\nentity job {\n  state: enum(new, old)\n  transitions state: new -> old\n}\n\nevery day at "03:00" {\n  update job set state = "old" where state = "new"\n}\n'))
    assert not free.blueprint.entities[0].fields[0].read_only


def acted(db: sqlite3.Connection, b: Blueprint, *call: str, given: tuple[str, ...] = ()) -> bool:
    """Whether an action is let through; refused, it has changed nothing."""
    db.execute("BEGIN")
    try:
        carry_out(db, b, *call, *given)
    except sqlite3.OperationalError as error:
        assert "malformed JSON" in str(error)
        db.execute("ROLLBACK")
        return False
    db.execute("COMMIT")
    return True


def test_an_action_that_sets_a_state_asks_whether_a_change_leads_there() -> None:
    db, b = tables(STATES)
    for name in "opqr":
        put(db, "bill", id=name, state="open")
    put(db, "deposit", id="d", bill_id="o", kind="fresh")
    put(db, "deposit", id="without", kind="fresh")
    assert [acted(db, b, "bill", "annul", "q") for _ in range(2)] == [True, False]
    # A change to the same state is one that may be made again.
    assert [acted(db, b, "deposit", "confirm", "d") for _ in range(2)] == [True, True]
    assert acted(db, b, "deposit", "confirm", "without")
    assert [acted(db, b, "deposit", "settle", "d", given=(None, name)) for name in ("o", "p", "r")] == [False, True, False]  # type: ignore[arg-type]
    assert [acted(db, b, "deposit", "turn", "without", given=(to,)) for to in ("fresh", "used", "used")] == [False, True, False]
    assert db.execute("SELECT id, state FROM bill ORDER BY id").fetchall() == [("o", "paid"), ("p", "void"), ("q", "void"), ("r", "open")]
    put(db, "order", id="x", step="a", other="a")
    assert [acted(db, b, "order", "twice", "x") for _ in range(2)] == [True, False]
    assert db.execute('SELECT step FROM "order" WHERE id = \'x\'').fetchall() == [("c",)]


def test_guards_that_states_ask_for_are_not_asked_twice() -> None:
    actions = {a.name: a for e in make_plan(parse(STATES)).blueprint.entities for a in e.parts_of(Action)}
    assert {name: len(a.guards) for name, a in actions.items()} == {"annul": 1, "confirm": 1, "settle": 2, "turn": 1, "twice": 1, "said": 1, "all": 0}
    assert actions["annul"].guards[0].message == "The state of this bill cannot change like that."
    assert make_plan(make_plan(parse(STATES)).blueprint).blueprint == make_plan(parse(STATES)).blueprint


BANK = """service bank
read user
write user

users {
}

entity account {
  code: text required unique
  balance: money required default 0 min 0
  state: enum(open, frozen)
  soft delete
  transitions state: open -> frozen
  action transfer(to: -> account required, amount: money required above 0) {
    when balance >= amount "There is too little in it."
    set balance = balance - amount, to.balance = to.balance + amount
  }
  action note(amount: money default 1) {
    set balance = balance + amount
  }
}

entity warrant {
  bonus: integer default 0
  account: -> account required
  action freeze {
    set account.state = "frozen", bonus = bonus + 10
  }
  action tear {
    delete warrant where account = this.account
  }
}
"""


def test_an_action_on_a_row_that_is_gone_fails() -> None:
    db, b = tables(BANK)
    for name in "abc":
        put(db, "account", id=name, code=name, balance=1000, state="open", created_at="", updated_at="")
    put(db, "user", id="u", email="", password_hash="", created_at="", updated_at="")
    db.execute("UPDATE account SET deleted_at = '2026' WHERE id = 'b'")
    assert not acted(db, b, "account", "note", "b", given=(100,))  # type: ignore[arg-type]
    assert not acted(db, b, "account", "note", "nobody", given=(100,))  # type: ignore[arg-type]
    transfers = [acted(db, b, "account", "transfer", "a", given=(100, to)) for to in ("b", "c", "nobody", "a")]  # type: ignore[arg-type]
    assert transfers == [False, True, False, True]
    assert db.execute("SELECT balance FROM account ORDER BY id").fetchall() == [(900,), (1000,), (1100,)]


INDEX, LIB = "src/actions.ts", "src/lib/actions.ts"
FAULTS = [
    Fault("guards not asked", LIB, "asserted(c, a, values),", "", "actions.guard|actions.at-once"),
    Fault("guards asked before, not with the change", LIB, "const done = await c.env.DB.batch<Row>(statements)",
          "const held = await bound(c, a.explanation, values).first<Row>(); if (a.refusals.some((_, i) => held?.[`g${i}`] !== 1)) await refusal(c, a, entity, values, new Error('malformed JSON')); await new Promise((r) => setTimeout(r, 20));\n  const done = await c.env.DB.batch<Row>(statements.slice(1))", "actions.at-once"),
    Fault("a copy is not taken", INDEX, '(\\"t\\".\\"copies\\" - 1)', '(\\"t\\".\\"copies\\" - 0)', "actions.does"),
    Fault("a copy does not come back", INDEX, "+ 1)) AS INTEGER)", "+ 0)) AS INTEGER)", "actions.does"),
    Fault("no loan is made", INDEX, '{ sql: "INSERT INTO', '{ sql: "SELECT 1", uses: 0 }, void { sql: "INSERT INTO', "files.types|actions.does|boot"),
    Fault("a day too late", INDEX, "' days')), CAST", "' days', '+1 day'), CAST", "actions.|boot"),
    Fault("refused in other words", LIB, 'throw new Problem(409, broken ??', 'throw new Problem(409, "no" ??', "actions.guard"),
    Fault("unknown keys taken", LIB, "checkedFields(shape, body, \"create\")", "checkedFields(shape, Object.fromEntries(Object.entries(body).filter(([k]) => k in a.fields || k in a.references)), \"create\")", "actions.body"),
    Fault("parameters not looked up", LIB, "errors.push(...(await missingRows(c, shape, caller, references)));", "void missingRows;", "actions.body"),
    Fault("lost without a fee", INDEX, '\\"fee\\" = CAST(ROUND(ROUND((?5 / 100.0) * 100, 7)) AS INTEGER)', '\\"fee\\" = 0 * ?5', "actions.does"),
]  # fmt: skip


_WITHOUT = "const body = await readGivenObject(c);"
_OLD = "const row = done.at(-1)?.results[0] ?? change.before ?? {};"
_BATCH = "const done = await c.env.DB.batch<Row>(statements)"
_READ_FIRST = (
    "const there = values[5] === undefined ? null : await c.env.DB.prepare('SELECT \"balance\" AS \"n\" FROM \"account\" WHERE \"id\" = ?').bind(values[5]).first<{ n: number }>();\n"
    "  if (there !== null) { await new Promise((r) => setTimeout(r, 20)); statements.splice(-1, 0, "
    "c.env.DB.prepare('UPDATE \"account\" SET \"balance\" = ? WHERE \"id\" = ?').bind(there.n + Number(values[4]), values[5] as string)); }\n  "
)
BANK_FAULTS = [
    Fault("done again from the state that it leads to", INDEX, "IN ('open')", "NOT IN ('no such state')", "actions.guard"),
    Fault("done on a row that is deleted", LIB, "asserted(c, a, values),", "", "actions.gone"),
    Fault("a state that another entity's action sets is changed", "src/entities/account.ts", "readOnly: true", "readOnly: false", "actions.states"),
    Fault("a body is wanted where none is needed", LIB, _WITHOUT, "const body = c.req.raw.body === null ? {} : await (await import('./http')).readJsonObject(c); void readGivenObject;", "actions.body"),
    Fault("a row that goes along is not found", LIB, _OLD, "const row = done.at(-1)?.results[0]; if (row === undefined) throw notFound();", "actions.does"),
    Fault("a row that goes along is not told", LIB, _OLD, "const row = done.at(-1)?.results[0] ?? { id };", "actions.does"),
    Fault("the money never arrives", INDEX, '\\"r0\\".\\"id\\" = ?6) + (?5 / 100.0)', '\\"r0\\".\\"id\\" = ?6) + 0 * (?5 / 100.0)', "actions.does"),
    Fault("the other balance is read before", LIB, _BATCH, _READ_FIRST + _BATCH, "actions.sums"),
]  # fmt: skip


@pytest.mark.workerd
@pytest.mark.parametrize("fault", BANK_FAULTS, ids=lambda f: f.name.replace(" ", "-"))
def test_planted_fault_in_a_bank_is_caught(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(BANK, tmp_path / "s", toolchain, host, fault)


@pytest.mark.workerd
def test_a_bank_is_proven(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    report = proof(BANK, tmp_path / "s", toolchain, host, checks=checks_of("actions"))
    assert report.proven, report.failures
    assert {e.id for e in report.evidence if e.outcome == "passed"} >= {"actions.sums", "actions.gone", "actions.states", "actions.guard"}


@pytest.mark.workerd
def test_transfers_at_once_lose_no_money_and_a_warrant_is_carried_out_once(tmp_path: Path, host: Host) -> None:
    plan = make_plan(parse(BANK))
    url = host.serve(made(BANK, tmp_path / "s"), bindings=PROOF_SECRETS).url

    async def play() -> None:
        client = Client(url, (), frozenset())
        s = Session(client, plan, PROOF_SECRETS, host.query)
        account, warrant = plan.blueprint.entities
        transfer, freeze = account.parts_of(Action)[0], warrant.parts_of(Action)[0]
        ids = [(await s.create(account, {"balance": 10}))["id"] for _ in range(3)]
        # In a circle, two steps forward and one back; the last of them wants more than there is.
        ways = [(n % 3, (n + 1) % 3, 1) for n in range(60)] + [(n % 3, (n + 2) % 3, 1) for n in range(30)] + [(0, 1, 1000)]
        answers = await asyncio.gather(*(call(s, account, transfer, ids[a], {"to_id": ids[c], "amount": n}) for a, c, n in ways))
        assert {a.status for a in answers} == {200, 409} and answers[-1].status == 409
        balances = [10.0] * 3
        for (a, c, n), answer in zip(ways, answers, strict=True):
            if answer.status == 200:
                balances[a], balances[c] = balances[a] - n, balances[c] + n
        found = [(await s.get(account, id)).body["balance"] for id in ids]
        assert found == balances and sum(found) == 30
        paper = await s.create(warrant, {"account_id": ids[0], "bonus": 0})
        answers = await asyncio.gather(*(call(s, warrant, freeze, paper["id"], {}) for _ in range(20)))
        assert sorted(a.status for a in answers) == [200] + [409] * 19
        assert (await s.get(warrant, paper["id"])).body["bonus"] == 10
        await client.close()

    asyncio.run(play())
    host.reset()


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
    assert db.execute("SELECT stock, typeof(stock), price, opens FROM item").fetchall() == [(2, "integer", 101, "09:30:00")]
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
    [("n: integer max 3", "4", "more or less than 'n' takes"), ("u: url", '"x"', "x is no url"), ('t: text required', '""', "than 't' takes"), ("u: url", "other", "the url of another field, and the value is of type text")],
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


VERSIONED = """service desk

entity task {
  title: text required
  done: boolean default false
  action finish {
    when not done
    set done = true
    create stamp (task = this, name = title)
  }
}

entity stamp {
  name: text required
  task: -> task required on delete cascade
  versions
}
"""


@pytest.mark.workerd
def test_a_version_that_is_no_uuid_is_found_in_a_row_that_an_action_makes(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    fault = Fault("versions without dashes", "src/actions.ts", "lower(hex(randomblob(4)) || '-' ||", "lower(hex(randomblob(4)) ||", "actions.does")
    expect_caught(VERSIONED, tmp_path / "s", toolchain, host, fault)


@pytest.mark.workerd
def test_a_row_that_an_action_makes_can_be_found_by_its_version(tmp_path: Path, host: Host) -> None:
    async def run(s: Session) -> None:
        task = expect(await s.client.send("POST", "/api/tasks", {"title": "a"}), 201).body
        expect(await s.client.send("POST", f"/api/tasks/{task['id']}/finish"), 200)
        [stamp] = expect(await s.client.send("GET", "/api/stamps"), 200).body["items"]
        assert expect(await s.client.send("GET", "/api/stamps", params={"version": stamp["version"]}), 200).body["items"] == [stamp]

    live(VERSIONED, tmp_path / "s", host, run)
