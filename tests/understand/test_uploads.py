"""Steps that are taken with a file: from marks to guards that it is there."""

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

DROP = "[Deliveries|delivery] of a [shop|shop] ([name|shop.], [logo|shop. image]) have an [address|delivery.], a [remark|delivery.], a [photo|delivery. image] and a [slip|delivery. file]; [stops|stop] of a [delivery|delivery] have a [scan|stop. file]. "
GUARD = "when photo is not empty"
#: What is said, lines that it comes to, and what is left over.
SAID: list[tuple[str, list[str], list[str]]] = [
    ("A courier [delivers|@action of=delivery set=delivery.photo] it with a photo", [GUARD, "set delivered = true"], []),
    ("Marked [delivered|delivery. bool] [with|@action of=delivery set=delivery.delivered set=delivery.photo by=role:courier] a photo by a [courier|ROLE:courier]", ["by role courier", GUARD, "set delivered = true"], []),
    ("[close|@action of=delivery set=delivery.photo set=delivery.slip set=delivery.remark] it with a photo, the slip and a remark", ["action close(remark: text required) {", f"{GUARD} and slip is not empty", "set remark = remark"], []),
    ("[deliver|@action of=delivery when=delivery.photo unless=delivery.slip] it once there is a photo, and no slip", [f"{GUARD} and slip is empty", "set delivered = true"], []),
    ("[ship|@job of=delivery set=delivery.slip] it with a slip", ["action ship later {", "when slip is not empty", "set shipped = true"], []),
    # Said twice is asked once.
    ("[deliver|@action of=delivery set=delivery.photo] it with a photo; [delivers|@action of=delivery set=delivery.photo] one", [GUARD], []),
    # What the upload does already, locks that would keep it out, and files of other rows.
    ("[changes|@action of=delivery set=delivery.photo] its photo", [], ["changes"]),
    ("[uploads|@action of=delivery set=delivery.photo] a photo", [], ["uploads"]),
    ("can be [edited|@action of=delivery when=delivery.photo] once it has a photo", [], ["edited"]),
    ("[deliver|@action of=delivery set=shop.logo] it with a logo", [], ["deliver"]),
    ("[deliver|@action of=delivery when=stop.scan] it when all stops have a scan", [], ["deliver"]),
    ("[deliver|@action of=delivery makes=stop set=stop.scan] it, which makes a stop with a scan", [], ["deliver"]),
]  # fmt: skip


@pytest.mark.parametrize(("said", "lines", "over"), SAID)
def test_a_file_that_is_given_with_a_step_is_there_before(said: str, lines: list[str], over: list[str]) -> None:
    found, left = built(DROP + said, "delivery > shop", "stop > delivery")
    assert [line for line in lines if line not in found] == []
    assert left == over
    assert any(line.startswith("action ") for line in found) is bool(lines)
    assert not any(line.startswith("change ") for line in found)


@pytest.mark.workerd
def test_a_service_with_such_steps_is_proven(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    said = (
        "Each [delivery|delivery] has an [address|delivery.] and a [photo|delivery. image] of up to [1|delivery.photo =max] MB. A [courier|ROLE:courier] [delivers|@action of=delivery set=delivery.photo by=role:courier] it with a photo. "
        "It can be [cancelled|@action of=delivery unless=delivery.photo] as long as there is none."
    )
    blueprint, left = compile_draft(gold_draft(record_of(said, "access login")))
    assert blueprint is not None
    assert left == []
    report = proof(format_blueprint(blueprint), tmp_path, toolchain, host)
    assert report.proven, report.summary()
    assert report.skipped == (), report.summary()
