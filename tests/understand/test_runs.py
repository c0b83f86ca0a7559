"""Steps that are taken at times, and how long ago something must have been: from marks to schedules, and to a proven service."""

from __future__ import annotations

from pathlib import Path

import pytest

from clodo.blueprint import format_blueprint
from clodo.corpus.gold import gold_draft
from clodo.proof.host import Host
from clodo.toolchain import Toolchain
from clodo.understand.compiler import compile_draft
from tests.bricks.proving import proof
from tests.understand.test_cues import built, record_of

ORDERS = (
    "[Orders|order] ([code|order.], [paid|order. bool], [due|order. date], [sent at|order. dt], [stock|order. int], [state|order. enum] [open|order.state =enum], [lost|order.state =enum], "
    "[cancelled|order.state =enum]) have [notes|note] ([text|note.]). "
)
CANCEL = "They are [cancelled|@action of=order set=order.state:cancelled plus=order.stock unless=order.state:lost]. "
#: What is said, the lines that it comes to, and what is left over.
SAID: list[tuple[str, list[str], list[str]]] = [
    # The step by its verb, whatever its form and wherever it is described.
    (CANCEL + "[Every|@every of=order unless=order.paid n=#cancels per=#night] [night|#] the service [cancels|#] them", ['every day at "03:00" {', 'run cancel on order where not paid and state != "cancelled"'], []),
    ("[Every|@every of=order unless=order.paid n=#cancelled per=#night] [night|#] they are [cancelled|#]. " + CANCEL, ['run cancel on order where not paid and state != "cancelled"'], []),
    (CANCEL + "[Hourly|@every of=order n=order.state:cancelled when=order.state:open] the open ones are cancelled", ["every hour {", 'run cancel on order where state = "open" and state != "cancelled"'], []),
    ("They are [archived|@action of=order]. [Every|@every of=order n=#archived per=#night] [night|#] they are [archived|#]", ["run archive on order where not archived"], []),
    ("It is [lost or reopened|@action of=order set=order.state:lost unset=order.paid]. [Every|@every of=order n=#lost or reopened per=#night] [night|#] they are [lost or reopened|#]", ['run lose_or_reopened on order where state != "lost" and paid'], []),
    # A step that leaves nothing behind by which it is known is taken with every row.
    ("They are [stamped|@action of=order to=order.due]. [Every|@every of=order n=#stamped per=#night] [night|#] they are [stamped|#]", ["run stamp on order where true"], []),
    ("They are [indexed|@job of=order set=order.paid]. [Every|@every of=order n=#indexed per=#night] [night|#] they are [indexed|#]", ["action index later {", "run index on order where not paid"], []),
    # Of two steps of one verb the outcome tells which one is meant.
    ("[mark|@action of=order set=order.state:lost] it, [mark|@action of=order set=order.paid] it. [Every|@every of=order n=#marked set=order.paid per=#night] [night|#] they are [marked|#]", ["run mark_paid on order where not paid"], []),
    # So long ago.
    (CANCEL + "[Every|@every of=order n=#three n=#cancelled per=#night per=#days unless=order.paid] [night|#] those unpaid for [three|#] [days|#] are [cancelled|#]", ['every day at "03:00" {', 'run cancel on order where not paid and created_at < now - days(3) and state != "cancelled"'], []),
    ("[Every|@every of=order set=order.state:lost from=order.due n=#36 per=#hours per=#6 am] [6 am|#], those [36|#] [hours|#] over due are lost", ['every day at "06:00" {', 'update order set state = "lost" where due < today - days(2) and state != "lost"'], []),
    ("[Every|@every of=order set=order.state:lost from=order.sent_at n=#2 per=#weeks per=#15 minutes] [15 minutes|#], those sent [2|#] [weeks|#] ago are lost", ["every 15 minutes {", 'update order set state = "lost" where sent_at < now - weeks(2) and state != "lost"'], []),
    (CANCEL + "[Every|@every of=order n=#cancelled n=#2 per=#night per=#fortnights] [night|#] those [2|#] [fortnights|#] old are [cancelled|#]", ['run cancel on order where created_at < now - weeks(4) and state != "cancelled"'], []),
    # Right behind its own words, a length of time is how often it is done.
    ("[Every|@every of=order set=order.state:lost from=order.due n=#15 per=#minutes] [15|#] [minutes|#] those over due are lost", ["every 15 minutes {", 'update order set state = "lost" where due < today and state != "lost"'], []),
    # What stays open: no such step, two of them, one of other rows, one that wants something, one whose rows belong to whoever calls.
    (CANCEL + "[Every|@every of=order n=#closed per=#night] [night|#] they are [closed|#]", [], ["Every"]),
    ("[mark|@action of=order set=order.state:lost] it, [mark|@action of=order set=order.paid] it. [Every|@every of=order n=#marked per=#night] [night|#] they are [marked|#]", [], ["Every"]),
    (CANCEL + "[Every|@every of=note n=#cancelled per=#night] [night|#] notes are [cancelled|#]", [], ["Every"]),
    (CANCEL + "[Every|@every of=order set=order.paid n=#cancelled per=#night] [night|#] they are [cancelled|#]", [], ["Every"]),
    ("They are [moved|@action of=order set=order.due]. [Every|@every of=order n=#moved per=#night] [night|#] they are [moved|#]", [], ["Every"]),
    ("[Every|@every of=order set=order.state:lost from=order.code n=#2 per=#days per=#night] [night|#], those [2|#] [days|#] old are lost", [], ["Every"]),
]  # fmt: skip


@pytest.mark.parametrize(("said", "lines", "over"), SAID)
def test_a_schedule_runs_the_step_that_the_text_names(said: str, lines: list[str], over: list[str]) -> None:
    found, left = built(ORDERS + said, "note > order")
    assert [line for line in lines if line not in found] == []
    assert left == over
    assert any(line.startswith("every ") for line in found) is bool(lines)


def test_a_step_that_makes_rows_of_whoever_calls_is_not_run() -> None:
    said = "They are [noted|@action of=order makes=note]. [Every|@every of=order n=#noted per=#night] [night|#] they are [noted|#]"
    assert "run note on order where true" in built(ORDERS + said, "note > order")[0]
    assert built(ORDERS + said, "note > order", "own note")[1] == ["Every"]


@pytest.mark.workerd
def test_a_service_with_such_a_schedule_is_proven(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    said = ORDERS + CANCEL.replace("unless=order.state:lost", "when=order.state:open") + "[Every|@every of=order unless=order.paid from=order.due n=#three n=#cancelled per=#night per=#days] [night|#] those [three|#] [days|#] over due are [cancelled|#]."
    blueprint, left = compile_draft(gold_draft(record_of(said, "note > order")))
    assert blueprint is not None
    assert left == []
    report = proof(format_blueprint(blueprint), tmp_path, toolchain, host)
    assert report.proven, report.summary()
    assert report.skipped == (), report.summary()
