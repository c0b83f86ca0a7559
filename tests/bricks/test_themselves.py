"""Rules that a row is not its own, and that two references of it name two rows: planted faults, and a proof that leaves none out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from clodo.blueprint import InvalidBlueprint, parse
from clodo.blueprint.plan import Plan
from clodo.bricks.registry import service_checks
from clodo.proof.check import Check
from clodo.proof.host import Host
from clodo.toolchain import Toolchain
from tests.bricks.proving import Fault, expect_caught, proof

FIRM = """service firm

entity employee {
  name: text required
  manager: -> employee
  check manager != this "Nobody is their own manager."
}

entity transfer {
  amount: money required
  sender: -> employee required
  receiver: -> employee required
  check sender != receiver
}

entity pairing {
  name: text required
  mentor: -> employee
  pupil: -> employee
  check mentor is empty or mentor != pupil "They are two."
}
"""
SQL = "migrations/0001_init.sql"
FAULTS = [
    Fault("their own manager", SQL, '(NEW."manager_id" IS NOT NEW."id")', "1", "rules.check"),
    Fault("no manager but oneself", SQL, '(NEW."manager_id" IS NOT NEW."id")', '(NEW."manager_id" IS NULL)', "rules.check"),
    Fault("to oneself", SQL, '(NEW."sender_id" IS NOT NEW."receiver_id")', "1", "rules.check"),
    Fault("to nobody else", SQL, '(NEW."sender_id" IS NOT NEW."receiver_id")', '(NEW."sender_id" IS NOT NEW."sender_id")', "rules.check"),
    Fault("one alone", SQL, '(NEW."mentor_id" IS NOT NEW."pupil_id")', "1", "rules.check"),
    Fault("a manager's change goes unseen", SQL, 'AFTER UPDATE OF "manager_id"', 'AFTER UPDATE OF "name"', "rules.check"),
]  # fmt: skip


def rules(plan: Plan) -> Iterator[Check]:
    return (check for check in service_checks(plan) if check.id.startswith("rules."))


@pytest.mark.workerd
def test_no_rule_on_references_is_left_out(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    report = proof(FIRM, tmp_path / "s", toolchain, host)
    assert report.proven, report.summary()
    assert [f"{e.rule}: {e.detail}" for e in report.evidence if e.id == "rules.check" and e.outcome != "passed"] == []
    assert sum(e.id == "rules.check" for e in report.evidence) == 3


@pytest.mark.workerd
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name.replace(" ", "-"))
def test_planted_fault_is_caught(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(FIRM, tmp_path / "s", toolchain, host, fault, checks=rules)


def test_a_row_is_held_against_rows_of_its_kind_alone() -> None:
    with pytest.raises(InvalidBlueprint, match="A transfer is no employee"):
        parse(FIRM.replace("check sender != receiver", "check sender != this"))
