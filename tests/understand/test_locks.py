"""Locks of which a text names people: from marks to lines, and to a proven service."""

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

ORDERS = "[Orders|order] have a [code|order.] and a [shipped|order. bool] mark. There are a [manager|ROLE:manager], an [admin|ROLE:admin], an [author|ROLE:author] and a [clerk|ROLE:clerk]. "
#: Who is not held up, and who alone changes rows.
AFTER, WHILE = "[change|@action of=order unless=order.shipped to=role:manager] it", "[edited or deleted|@action of=order unless=order.shipped by=role:manager]"
LOCK = "change when not shipped except role manager"
BOTH = ["change when not shipped", "delete when not shipped"]
#: What is said, facts, the lines on who writes and on locks, and what is left over.
SAID: list[tuple[str, tuple[str, ...], list[str], list[str]]] = [
    (AFTER, (), ["write user", LOCK], []),
    (AFTER, ("access login",), ["write user", LOCK], []),
    (AFTER, ("access none",), ["write user", LOCK], []),
    (AFTER, ("own-write order",), ["write owner or role manager", LOCK], []),
    (AFTER, ("own order",), ["write user", "write owner or role manager", LOCK], []),
    (AFTER, ("write order role:clerk",), ["write role clerk, manager", LOCK], []),
    (AFTER, ("write order public", "write order role:clerk"), ["write role clerk, manager", "create public", LOCK], []),
    ("[locked|@action of=order when=order.shipped to=role:admin to=role:manager]", ("own-write order",), ["write owner or role admin, manager", *(f"{verb} when not shipped except role admin, manager" for verb in ("change", "delete"))], []),
    ("[deleted|@action of=order unless=order.shipped to=role:admin]", (), ["write user", "delete when not shipped except role admin"], []),
    # Nobody is told apart by a key, nobody is held up, and nothing locks.
    (AFTER, ("access key",), ["write key"], ["change"]),
    (AFTER, ("write order role:manager",), ["write role manager"], ["change"]),
    ("[change|@action of=order to=role:manager] it", (), [], ["change"]),
    # Who alone changes rows, while they may be changed.
    (WHILE, (), ["write role manager", "create public", *BOTH], []),
    (WHILE, ("access login",), ["write user", "write role manager", "create user", *BOTH], []),
    (WHILE, ("access login-write",), ["write user", "write role manager", "create user", *BOTH], []),
    (WHILE, ("write order role:manager",), ["write role manager", *BOTH], []),
    (WHILE + " by it, a [clerk|ROLE:clerk] [adds|@action of=order by=role:clerk] it", (), ["write role manager", "create role clerk, manager", *BOTH], []),
    (WHILE.replace("role:manager", "role:author") + " by its author", ("own-write order",), ["write owner", *BOTH], []),
    (WHILE, ("own-write order",), ["write owner"], ["edited or deleted"]),
    (WHILE, ("write order role:clerk",), ["write role clerk"], ["edited or deleted"]),
    (WHILE, ("access key",), ["write key"], ["edited or deleted"]),
    ("[deleted|@action of=order unless=order.shipped by=role:manager]", (), ["delete role manager", "delete when not shipped"], []),
    ("[deleted|@action of=order unless=order.shipped by=role:manager]", ("own-write order",), ["write owner", "delete role manager", "delete when not shipped"], []),
    ("[deleted|@action of=order unless=order.shipped by=role:manager]", ("write order role:manager",), ["write role manager", "delete when not shipped"], []),
]  # fmt: skip


@pytest.mark.parametrize(("said", "facts", "lines", "over"), SAID)
def test_a_lock_lets_roles_through_or_leaves_rows_to_them(said: str, facts: tuple[str, ...], lines: list[str], over: list[str]) -> None:
    found, left = built(ORDERS + said, *facts)
    told = [line for line in found if line.startswith(("write ", "create ", "delete ", "change ")) and line != "write public"]
    assert sorted(told) == sorted(lines)
    assert left == over


@pytest.mark.workerd
@pytest.mark.parametrize("facts", [(), ("own-write order",), ("write order role:clerk",)])
def test_a_service_with_such_a_lock_is_proven(facts: tuple[str, ...], tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    blueprint, left = compile_draft(gold_draft(record_of(ORDERS + AFTER, *facts)))
    assert blueprint is not None
    assert left == []
    report = proof(format_blueprint(blueprint), tmp_path, toolchain, host)
    assert report.proven, report.summary()
    assert report.skipped == (), report.summary()
