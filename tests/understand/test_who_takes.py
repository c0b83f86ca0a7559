"""Who takes a step, where that depends on whose the row is or on an amount; steps that are spoken of in several places; rows that are not
their own: from marks to lines, and to a proven service."""

from __future__ import annotations

from pathlib import Path

import pytest

from clodo.proof.host import Host
from clodo.toolchain import Toolchain
from tests.bricks.proving import proof
from tests.understand.services import wanted
from tests.understand.test_cues import built

#: A claim with its items, of an employee.
CLAIM = (
    "[Claims|claim] ([title|claim.], [amount|claim. money], [paid|claim. bool], [state|claim. enum] [new|claim.state =enumdef], [fine|claim.state =enum], [shut|claim.state =enum]) have [items|item] "
    "([cost|item. money], [kind|item. enum] [trip|item.kind =enum], [meal|item.kind =enum]). "
)
OF_ITEM = "item > claim"
OFF = 'when caller != owner "Nobody can approve their own claim."'
APPROVE = "[approve|@action of=claim set=claim.state:fine{}]"
#: The text, facts, lines that it comes to (with ``!`` in front: lines that there are none of), and what is left over.
SAID: list[tuple[str, tuple[str, ...], list[str], list[str]]] = [
    # Nobody takes a step on what is their own.
    (f"An [employee|ROLE:employee] may not {APPROVE.format(' unless=role:employee')} their own [claim|claim].", (), ["write owner", "by user", OFF, "!roles employee"], []),
    (f"[Bosses|ROLE:boss] {APPROVE.format(' by=role:boss unless=role:own')} [claims|claim] but never their [own|ROLE:own].", (), ["write owner", "by role boss", OFF], []),
    (f"[Bosses|ROLE:boss] {APPROVE.format(' by=role:boss')} [claims|claim], [never|@action of=claim unless=role:own] their [own|ROLE:own].", ("own claim", "read claim role:boss"), ["by role boss", OFF], []),
    (f"They are {APPROVE.format(' unless=role:submitter')} by anybody but the [submitter|ROLE:submitter].", ("own-write claim", "write claim role:boss"), ["by role boss", OFF], []),
    (f"They are {APPROVE.format(' unless=role:other')} by [others|ROLE:other].", ("access login",), ["by user", OFF], []),
    (f"A [user|user] {APPROVE.format(' unless=role:own')} all but their [own|ROLE:own].", ("access login", "claim > user"), ['when caller != user "Nobody can approve their own claim."', "!write owner"], []),
    # Nobody may at all, nobody is known, rows are nobody's, or the word is one for a role.
    (f"{APPROVE.format(' unless=role:own')} but their [own|ROLE:own].", ("own claim",), [], ["approve"]),
    (f"Their [owner|ROLE:owner] {APPROVE.format(' by=role:owner unless=role:own')} but their [own|ROLE:own].", ("own claim",), [], ["approve"]),
    (f"{APPROVE.format(' unless=role:own')} but their [own|ROLE:own].", ("access key",), [], ["approve"]),
    (f"{APPROVE.format(' unless=role:own')} but their [own|ROLE:own].", ("write claim role:boss",), [], ["approve"]),
    (f"Not an [intern|ROLE:intern] {APPROVE.format(' unless=role:intern')} it.", ("own-write claim",), [], ["approve"]),
    ("Never [edit|@action of=claim unless=role:own] their [own|ROLE:own].", ("own-write claim",), [], ["edit"]),
    # Who takes a step depends on an amount.
    (f"[Bosses|ROLE:boss] {APPROVE.format(' by=role:boss')} [claims|claim]; over [500|#] they [need|@action of=claim by=role:admin over=claim.amount n=#500] an [admin|ROLE:admin].", (), ["by role boss, admin", 'when amount <= 500 or caller.role = "admin"'], []),
    (f"A [boss|ROLE:boss] {APPROVE.format(' by=role:boss below=claim.amount n=#1000')} up to [1000|#]; above that a [chief|ROLE:chief] [does|@action of=claim by=role:chief over=claim.amount n=#1000].", (), ["by role boss, chief", 'when amount <= 1000 or caller.role in ("chief", "admin")'], []),
    (f"A [boss|ROLE:boss] {APPROVE.format(' by=role:boss below=claim.amount n=#1000')} under [1000|#]; a [chief|ROLE:chief] {APPROVE.format(' by=role:chief over=claim.amount n=#1000')} from [1000|#].", (), ['when amount < 1000 or caller.role in ("chief", "admin")'], []),
    (f"Over [9|#] they [need|@action of=claim by=role:chief over=claim.amount n=#9] a [chief|ROLE:chief]. [Bosses|ROLE:boss] {APPROVE.format(' by=role:boss')} them, [hands|ROLE:hand] {APPROVE.format(' by=role:hand below=claim.amount n=#2')} up to [2|#].", (), ["by role boss, chief, hand", 'when amount <= 9 or caller.role in ("chief", "admin")', 'when amount <= 2 or caller.role in ("boss", "chief", "admin")'], []),
    (f"They are {APPROVE.format('')}, over [9|#] they [need|@action of=claim by=role:chief n=#9] a [chief|ROLE:chief].", (), ["by user", 'when amount <= 9 or caller.role in ("chief", "admin")'], []),
    (f"They are {APPROVE.format('')}, over [9|#] they [need|@action of=claim by=role:chief n=#9] a [chief|ROLE:chief].", ("write claim role:boss",), ["by role boss, chief", 'when amount <= 9 or caller.role in ("chief", "admin")'], []),
    (f"They are {APPROVE.format('')}, over [9|#] they [need|@action of=claim by=role:chief n=#9] a [chief|ROLE:chief].", ("access key",), [], ["approve", "need"]),
    (f"[Bosses|ROLE:boss] {APPROVE.format(' by=role:boss below=item.cost n=#9')} up to [9|#], [chiefs|ROLE:chief] {APPROVE.format(' by=role:chief')} any.", (), ['when sum(item.cost where claim = this) <= 9 or caller.role in ("chief", "admin")'], []),
    (f"[Bosses|ROLE:boss] {APPROVE.format(' by=role:boss below=claim.amount n=#9')} up to [9|#], [chiefs|ROLE:chief] {APPROVE.format(' by=role:chief below=claim.amount n=#9')} up to [9|#].", (), ["by role boss, chief", "when amount <= 9"], []),
    (f"[Bosses|ROLE:boss] {APPROVE.format(' by=role:boss below=claim.amount n=#9')} up to [9|#], [chiefs|ROLE:chief] {APPROVE.format(' by=role:chief over=item.cost n=#9')} over [9|#].", (), [], ["approve", "approve"]),
    # It depends on a state.
    (f"[Bosses|ROLE:boss] {APPROVE.format(' by=role:boss when=claim.paid when=claim.state:new')} them, [chiefs|ROLE:chief] {APPROVE.format(' by=role:chief when=claim.state:new')} any.", (), ['when state = "new"', 'when paid or caller.role in ("chief", "admin")'], []),
    (f"[Bosses|ROLE:boss] {APPROVE.format(' by=role:boss when=claim.paid')} paid ones, the [owner|ROLE:owner] {APPROVE.format(' by=role:owner')} any.", ("own-write claim",), ["by owner or role boss", "when paid or caller.role = \"admin\" or caller = owner"], []),
    # One step, spoken of in several places.
    (f"They are {APPROVE.format(' over=item.kind:trip n=#two')} with [two|#] trips, [and|@action of=claim below=item.kind:meal n=#one] at most [one|#] meal.", (), ['when count(item where claim = this and kind = "trip") >= 2', 'when count(item where claim = this and kind = "meal") <= 1'], []),
    (f"They are {APPROVE.format(' when=claim.paid')} when paid. They can be [approved|@action of=claim over=claim.amount n=#5] over [5|#].", (), ["action approve {", "when paid", "when amount > 5"], []),
    (f"They are {APPROVE.format(' n=#3 per=#day')} [3|#] times a [day|#], [only|@action of=claim when=claim.paid] when paid.", (), ["action approve {", "when paid", "limit approve 3 per day per address"], []),
    ("They are [shut|@action of=claim set=claim.state:shut] and [paid|@action of=claim set=claim.paid]; [never|@action of=claim set=claim.state:shut unless=claim.paid] when paid.", (), ["action pay {", "when not paid"], []),
    # Two figures, each with a number of its own.
    (f"They are {APPROVE.format(' over=item.kind:trip n=#two below=item.kind:meal n=#one')} with [two|#] trips and at most [one|#] meal.", (), ['when count(item where claim = this and kind = "trip") >= 2', 'when count(item where claim = this and kind = "meal") <= 1'], []),
    (f"They are {APPROVE.format(' below=item n=#9 over=claim.amount n=#5')} with at least [5|#], and no more than [9|#] items.", (), ["when amount >= 5", "when count(item where claim = this) <= 9"], []),
    (f"After a good look at them they are {APPROVE.format(' over=item.kind:trip n=#2 below=item.kind:meal n=#1')} with [1|#] [meal|item.kind =enum] and [2|#] [trip|item.kind =enum].", (), ['when count(item where claim = this and kind = "trip") >= 2', 'when count(item where claim = this and kind = "meal") <= 1'], []),
    (f"They are {APPROVE.format(' over=item.kind:trip n=#2 below=item.kind:meal n=#1')} with [1|#] and [2|#].", (), [], ["approve"]),
    (f"They are {APPROVE.format(' over=item n=#2 below=claim.amount n=#1')} with [1|#] or [2|#].", (), [], ["approve"]),
    (f"They are {APPROVE.format(' over=item n=#2 below=claim.amount n=#1')} with at most [1|#], no more than [2|#].", (), [], ["approve"]),
    # A word that stands for no step of its thing is one, and two outcomes are two steps.
    ("They [need|@action of=claim set=claim.paid] it.", (), ["action need {"], []),
    (f"They are {APPROVE.format('')}; [approved|@action of=claim set=claim.paid when=claim.state:fine] ones, too.", (), ["action approve_fine {", "action approve_paid {"], []),
]  # fmt: skip
STAFF = "[Employees|employee] ([name|employee.], [boss|employee. ->employee], [buddy|employee. ->employee], [desk|employee. ->desk]) sit at [desks|desk] ([number|desk.]). "
THEMSELVES: list[tuple[str, list[str], list[str]]] = [
    ("[Nobody|@above from=employee.boss to=employee] is their own.", ["check boss != this"], []),
    ("[Nobody|@above from=employee to=employee.buddy] is their own.", ["check buddy != this"], []),
    ("[Nobody|@above from=employee to=employee] is their own.", ["check boss != this"], []),
    ("They [differ|@above from=employee.boss to=employee.buddy].", ["check boss is empty or boss != buddy"], []),
    ("[Nobody|@above from=employee.desk to=employee] sits alone.", [], ["Nobody"]),
    ("[Nobody|@above from=employee.name to=employee] is called so.", [], ["Nobody"]),
    ("[Nobody|@above from=desk to=desk] is one.", [], ["Nobody"]),
    ("[Nobody|@at-least from=employee.boss to=employee] is one.", [], ["Nobody"]),
]  # fmt: skip


