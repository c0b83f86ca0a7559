"""Guards that look beyond their row: at rows that are counted or summed up, and at whoever calls. Planted faults, and proofs that leave
none of them out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from clodo.blueprint import parse
from clodo.blueprint.plan import Plan, make_plan
from clodo.bricks.actions.brick import actions_of
from clodo.bricks.actions.wear import may_wear_off
from clodo.bricks.registry import service_checks
from clodo.proof.check import Check
from clodo.proof.host import Host
from clodo.toolchain import Toolchain
from tests.bricks.proving import Fault, expect_caught, proof

SOURCE = """service school

users {
  credit: money default 0 min 0
  verified: boolean default false
}

entity course {
  title: text required
  capacity: integer required min 1
  waiting: integer = count(enrolment where course = this and status = "waiting")
  price: money required min 0
  action book {
    by user
    when caller.credit >= price "Too dear."
    when caller.verified "For those who are known."
    set title = "booked"
  }
  action rename {
    when waiting = 0 "Some wait."
    set title = "renamed"
  }
}

entity enrolment {
  student: text required
  status: enum(pending, confirmed, waiting) default pending
  course: -> course required
  transitions status: pending -> confirmed, pending -> waiting
  action confirm {
    when count(enrolment where course = this.course and status = "confirmed") < course.capacity "Full."
    set status = "confirmed"
  }
}

entity invoice {
  total: money required min 0
  closed: boolean default false
  payer: -> user
  action take_on {
    by user
    when payer is empty "Somebody pays already."
    set payer = caller
  }
  action close {
    when sum(line.amount where invoice = this and void = false) = total "The lines do not add up."
    set closed = true
    update line set locked = true where invoice = this
  }
}

entity line {
  amount: money required min 0
  void: boolean default false
  locked: boolean default false
  invoice: -> invoice required on delete cascade
}
"""

INDEX = "src/actions.ts"
FAULTS = [
    Fault("another state is counted", INDEX, "= 'confirmed'))) <", "= 'nothing'))) <", "actions.guard"),
    Fault("every state is counted", INDEX, "(\\\"a1\\\".\\\"status\\\" = 'confirmed'))) <", "1 = 1)) <", "actions.guard"),
    Fault("those of all courses are counted", INDEX, '(\\"a1\\".\\"course_id\\" = \\"t\\".\\"course_id\\")', "(1 = 1)", "actions.guard"),
    Fault("one too many", INDEX, "= 'confirmed'))) <", "= 'confirmed'))) <=", "actions.guard|actions.at-once"),
    Fault("nobody waits", INDEX, "= 'waiting'))) = 0", "= 'waiting'))) >= 0", "actions.guard"),
    Fault("the greatest line", INDEX, "TOTAL(", "MAX(", "actions.guard"),
    Fault("void lines are summed up", INDEX, '(\\"a1\\".\\"void\\" = 0)', "(1 = 1)", "actions.guard"),
    Fault("lines of all invoices", INDEX, '(\\"a1\\".\\"invoice_id\\" = \\"t\\".\\"id\\")', "(1 = 1)", "actions.guard|actions.does"),
    Fault("more than the total", INDEX, "/ 100.0), 9) = ROUND", "/ 100.0), 9) >= ROUND", "actions.guard"),
    Fault("less than the total", INDEX, "/ 100.0), 9) = ROUND", "/ 100.0), 9) <= ROUND", "actions.guard"),
    Fault("nearly the price", INDEX, "= ?2) >= (", "= ?2) > (", "actions.guard"),
    Fault("paid by two", INDEX, '(\\"t\\".\\"payer_id\\" IS NULL)', "(1 = 1)", "actions.guard"),
    Fault("anybody is known", INDEX, 'SELECT \\"r0\\".\\"verified\\"', "SELECT 1", "actions.guard"),
]  # fmt: skip

#: Guards that ask for links, from either side.
LINKS = """service blog

