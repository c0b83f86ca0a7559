"""Defaults that are worked out, wherever rows are made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clodo.proof.host import Host
from clodo.proof.session import Session
from clodo.toolchain import Toolchain
from tests.bricks.live import live
from tests.bricks.proving import Fault, expect_caught, proof
from tests.bricks.tables import carry_out, put, tables

SHOP = """service shop

users {
  joined_on: date required default today
  trial_ends: date required default joined_on + days(14)
  manage roles
}

entity item {
  name: text required max 60
  price: money required min 0
  quantity: integer required default 1 min 1 max 1000
  total: money default price * quantity max 5000
  opened: datetime required default now
  due_on: date default today + days(14) min "2020-01-01" max "2090-01-01"
  label: text max 80 default name & " (" & code & ")"
  code: text default lower(name)
  big: boolean default (price > 100)
  agreed: money read-only default total
  source: -> item
  bulk create 100
  import csv
  action again(on: date default today + days(1), until: date default on + days(1)) {
    create item (name = name, price = price, source = this)
    set due_on = until
  }
}
"""
ITEM = "src/entities/item.ts"
BODY = "src/lib/body.ts"
FORMULA = "src/lib/formula.ts"
FAULTS = [
    Fault("another default", ITEM, 'formula.times(value("price"), value("quantity"))', 'formula.plus(value("price"), value("quantity"))', "resources.default"),
    Fault("a default of yesterday", ITEM, "formula.today(), 14,", "formula.today(), 13,", "resources.default"),
    Fault("a default of another field", ITEM, "formula.rounded(value(\"total\"), 100)", "formula.rounded(value(\"price\"), 100)", "resources.default"),
    Fault("defaults of defaults are not seen", FORMULA, "given === undefined ? own : given", "given", "resources.default"),
    Fault("a default that the field does not take", BODY, "if (found.length === 0) values[name] = field.encode(value);\n      errors.push(...found);", "values[name] = field.encode(value);\n      if (given !== undefined) errors.push(...found);", "resources.default|resources.put|core"),
    Fault("a default over what is given", BODY, "given === undefined ? fallback(field, fields, body) : given", "field.fallback === undefined ? given : fallback(field, fields, body)", "resources.crud"),
    Fault("a profile without its default", "src/index.ts", 'value("joined_on"), 14', 'value("joined_on"), 15', "users.profile"),
    Fault("an action with another default", "src/actions.ts", "(14) || ' days'", "(15) || ' days'", "actions.does"),
    Fault("an action that forgets a default", "src/actions.ts", "lower(\\\"name\\\")", "upper(\\\"name\\\")", "actions.does"),
]  # fmt: skip


def test_the_proof_holds(toolchain: Toolchain, host: Host, tmp_path: Path) -> None:
    report = proof(SHOP, tmp_path / "s", toolchain, host, types=True)
    assert not report.failures, [f"{e.id}: {e.detail}" for e in report.failures]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
def test_a_planted_fault_is_caught(fault: Fault, toolchain: Toolchain, host: Host, tmp_path: Path) -> None:
    expect_caught(SHOP, tmp_path / "s", toolchain, host, fault)


def test_wherever_a_row_is_made_it_is_filled(host: Host, tmp_path: Path) -> None:
    async def run(s: Session) -> None:
        today = datetime.now(UTC).date()
        item = s.blueprint.entities[0]
        made = (await s.post(item, {"name": "Anvil", "price": 200, "quantity": 2})).body
        want = {"total": 400, "label": "Anvil (anvil)", "code": "anvil", "big": True, "agreed": 400, "due_on": str(today + timedelta(days=14))}
        assert want.items() <= made.items()
        given = {"total": None, "label": "x", "code": None, "big": False, "due_on": "2030-01-01"}
        kept = (await s.post(item, {"name": "Anvil", "price": 200} | given)).body
        assert given.items() <= kept.items() and kept["agreed"] is None

        bulk = await s.client.send("POST", f"{s.path(item)}/bulk", [{"name": "A", "price": 1}, {"name": "B", "price": 2, "label": "own"}])
        assert [(i["label"], i["total"], i["agreed"]) for i in bulk.body["items"]] == [("A (a)", 1, 1), ("own", 2, 2)]
        file = "name,price,label\nCart,3.5,\nDoor,4,own\n"
        done = await s.client.send("POST", f"{s.path(item)}/import?format=csv", content=file.encode(), headers={"content-type": "text/csv"})
        assert done.body["created"] == 2, done
        rows = await s.query('SELECT "label", "total", "agreed" FROM "item" WHERE "name" IN (\'Cart\', \'Door\') ORDER BY "name"')
        assert [tuple(r.values()) for r in rows] == [("Cart (cart)", 350, 350), ("own", 400, 400)]

        done = await s.client.send("POST", f"{s.path(item, made['id'])}/again", {"on": "2031-05-05"})
        assert done.body["due_on"] == "2031-05-06"
        [again] = (await s.page(item, {"source_id": made["id"]})).body["items"]
        assert again | want | {"total": 200, "agreed": 200} == again

        put_ = await s.client.send("PUT", s.path(item, made["id"]), {"name": "Bell", "price": 7})
        assert (put_.body["label"], put_.body["total"], put_.body["agreed"]) == ("Bell (bell)", 7, 400)
        patched = await s.patch(item, made["id"], {"price": 9})
        assert patched.body["total"] == 7

    live(SHOP, tmp_path / "s", host, run)


def test_what_a_field_does_not_take_is_refused_by_name(host: Host, tmp_path: Path) -> None:
    async def run(s: Session) -> None:
        item = s.blueprint.entities[0]
        for body, path in (({"name": "n", "price": 5001}, "total"), ({"name": "n" * 41, "price": 1}, "label")):
            answer = await s.post(item, body)
            assert (answer.status, [e["path"] for e in answer.body["errors"]]) == (422, [path])
        wrong = await s.post(item, {"name": 5, "price": "x"})
        assert {e["path"] for e in wrong.body["errors"]} == {"name", "price"}
        # An action makes no row that a body could not make.
        made = (await s.post(item, {"name": "n" * 41, "price": 6000, "total": 1, "label": "l"})).body
        answer = await s.client.send("POST", f"{s.path(item, made['id'])}/again", {})
        assert answer.status == 422 and "rule of its table" in answer.body["detail"]

    live(SHOP, tmp_path / "s", host, run)


def test_rows_that_actions_make_look_at_what_the_action_gives_them() -> None:
    source = """service s
entity plan {
  name: text required
  price: money
  action order(days: integer default 30) {
    create sale (name = name, length = days, plan = this)
    create sale (name = name, ends = today, note = "own", plan = this)
  }
}
entity sale {
  name: text required
  length: integer
  ends: date default today + days(length)
  seen: datetime default ends
  note: text default name & " to " & ends
  odd: integer default round(length / 4)
  open: boolean default (ends > today or ends is empty)
  plan: -> plan
}
"""
    db, b = tables(source)
    put(db, "plan", id="p", name="Gold", price=100, created_at="", updated_at="")
    carry_out(db, b, "plan", "order", "p", 30, "one", "two")
    rows = db.execute('SELECT "id", "ends", "seen", "note", "odd", "open" FROM "sale" ORDER BY "id"').fetchall()
    assert rows == [
        ("one", "2026-03-31", "2026-03-31T00:00:00.000Z", "Gold to 2026-03-31", 8, 1),
        ("two", "2026-03-01", "2026-03-01T00:00:00.000Z", "own", None, 0),
    ]
