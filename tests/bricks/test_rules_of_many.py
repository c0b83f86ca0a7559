"""Rules that count or sum up other rows: right services are proven, and planted faults found."""

from __future__ import annotations

from pathlib import Path

import pytest

from clodo.blueprint import parse
from clodo.blueprint.samples import entity_body
from clodo.bricks.rules.language import CheckRule
from clodo.bricks.rules.room import leanings
from clodo.proof.host import Host
from clodo.toolchain import Toolchain
from tests.bricks.proving import Fault, expect_caught, proof

SQL = "migrations/0001_init.sql"
LEDGER = """service ledger

entity invoice {
  total: money required min 0
}

entity line {
  amount: money required min 0
  invoice: -> invoice required on delete cascade
  check sum(line.amount where invoice = this.invoice) <= invoice.total "More than the total."
}
"""
SHOP = """service shop

entity project {
  budget: money required min 0
  spent: money = sum(expense.amount where project = this)
  check spent <= budget "Over the budget."
}

entity expense {
  amount: money required above 0
  project: -> project required
}
"""
SCHOOL = """service school

entity course {
  capacity: integer required min 1
}

entity enrolment {
  status: enum(pending, confirmed) default pending
  course: -> course required
  check count(enrolment where course = this.course and status = "confirmed") <= course.capacity "Full."
}
"""
DAYS = """service days

entity shift {
  day: date required
  person: text required
  hours: decimal required above 0 max 24
  check sum(shift.hours where day = this.day) <= 24 "A day has 24 hours."
}
"""
BOXES = """service boxes

entity box {
  name: text required
  open: boolean required default true
}

entity delivery {
  note: text
  box: -> box required
  check box.open = true "This box is closed."
}
"""


@pytest.mark.workerd
@pytest.mark.parametrize("source", [LEDGER, SHOP, SCHOOL, DAYS, BOXES], ids=["ledger", "shop", "school", "days", "boxes"])
def test_a_right_service_is_proven(source: str, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    report = proof(source, tmp_path / "s", toolchain, host)
    assert report.proven, report.summary()
    assert [f"{e.id} {e.rule}: {e.detail}" for e in report.evidence if e.outcome == "skipped"] == []


def fault(name: str, old: str, new: str = "") -> Fault:
    """A fault in the migration; without ``new`` the trigger does nothing."""
    return Fault(name, SQL, old if new else f"{old}\nBEGIN", new or f"{old} WHEN 0\nBEGIN", "rules.check")


FAULTS = [
    (LEDGER, fault("new lines unchecked", 'AFTER INSERT ON "line"')),
    (LEDGER, fault("changed lines unchecked", 'AFTER UPDATE ON "line"')),
    (LEDGER, fault("lines of all invoices", '("a1"."invoice_id" = "line"."invoice_id")', "(1 = 1)")),
    (LEDGER, fault("the total may shrink", 'AFTER UPDATE OF "total" ON "invoice"')),
    (SHOP, fault("new expenses unchecked", 'AFTER INSERT ON "expense"')),
    (SHOP, fault("changed expenses unchecked", 'AFTER UPDATE ON "expense"')),
    (SHOP, fault("expenses of all projects", '("a1"."project_id" = "project"."id")', "(1 = 1)")),
    (SHOP, fault("the greatest expense", "TOTAL(", "MAX(")),
    (SCHOOL, fault("new enrolments unchecked", 'AFTER INSERT ON "enrolment"')),
    (SCHOOL, fault("changed enrolments unchecked", 'AFTER UPDATE ON "enrolment"')),
    (SCHOOL, fault("every state is counted", """("a1"."status" = 'confirmed')""", "(1 = 1)")),
    (SCHOOL, fault("another state is counted", """("a1"."status" = 'confirmed')""", """("a1"."status" = 'pending')""")),
    (BOXES, fault("into a closed box", 'AFTER INSERT ON "delivery"')),
    (BOXES, fault("over to a closed box", 'AFTER UPDATE OF "box_id" ON "delivery"')),
    (BOXES, fault("a used box is closed", 'AFTER UPDATE OF "open" ON "box"')),
]


@pytest.mark.workerd
@pytest.mark.parametrize(("source", "planted"), FAULTS, ids=lambda x: x.name.replace(" ", "-") if isinstance(x, Fault) else "")
def test_planted_fault_is_caught(source: str, planted: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(source, tmp_path / "s", toolchain, host, planted)


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        ("sum(line.amount where bill = this) <= total", {("bill", "total", True)}),
        ("total >= sum(line.amount where bill = this)", {("bill", "total", True)}),
        ("not (sum(line.amount where bill = this) > total)", {("bill", "total", True)}),
        ("sum(line.amount where bill = this) <= 24", {("line", "amount", False)}),
        ("sum(line.amount where bill = this) + most < 24", {("line", "amount", False), ("bill", "most", False)}),
        ("sum(line.amount where bill = this) <= most", {("line", "amount", False), ("bill", "most", True)}),
        ("sum(line.amount where bill = this) <= total - most", {("bill", "total", True), ("bill", "most", False)}),
        ("count(line where bill = this) <= shop.size", {("shop", "size", True)}),
        ("due <= total", {("bill", "total", True)}),
        ("sum(line.amount where bill = this) >= total", {("bill", "total", False)}),
        ("total <= most", set()),
    ],
)
def test_room_is_made_for_sums(rule: str, found: set[tuple[str, str, bool]]) -> None:
    b = parse(
        "service x\n\nentity shop {\n  size: integer\n}\n\nentity bill {\n  total: money\n  most: integer min 0 max 90\n  shop: -> shop\n"
        f"  due: money = sum(line.amount where bill = this)\n  check {rule}\n}}\n\nentity line {{\n  amount: money above 0\n  bill: -> bill\n}}\n"
    )
    bill = b.entity("bill")
    assert bill is not None
    [check] = bill.parts_of(CheckRule)
    assert set(leanings(b, bill, check.condition)) == found


def test_numbers_with_room_keep_to_their_bounds() -> None:
    [e] = parse("service x\n\nentity a {\n  free: integer\n  least: money above 0\n  most: integer min 2 max 9\n}\n").entities
    for number in range(20):
        large = entity_body(e, number, [("free", True), ("least", True), ("most", True)])
        small = entity_body(e, number, [("free", False), ("least", False), ("most", False)])
        assert large["free"] > 900_000 < large["least"] and large["most"] == 9
        assert small["free"] in (0, 1) and small["least"] in (0.01, 0.02) and small["most"] in (2, 3)
