"""Steps that are taken with a file, and uploads that are no steps: from marks to guards that it is there, and to what is told of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from clodo.blueprint import format_blueprint
from clodo.corpus.gold import gold_draft
from clodo.proof.host import Host
from clodo.toolchain import Toolchain
from clodo.understand.compiler import compile_draft
from clodo.understand.questions import notes_on
from clodo.understand.standing import standing
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
    # What the upload does already: no step, and understood.
    ("[changes|@action of=delivery set=delivery.photo] its photo", [], []),
    ("[uploads|@action of=delivery set=delivery.photo set=delivery.slip by=role:driver] a photo and a slip, the [driver|ROLE:driver]", [], []),
    ("[attaches|@action of=delivery set=delivery.slip] a slip", [], []),
    # Uploads of which more is said than there is, locks that would keep them out, and files of other rows.
    ("[uploads|@action of=delivery set=delivery.photo when=delivery.slip] a photo", [], ["uploads"]),
    ("[uploads|@job of=delivery set=delivery.photo] a photo", [], ["uploads"]),
    ("[uploads|@action of=delivery set=shop.logo] a logo", [], ["uploads"]),
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


UPLOADED = "[Deliveries|delivery] have an [address|delivery.] and a [signed slip|delivery. file]. The [driver|ROLE:{0}] [uploads|@action of=delivery set=delivery.signed_slip by=role:{0}] it. "
OTHERS = "Whoever may change a delivery uploads its signed slip, not “driver” alone: files have no rights of their own."
SHUT_OUT = "Whoever may change a delivery uploads its signed slip: files have no rights of their own, and “driver” may not change it."
#: The role, facts, and the note that is told.
TOLD: list[tuple[str, tuple[str, ...], str]] = [
    ("driver", (), OTHERS),
    ("driver", ("access login",), OTHERS),
    ("driver", ("write delivery role:driver", "write delivery role:boss"), OTHERS),
    ("driver", ("own-write delivery", "write delivery role:driver"), OTHERS),
    ("driver", ("write delivery role:boss",), SHUT_OUT),
    ("driver", ("own-write delivery",), SHUT_OUT),
    ("driver", ("access key",), SHUT_OUT),
    ("driver", ("write delivery role:driver",), ""),
    ("user", ("access login",), ""),
    ("sender", ("own-write delivery",), ""),
]  # fmt: skip


@pytest.mark.parametrize(("role", "facts", "note"), TOLD)
def test_who_else_uploads_a_file_is_told(role: str, facts: tuple[str, ...], note: str) -> None:
    said = UPLOADED.format(role) + "There are [bosses|ROLE:boss]."
    draft = gold_draft(record_of(said, *facts))
    blueprint, left = compile_draft(draft)
    notes = [one for one in notes_on(draft, blueprint, standing(draft, blueprint, left)) if "uploads" in one]
    assert notes == ([note] if note else [])


def test_a_file_that_anybody_uploads_and_one_that_is_not_there_are_told_nothing_of() -> None:
    for said in (UPLOADED.replace(" by=role:{0}", "").format("driver"), UPLOADED.format("driver").replace("signed slip|delivery. file", "signed slip|delivery. int")):
        draft = gold_draft(record_of(said))
        blueprint, left = compile_draft(draft)
        assert not any("uploads" in one for one in notes_on(draft, blueprint, standing(draft, blueprint, left)))


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
