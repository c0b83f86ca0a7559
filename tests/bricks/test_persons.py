"""Guards that hold whoever calls against a row's users, and against their role: nobody approves what is their own, and who may depends on
an amount. Planted faults, and proofs that leave none of them out."""

from __future__ import annotations

from pathlib import Path

import pytest

from clodo.blueprint import InvalidBlueprint, parse
from clodo.blueprint.text import expression_text
from clodo.bricks.actions.sides import sides
from clodo.bricks.actions.values import Action
from clodo.proof.host import Host
from clodo.toolchain import Toolchain
from tests.bricks.proving import Fault, expect_caught, proof
from tests.bricks.test_guards import INDEX, actions

CLAIMS = """service claims
read user
write user

users {
  roles director, manager
}

entity claim {
  title: text required
  amount: money required min 0
  status: enum(open, approved, paid) default open
  payer: -> user
  read owner or role manager, director
  write owner or role manager, director
  action approve {
    by role manager, director
    when caller != owner "Nobody approves their own claim."
    when amount <= 1000 or caller.role in ("director", "admin") "Above 1,000 a director approves."
    set status = "approved"
  }
  action pay {
    by owner or role manager
    when payer is empty or payer = caller "Somebody else pays."
    set status = "paid"
  }
}

entity receipt {
  text: text required
  seen: boolean default false
  claim: -> claim required
  action see {
    by role manager
    when this.claim.owner != caller "It is of your own claim."
    set seen = true
  }
}
"""
FAULTS = [
    Fault("their own as well", INDEX, '(?2 IS NOT \\"t\\".\\"owner_id\\")', "(1 = 1)", "actions.guard"),
    Fault("nothing but their own", INDEX, '(?2 IS NOT \\"t\\".\\"owner_id\\")', '(?2 IS \\"t\\".\\"owner_id\\")', "actions.does"),
    Fault("any role for any amount", INDEX, "IN ('director', 'admin')", "IN ('director', 'admin', 'manager')", "actions.guard"),
    Fault("no director", INDEX, "IN ('director', 'admin')", "IN ('admin')", "actions.guard"),
    Fault("no administrator", INDEX, "IN ('director', 'admin')", "IN ('director')", "actions.guard"),
    Fault("not quite the amount", INDEX, "<= 1000", "< 1000", "actions.guard"),
    Fault("a little above the amount", INDEX, "<= 1000", "<= 1001", "actions.guard"),
    Fault("a director, and a small amount", INDEX, "<= 1000) OR", "<= 1000) AND", "actions.guard"),
    Fault("whoever pays", INDEX, '\\"t\\".\\"payer_id\\" = ?2', '\\"t\\".\\"payer_id\\" IS NOT NULL', "actions.guard"),
    Fault("a payer pays once", INDEX, '\\"t\\".\\"payer_id\\" = ?2', "1 = 0", "actions.guard"),
    Fault("receipts of their own claims", INDEX, 'IS NOT ?2', "IS NOT ''", "actions.guard"),
]  # fmt: skip


@pytest.mark.workerd
def test_no_guard_on_whoever_calls_is_left_out(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    report = proof(CLAIMS, tmp_path / "s", toolchain, host)
    assert report.proven, report.summary()
    found = [e for e in report.evidence if e.id.startswith("actions.")]
    assert [f"{e.rule}: {e.detail}" for e in found if e.outcome != "passed"] == []
    assert sum(e.id == "actions.guard" for e in found) == 4


@pytest.mark.workerd
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name.replace(" ", "-"))
def test_planted_fault_is_caught(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(CLAIMS, tmp_path / "s", toolchain, host, fault, checks=actions)


def test_roles_of_callers_are_those_of_the_service() -> None:
    for wrong, meant in (("directer", "director"), ("clerk", "")):
        with pytest.raises(InvalidBlueprint, match=f"{wrong}.*is none of user, admin, director, manager.*{meant}"):
            parse(CLAIMS.replace('in ("director", "admin")', f'= "{wrong}"'))


@pytest.mark.parametrize(("old", "new"), [("by role manager, director", "by owner"), ("read owner or role manager, director", "read owner")])
def test_an_action_that_nobody_can_take_is_refused(old: str, new: str) -> None:
    with pytest.raises(InvalidBlueprint, match="keeps the owner off"):
        parse(CLAIMS.replace(old, new, 1))


def test_each_way_of_a_guard_is_one_by_itself() -> None:
    guards = [g.condition for e in parse(CLAIMS).entities for a in e.parts_of(Action) for g in a.guards]
    assert [[expression_text(side) for side in sides(g)] for g in guards] == [
        ["caller != owner"],
        ["amount <= 1000", 'caller.role = "director"', 'caller.role = "admin"'],
        ["payer is empty", "payer = caller"],
        ["this.claim.owner != caller"],
    ]
