"""How often something may be done: from marks to lines."""

from __future__ import annotations

from pathlib import Path

import pytest
from evals.edge_agreement import MODEL

from clodo.corpus.format import Record
from clodo.proof.host import Host
from clodo.toolchain import Toolchain
from clodo.training.ceiling import differences
from clodo.understand.rates import writes_of
from clodo.understand.reading import load_tokenizer
from tests.bricks.proving import proof
from tests.understand.services import LIMIT_RECORDS, expect_blueprint, wanted
from tests.understand.test_cues import built

TASK = "[Tasks|task] ([title|task.], [done|task. bool], [points|task. int], [due|task. dt], [state|task. enum] [open|task.state =enum], [shut|task.state =enum]) of a [team|team] ([name|team.]). "
#: What is said, further facts, lines that it comes to, and what is left over.
SAID: list[tuple[str, tuple[str, ...], list[str], list[str]]] = [
    # Steps, counted by whoever may take them.
    ("[shut|@action of=task n=#3 per=#hour] it [3|#] times an [hour|#]", (), ['set state = "shut"', "limit shut 3 per hour per address"], []),
    ("[shut|@action of=task n=#3 per=#hour] it [3|#] times an [hour|#]", ("access key",), ["limit shut 3 per hour per key"], []),
    ("[shut|@action of=task n=#3 per=#hour] it [3|#] times an [hour|#]", ("own task",), ["limit shut 3 per hour per user"], []),
    ("[shut|@action of=task by=role:boss n=#3 per=#second] it [3|#] times a [second|#], [boss|ROLE:boss]", (), ["limit shut 180 per minute per user"], []),
    ("[tick|@action of=task set=task.done when=team n=#5 per=#day] [5|#] a [day|#] it", (), ["when team is not empty", "set done = true", "limit tick 5 per day per address"], []),
    ("[score|@action of=task plus=task.points n=#2 n=#9 per=#day] it by [2|#], at most [9|#] times per [day|#]", (), ["set points = points + 2", "limit score 9 per day per address"], []),
    # The number next to the time is the one, wherever it stands.
    ("per [day|#] [9|#] times, [score|@action of=task plus=task.points n=#9 n=#2 per=#day] by [2|#]", (), ["set points = points + 2", "limit score 9 per day per address"], []),
    # Rows that are changed or deleted.
    ("[edited or deleted|@action of=task n=#3 per=#hour] [3|#] times an [hour|#]", (), ["limit update, delete 3 per hour per address"], []),
    ("[deleted|@action of=task n=#3 per=#hour when=task.done] [3|#] times an [hour|#]", (), ["limit delete 3 per hour per address", "delete when done"], []),
    ("[deletes|@action of=task by=role:boss n=#3 per=#hour] it [3|#] times an [hour|#], the [boss|ROLE:boss]", ("access login",), ["delete role boss", "limit delete 3 per hour per user"], []),
    ("[updates or removals|@limit-user of=task of=team n=#3 per=#hour]: [3|#] an [hour|#]", (), ["limit update, delete 3 per hour per user on task, team"], []),
    # One count of several things, or of all; of each by itself.
    ("[writes|@limit-user n=#3 per=#hour]: [3|#] an [hour|#]", (), ["limit writes 3 per hour per user"], []),
    ("[writes|@limit-user of=team of=task n=#3 per=#hour]: [3|#] an [hour|#]", ("own task",), ["limit writes 3 per hour per user on task, team"], []),
    ("[deletes|@limit-key of=team of=task n=#3 per=#second]: [3|#] a [second|#]", (), ["limit delete 180 per minute per key on task, team"], []),
    ("[writes|@limit-address n=#3 per=#hour]: [3|#] an [hour|#], [edits|@limit-address of=task n=#9 per=#hour]: [9|#]", (), ["limit writes 3 per hour per address", "limit update 9 per hour per address"], []),
    ("[max|@limit-user of=task of=team n=#3 per=#hour]: [3|#] an [hour|#]", (), ["limit create 3 per hour per user"] * 2, []),
    ("[writes|@limit-user n=#3 per=#hour]: [3|#] an [hour|#]; [edits|@limit-user of=task of=team n=#9 per=#hour]: [9|#]", (), ["limit writes 3 per hour per user"], ["edits"]),
    ("[writes|@limit-key n=#3 per=#hour]: [3|#] an [hour|#]", ("access login",), [], ["writes"]),
    ("[writes|@limit-user n=#3 per=#hour]: [3|#] an [hour|#]", ("access key",), [], ["writes"]),
    ("[max|@limit-user of=task n=#3 per=#hour]: [3|#] an [hour|#]", (), ["limit create 3 per hour per user"], []),
    # What stays open, or is no such limit.
    ("[shut|@action of=task n=#3 per=#month] it [3|#] times a [month|#]", (), [], ["shut"]),
    ("[shut|@action of=task n=#3 per=#hours] it [3|#] [hours|#] before", (), [], ["shut"]),
    ("[shut|@action of=task n=#3 per=#hour] it at least [3|#] times an [hour|#]", (), [], ["shut"]),
    ("[update|@action of=task set=task.done n=#3 per=#hour] it [3|#] times an [hour|#]", (), [], ["update"]),
    ("[locked|@action of=task n=#3 per=#hour when=task.done] [3|#] an [hour|#]", (), ["change when not done", "delete when not done"], []),
    ("[shut|@action of=task from=task.due n=#3 per=#hours] it [3|#] [hours|#] before", (), ["when now < due - hours(3)"], []),
    ("[shut|@action of=task n=#3 per=#hour] it [3|#] times an [hour|#], [delete|@action of=task n=#9 per=#hour] it [9|#] times", (), ["limit shut 3 per hour per address", "limit delete 9 per hour per address"], []),
    ("[edits|@limit-address of=task n=#3 per=#hour]: [3|#] an [hour|#]; [writes|@limit-address of=task n=#9 per=#hour]: [9|#]", (), ["limit update 3 per hour per address"], ["writes"]),
    ("[edits|@limit-key of=task n=#3 per=#hour]: [3|#] an [hour|#]", ("access login",), [], ["edits"]),
]  # fmt: skip


@pytest.mark.parametrize("record", LIMIT_RECORDS, ids=lambda r: r.id)
def test_a_record_comes_to_its_blueprint(record: Record) -> None:
    expect_blueprint(record)


@pytest.mark.parametrize(("said", "facts", "lines", "over"), SAID)
def test_how_often_something_may_be_done(said: str, facts: tuple[str, ...], lines: list[str], over: list[str]) -> None:
    found, left = built(TASK + said, "task > team", *facts)
    assert [line for line in lines if line not in found] == []
    assert left == over
    assert sum(line.startswith("limit ") for line in found) == sum(line.startswith("limit ") for line in lines)


def test_what_is_done_with_rows_is_told_by_its_word() -> None:
    assert [writes_of(words) for words in ("edits", "deleted", "changes or deletes", "Writes", "at most", "per user", "uneditable", "cancel")] == [
        ("update",), ("delete",), ("update", "delete"), ("writes",), (), (), (), ()
    ]  # fmt: skip


def test_rates_are_decoded_as_they_are_marked() -> None:
    assert differences(LIMIT_RECORDS, load_tokenizer(MODEL)) == {}


@pytest.mark.workerd
def test_a_service_with_limits_on_steps_is_proven(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    report = proof(wanted()["rate-02"][0], tmp_path, toolchain, host)
    assert report.proven, report.summary()
