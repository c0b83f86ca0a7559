"""Services whose unique fields have few values are proven all the same, and faults in them are found."""

from __future__ import annotations

from pathlib import Path

import pytest

from clodo.blueprint import parse
from clodo.blueprint.plan import make_plan
from clodo.bricks.registry import service_checks, service_secrets, service_tree
from clodo.emit.tree import write_tree
from clodo.proof.host import Host
from clodo.proof.report import Report
from clodo.proof.scarcity import scarce_entities
from clodo.proof.verify import verify
from clodo.toolchain import Toolchain

SOURCE = """service hall

entity seat {
  number: integer required unique min 1 max 12
  side: enum(left, right) unique
}

entity ticket {
  holder: text
  seat: -> seat required
}
"""


def proof(folder: Path, toolchain: Toolchain, host: Host, *change: str) -> Report:
    blueprint = parse(SOURCE)
    tree = service_tree(blueprint, SOURCE)
    if change:
        file, old, new = change
        assert old in tree[file]
        tree[file] = tree[file].replace(old, new)
    write_tree(tree, folder / "s", service_secrets(blueprint))
    return verify(folder / "s", service_checks, toolchain, host, types=False)


def test_only_entities_with_few_unique_values_are_scarce() -> None:
    assert scarce_entities(make_plan(parse(SOURCE))) == {"seat"}
    assert not scarce_entities(make_plan(parse(SOURCE.replace(" unique", ""))))


@pytest.mark.workerd
def test_it_is_proven_and_tells_what_could_not_be_looked_at(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    report = proof(tmp_path, toolchain, host)
    assert report.proven, report.summary()
    assert len(report.skipped) < len(report.evidence) / 4
    assert all("too few values" in e.detail for e in report.skipped)


@pytest.mark.workerd
def test_a_fault_is_still_found(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    old = 'CREATE UNIQUE INDEX "seat__number__unique"'
    report = proof(tmp_path, toolchain, host, "migrations/0001_init.sql", old, old.replace(" UNIQUE", ""))
    assert "resources.unique" in {e.id for e in report.failures}