@pytest.mark.parametrize(("said", "facts", "lines", "over"), SAID)
def test_who_takes_a_step_and_when(said: str, facts: tuple[str, ...], lines: list[str], over: list[str]) -> None:
    found, left = built(CLAIM + said, OF_ITEM, *facts)
    assert [line for line in lines if (line.removeprefix("!") in found) is line.startswith("!")] == []
    assert left == over


#: Steps that look at whoever takes them, and a line of the field that they set.
KEPT: list[tuple[str, str]] = [
    ("[bought|@action of=claim by=role:boss unless=role:own] but not their [own|ROLE:own]", "bought: boolean default false read-only"),
    ("[paid|@action of=claim set=claim.paid by=role:boss unless=role:own] but not their [own|ROLE:own]", "paid: boolean read-only"),
    ("[paid|@action of=claim set=claim.paid by=role:boss] by the [boss|ROLE:boss]", "paid: boolean"),
    (f"{APPROVE.format(' by=role:boss unless=role:own')} but not their [own|ROLE:own]", "state: enum(new, fine, shut) default new"),
    (f"{APPROVE.format(' by=role:boss unless=role:own')} but not their [own|ROLE:own], [shut|@action of=claim set=claim.state:shut]", "state: enum(new, fine, shut) default new read-only"),
]


@pytest.mark.parametrize(("said", "line"), KEPT)
def test_what_such_a_step_sets_is_set_by_steps_alone_where_each_state_has_one(said: str, line: str) -> None:
    found, left = built(f"{CLAIM}There is a [boss|ROLE:boss]. They are {said}.", OF_ITEM)
    assert line in found and left == []


@pytest.mark.parametrize(("said", "lines", "over"), THEMSELVES)
def test_rows_are_not_their_own(said: str, lines: list[str], over: list[str]) -> None:
    found, left = built(STAFF + said)
    assert [line for line in lines if line not in found] == []
    assert left == over


@pytest.mark.workerd
@pytest.mark.parametrize("id", ["step-25", "step-26", "step-27", "step-28", "step-30", "step-31"])
def test_such_a_service_is_proven(id: str, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    report = proof(wanted()[id][0], tmp_path, toolchain, host)
    assert report.proven, report.summary()
    assert [f"{e.rule}: {e.detail}" for e in report.evidence if e.id in ("actions.does", "actions.guard", "rules.check") and e.outcome != "passed"] == []
