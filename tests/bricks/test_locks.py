"""Locks: their lines, what is refused, and faults that the proof finds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clodo.blueprint import InvalidBlueprint, format_blueprint, parse
from clodo.bricks.registry import service_tree
from clodo.proof.host import Host
from clodo.toolchain import Toolchain
from tests.bricks.proving import Fault, checks_of, example_of, expect_caught, proof

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
    Fault("nothing is locked", FILE, "return change.after !== null && changed.length === 0 ?", "return change.id !== '' ?", "locks."),
    Fault("deletion passes as a change", FILE, 'return method === "DELETE" ? "delete" : "change";', 'return "change";', "locks.delete"),
    Fault("any row is locked", FILE, "AND NOT coalesce(${sql}, 0)", "AND coalesce(${sql}, 0) IN (0, 1)", "locks."),
    Fault("the state is locked too", INVOICE, '], ["status"])', "], [])", "rules.transitions|resources.type"),
    Fault("the whole row put in its place passes", FILE, '["PATCH", "PUT", "DELETE"]', '["PATCH", "DELETE"]', "locks.change"),
    Fault("changes pass", FILE, '["PATCH", "PUT", "DELETE"]', '["PUT", "DELETE"]', "locks.change"),
    Fault("a refusal is an error of the server", FILE, "if (lock !== undefined) throw", "if (lock === undefined) throw", "locks."),
    Fault("the role is held up, too", FILE, "!(lock.free !== undefined && allows(lock.free, caller))", "lock.detail !== ''", "locks.free"),
    Fault("nobody is held up", FILE, "allows(lock.free, caller)", "caller.user !== undefined", "locks."),
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


LINKED = """service desk
read user
write user

users {
  roles boss
}

entity task {
  title: text required
  done: boolean default false
  cover: image
  labels: <-> label
  related: <-> task
  change when not done except role boss "It is done."
}

entity label {
  name: text required
  delete when name != "all" "It stays."
}
"""


def test_the_document_tells_of_refused_links_on_both_sides() -> None:
    paths = json.loads(service_tree(parse(LINKED), LINKED)["openapi.json"])["paths"]
    for path in ("/api/tasks/{id}/labels/{other_id}", "/api/labels/{id}/tasks/{other_id}", "/api/tasks/{id}/relateds/{other_id}", "/api/tasks/{id}/cover"):
        assert all("409" in paths[path][method]["responses"] for method in ("put", "delete")), path


def test_the_side_that_does_not_declare_the_links_is_not_asked() -> None:
    locked = LINKED.replace('  delete when name != "all" "It stays."\n', '  change when name != "all" "It stays."\n').replace('  change when not done except role boss "It is done."\n', "")
    paths = json.loads(service_tree(parse(locked), locked)["openapi.json"])["paths"]
    assert "409" not in paths["/api/labels/{id}/tasks/{other_id}"]["put"]["responses"]
    assert "409" not in paths["/api/tasks/{id}/labels/{other_id}"]["put"]["responses"]


LINK_FAULTS = [
    Fault("links are not asked", FILE, 'linking: (c, linked) => refusing(c, linked, "change"),', "", "locks.links"),
    Fault("links are deleted, says the lock", FILE, 'refusing(c, linked, "change")', 'refusing(c, linked, "delete")', "locks.links"),
    Fault("the other side is not asked", "src/lib/links.ts", "...(await touch(c, to, other, toDecides))", "...(await touch(c, to, other, toDecides)).slice(9)", "locks.links"),
    Fault("this side is not asked", "src/lib/links.ts", "...(await touch(c, from, id, fromDecides))", "...(await touch(c, from, id, fromDecides)).slice(9)", "locks.links"),
    Fault("a refusal of links is an error of the server", "src/lib/links.ts", "refused(fromDecides ? from : to, error);", "", "locks.links"),
]  # fmt: skip


@pytest.mark.workerd
@pytest.mark.parametrize("fault", LINK_FAULTS, ids=lambda f: f.name)
def test_a_fault_of_links_is_found(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(LINKED, tmp_path / "s", toolchain, host, fault, checks=checks_of("locks"))


@pytest.mark.workerd
def test_locked_links_are_proven(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    report = proof(LINKED, tmp_path / "s", toolchain, host, types=True)
    assert report.proven, report.summary()
