"""Actions: their words, what is wrong with them, planted faults, and many calls for the last copy."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from clodo.blueprint import InvalidBlueprint, format_blueprint, parse
from clodo.blueprint.plan import make_plan
from clodo.bricks.actions.checks import call
from clodo.bricks.actions.values import Action
from clodo.proof.client import Client
from clodo.proof.host import Host
from clodo.proof.session import Session
from clodo.proof.verify import PROOF_SECRETS
from clodo.toolchain import Toolchain
from tests.bricks.proving import Fault, example_of, expect_caught, made

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
    ],
)
def test_what_makes_no_sense_is_told(head: str, lines: str, words: str) -> None:
    with pytest.raises(InvalidBlueprint) as caught:
        parse(with_action(lines, head))
    assert words in caught.value.message


def test_a_state_that_an_action_sets_is_changed_by_actions_only() -> None:
    plan = make_plan(parse(with_action('set state = "old"')))
    state = plan.blueprint.entities[0].field("state")
    assert state is not None and state.read_only and state.required and state.default == "new"


INDEX, LIB = "src/actions.ts", "src/lib/actions.ts"
FAULTS = [
    Fault("guards not asked", LIB, "...(a.assertion === undefined ? [] : [bound(c, a.assertion, values)]),", "", "actions.guard|actions.at-once"),
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
