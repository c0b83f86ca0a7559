"""Locks: their lines, what is refused, and faults that the proof finds."""

from __future__ import annotations

from pathlib import Path

import pytest

from clodo.blueprint import InvalidBlueprint, format_blueprint, parse
from clodo.proof.host import Host
from clodo.toolchain import Toolchain
from tests.bricks.proving import Fault, example_of, expect_caught

FILE = "src/lib/locks.ts"
INVOICE = "src/entities/invoice.ts"


def test_the_lines_are_kept_and_are_no_names_lost() -> None:
    source = "service s\n\nentity thing {\n  change: text\n  delete: text\n  when: date\n  change when change != \"x\" \"No.\"\n  delete when when < today\n}\n"
    assert format_blueprint(parse(source)) == source


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("change when colour = 1", "colour"),
        ("change when name", "condition"),
        (f"change when name = \"a\" \"{'x' * 201}\"", "one short line"),
    ],
)
def test_a_lock_that_cannot_be_is_told(lines: str, words: str) -> None:
    with pytest.raises(InvalidBlueprint, match=words):
        parse(f"service s\nentity thing {{\n  name: text\n  {lines}\n}}\n")


WRITERS = "service s\n\nusers {{\n  roles boss, clerk\n}}\n\nentity thing {{\n  name: text\n  except: text\n  write {}\n  {} when name != \"x\" except role {} \"No.\"\n}}\n"


def test_roles_that_a_lock_does_not_hold_up_are_kept() -> None:
    for write, verb, roles in (("user", "change", "boss"), ("owner or role boss, clerk", "delete", "boss, clerk"), ("role boss, clerk", "change", "boss"), ("owner or role boss", "change", "admin"), ("public", "change", "admin")):
        source = WRITERS.format(write, verb, roles)
        assert format_blueprint(parse(source)) == source


@pytest.mark.parametrize(
    ("write", "roles", "words"),
    [
        ("user", "clrek", "No role 'clrek'"),
        ("owner", "boss", "may not change it"),
        ("owner", "admin", "may not change it"),
        ("role clerk", "boss", "may not change it"),
        ("key", "boss", "may not change it"),
        ("role boss", "boss", "holds up nobody"),
    ],
)
def test_roles_that_cannot_be_free_of_a_lock_are_told(write: str, roles: str, words: str) -> None:
    with pytest.raises(InvalidBlueprint, match=words):
        parse(WRITERS.format(write, "change", roles))


FAULTS = [
    Fault("nothing is locked", FILE, "if (change.after !== null && changed.length === 0) return [];", "if (change.id !== '') return [];", "locks."),
    Fault("deletion passes as a change", FILE, 'return method === "DELETE" ? "delete" : "change";', 'return "change";', "locks.delete"),
    Fault("any row is locked", FILE, "AND NOT coalesce(${sql}, 0)", "AND coalesce(${sql}, 0) IN (0, 1)", "locks."),
    Fault("the state is locked too", INVOICE, '], ["status"])', "], [])", "rules.transitions|resources.type"),
    Fault("the whole row put in its place passes", FILE, '["PATCH", "PUT", "DELETE"]', '["PATCH", "DELETE"]', "locks.change"),
    Fault("changes pass", FILE, '["PATCH", "PUT", "DELETE"]', '["PUT", "DELETE"]', "locks.change"),
    Fault("a refusal is an error of the server", FILE, "if (lock !== undefined) throw", "if (lock === undefined) throw", "locks."),
    Fault("the role is held up, too", FILE, "!(lock.free !== undefined && allows(lock.free, change.caller))", "lock.detail !== ''", "locks.free"),
    Fault("nobody is held up", FILE, "allows(lock.free, change.caller)", "change.caller.user !== undefined", "locks."),
    Fault("another role is not held up", "src/entities/order.ts", '["manager"]', '["user"]', "locks."),
    Fault("what is changed is taken for what is there", FILE, "IS NOT (${values})", "IS (${values})", "locks.change"),
    Fault("other words", INVOICE, "Only a draft can be changed.", "No.", "locks.change"),
    Fault("another state", INVOICE, "'draft'", "'sent'", "locks.change"),
    Fault("the condition of deleting is lost", INVOICE, "'paid'", "'nothing'", "locks.delete"),
]  # fmt: skip


@pytest.mark.workerd
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
def test_a_fault_is_found(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(example_of("locks"), tmp_path / "s", toolchain, host, fault)
