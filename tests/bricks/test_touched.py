"""Rows that actions and schedules change beside their own: who is told of them, and the faults that the proof finds."""

from __future__ import annotations

from pathlib import Path

import pytest

from clodo.blueprint import parse
from clodo.blueprint.plan import Plan, make_plan
from clodo.bricks.actions.touched import touched_sql
from clodo.bricks.registry import service_checks, service_tree
from clodo.proof.check import Check
from clodo.proof.host import Host
from clodo.proof.verify import PROOF_SECRETS
from clodo.toolchain import Toolchain
from tests.bricks.proving import Fault, expect_caught, made, proof

DEPOT = """service depot
write key

entity crate {
  label: text required unique
  stock: integer required min 0
  until: date
  packed: integer = stock + 1
  audit
  live
  action pack(n: integer required min 1) {
    when stock >= n "Too few."
    set stock = stock - n
    create parcel (crate = this, weight = n)
    delete slip where crate = this
    update note set text = "packed" where crate = this
    update crate set until = today where until is empty
  }
  action move(to: -> crate required, n: integer required min 1) {
    when stock >= n "Too few."
    set stock = stock - n, to.stock = to.stock + n
  }
}

entity parcel {
  weight: integer required min 1
  crate: -> crate required on delete cascade
  audit
  live
  room
}

entity slip {
  code: text required
  scan: file max 1 MB
  crate: -> crate required on delete cascade
  room
  audit
  live
}

entity note {
  text: text required
  secret: text write-only
  crate: -> crate on delete set null
  soft delete
  audit
  live
}

every day at "03:00" {
  delete crate where until < today
}

every hour {
  delete note where text = "old"
  update slip set code = "seen" where code = "new"
}

webhook depot_events on crate created, updated, deleted and parcel created, deleted and slip created, updated, deleted and note updated, deleted
"""


OLD = """service old

entity slip {
  code: text required
}

every day at "03:00" {
  delete slip where created_at < now - days(30)
}
"""


@pytest.mark.workerd
def test_rows_are_old_enough(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    report = proof(OLD, tmp_path / "s", toolchain, host)
    assert [e.outcome for e in report.evidence if e.id == "schedules.does"] == ["passed"], report.summary()


def told(plan: Plan) -> list[Check]:
    return [c for c in service_checks(plan) if c.id.endswith(".told")]


def test_only_what_is_touched_and_told_has_triggers() -> None:
    plan = make_plan(parse("service x\n\nentity a {\n  n: integer\n  action go {\n    create b (n = 1)\n    create c (n = 1)\n  }\n  live\n}\n\nentity b {\n  n: integer\n  live\n}\n\nentity c {\n  n: integer\n}\n"))
    sql = "".join(touched_sql(plan))
    assert '"_touched__b__' in sql and '"_touched__a__' not in sql and '"_touched__c__' not in sql
    silent = "service x\n\nentity a {\n  n: integer\n  action go {\n    create b (n = 1)\n  }\n}\n\nentity b {\n  n: integer\n}\n"
    assert "_touched" not in service_tree(parse(silent), silent)["migrations/0001_init.sql"]


def test_rows_that_parameters_name_are_touched() -> None:
    source = "service x\n\nentity a {\n  n: integer\n  action go(to: -> b required) {\n    set to.n = 1\n  }\n}\n\nentity b {\n  n: integer\n  live\n}\n"
    tree = service_tree(parse(source), source)
    assert 'touches: ["b"]' in tree["src/actions.ts"]
    assert '"_touched__b__' in tree["migrations/0001_init.sql"]


@pytest.mark.workerd
def test_each_changed_row_is_told_of(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    report = proof(DEPOT, tmp_path / "s", toolchain, host, types=True)
    assert report.proven, report.summary()
    assert [e.outcome for e in report.evidence if e.id.endswith(".told")] == ["passed"] * 4, report.summary()


@pytest.mark.workerd
def test_all_files_go_however_many(tmp_path: Path, host: Host) -> None:
    host.serve(made(DEPOT, tmp_path / "s"), bindings=PROOF_SECRETS)
    keys = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500) INSERT INTO \"_unused_files\" (\"key\") SELECT 'slip/a/scan/' || i FROM n"
    host.query(keys, [])
    assert host.scheduled("0 * * * *") == ""
    assert host.query('SELECT count(*) AS "n" FROM "_unused_files"', []) == [{"n": 0}]
    host.reset()


LIB = "src/lib/"
FAULTS = [
    Fault("nobody is told", f"{LIB}touched.ts", "...closed, ...told,", "...closed, ...told.slice(0, 0),", "actions.told"),
    Fault("a row that a parameter names is not watched", "src/actions.ts", "  touches: [\"crate\"],\n", "", "actions.told"),
    Fault("rows are not noted", f"{LIB}touched.ts", "ahead: [c.env.DB.prepare(OPEN)],", "ahead: [],", "schedules.told"),
    Fault("the row itself is told of twice", f"{LIB}touched.ts", "own === undefined ? []", "own !== undefined ? []", "actions.told"),
    Fault("no events of what goes", f"{LIB}webhook-hook.ts", "${kind === \"deleted\" ? gone : there}", "${there}", "schedules.told|actions.told"),
    Fault("no deliveries", f"{LIB}webhook-hook.ts", "deliveries(c, topics, type, start, `${start}~`),", "", "schedules.told|actions.told"),
    Fault("no live events", f"{LIB}live.ts", "FROM \"_touched\" WHERE \"entity\" = ? ORDER", "FROM \"_touched\" WHERE \"entity\" <> ? ORDER", "schedules.told|actions.told"),
    Fault("no entries", f"{LIB}audit.ts", "`FROM \"_touched\" WHERE \"entity\" = ${", "`FROM \"_touched\" WHERE \"entity\" <> ${", "schedules.told|actions.told"),
    Fault("entries are not counted one by one", f"{LIB}audit.ts", "+ row_number() OVER", "+ 1 + row_number() OVER", "schedules.told|actions.told"),
    Fault("emptied references are written down twice", f"{LIB}audit.ts", "filter(([, reference]) => reference.onDelete === \"set null\")", "filter(() => false)", "schedules.told"),
    Fault("files stay behind an action", f"{LIB}file-store.ts", "caller.clock === true || swept.has(c)", "c !== undefined || swept.has(c)", "actions.told"),
    Fault("files stay behind a schedule", f"{LIB}schedules.ts", "if (last !== undefined &&", "if (last === undefined &&", "schedules.told|boot"),
    Fault("rooms do not hear", f"{LIB}room.ts", "row.known === 1", "row.known === 2", "schedules.told|actions.told"),
    Fault("only the first schedule is watched over", f"{LIB}schedules.ts", "watch(c, touches, { clock: true })", "watch(c, touches.slice(1), { clock: true })", "schedules.told"),
]  # fmt: skip


@pytest.mark.workerd
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name.replace(" ", "-"))
def test_planted_fault_is_caught(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(DEPOT, tmp_path / "s", toolchain, host, fault, checks=told)