entity post {
  title: text required
  featured: boolean default false
  main_tag: -> tag
  tags: <-> tag
  tag_count: integer = count(tag where linked(this))
  action feature {
    when count(tag where linked(this) and official) >= 3 "Too few tags."
    set featured = true
  }
  action mark {
    when linked(main_tag) "It is none of its tags."
    set featured = true
  }
  action leave(tag: -> tag required) {
    when not linked(tag) "It has the tag."
    set featured = false
  }
  action plain {
    when tag_count < 2 "Many tags."
    set featured = false
  }
}

entity tag {
  word: text required
  official: boolean default false
  retired: boolean default false
  action retire {
    when count(post where linked(this)) = 0 "Posts have it."
    set retired = true
  }
}
"""
LINK_FAULTS = [
    Fault("tags of all posts", INDEX, '\\"post_id\\" = \\"t\\".\\"id\\"', "1 = 1", "actions.guard"),
    Fault("any tag", INDEX, ' AND \\"a1\\".\\"official\\"', "", "actions.guard"),
    Fault("one too few", INDEX, ") >= 3", ") >= 2", "actions.guard"),
    Fault("posts of all tags", INDEX, '\\"tag_id\\" = \\"t\\".\\"id\\"', "1 = 1", "actions.guard|actions.does"),
    Fault("another's tag", INDEX, '\\"tag_id\\" = \\"t\\".\\"main_tag_id\\"', "1 = 1", "actions.guard|actions.does"),
    Fault("whatever is given", INDEX, '\\"tag_id\\" = ?5', "1 = 0", "actions.guard"),
]  # fmt: skip


def actions(plan: Plan) -> Iterator[Check]:
    """The checks of actions."""
    return (check for check in service_checks(plan) if check.id.startswith("actions."))


@pytest.mark.workerd
def test_no_guard_is_left_out(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    report = proof(SOURCE, tmp_path / "s", toolchain, host, checks=actions)
    assert report.proven, report.summary()
    found = [e for e in report.evidence if e.id.startswith("actions.")]
    assert [f"{e.rule}: {e.detail}" for e in found if e.outcome != "passed"] == []
    # One of them follows from the transitions.
    assert sum(e.id == "actions.guard" for e in found) == 7
    assert [e.rule.split(":")[0] for e in found if e.id == "actions.at-once"] == ["enrolment.confirm", "invoice.take on"]


@pytest.mark.workerd
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name.replace(" ", "-"))
def test_planted_fault_is_caught(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(SOURCE, tmp_path / "s", toolchain, host, fault, checks=actions)


@pytest.mark.workerd
def test_no_guard_on_links_is_left_out(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    report = proof(LINKS, tmp_path / "s", toolchain, host, types=True)
    assert report.proven, report.summary()
    found = [e for e in report.evidence if e.id.startswith("actions.")]
    assert [f"{e.rule}: {e.detail}" for e in found if e.outcome != "passed"] == []
    assert sum(e.id == "actions.guard" for e in found) == 5


@pytest.mark.workerd
@pytest.mark.parametrize("fault", LINK_FAULTS, ids=lambda f: f.name.replace(" ", "-"))
def test_planted_fault_in_links_is_caught(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(LINKS, tmp_path / "s", toolchain, host, fault, checks=actions)


@pytest.mark.parametrize(
    ("lines", "wears"),
    [
        ("when copies > 0; set copies = copies - 1", True),
        ("when copies > 0; set title = empty", False),
        ("when lent = 0; create loan (book = this)", True),
        ("when lent = 0; update loan set note = empty where book = this", False),
        ("when lent = 0; update loan set book = this where note is empty", True),
        ("when exists(loan where book = this); delete loan where book = this", True),
        ("when updated_at < now; set title = empty", True),
        ("set copies = copies - 1", False),
    ],
)
def test_it_is_known_whether_an_action_changes_what_its_guards_look_at(lines: str, wears: bool) -> None:
    body = "".join(f"    {line}\n" for line in lines.split("; "))
    source = (
        "service x\n\nentity book {\n  title: text\n  copies: integer required\n  lent: integer = count(loan where book = this)\n"
        f"  action act {{\n{body}  }}\n}}\n\nentity loan {{\n  note: text\n  book: -> book\n}}\n"
    )
    plan = make_plan(parse(source))
    [(e, action)] = actions_of(plan)
    assert may_wear_off(plan.blueprint, e, action) is wears
