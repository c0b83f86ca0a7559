"""What tests of bricks share: a service from a blueprint, perhaps with a planted fault, and its proof."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from clodo.blueprint import parse
from clodo.blueprint.plan import Plan
from clodo.bricks.registry import service_checks, service_secrets, service_tree
from clodo.emit.tree import write_tree
from clodo.proof.check import Check
from clodo.proof.host import Host
from clodo.proof.report import Report
from clodo.proof.verify import Checks, verify
from clodo.toolchain import Toolchain

BRICKS = Path(__file__).parents[2] / "src" / "clodo" / "bricks"


@dataclass(frozen=True)
class Fault:
    """``old`` becomes ``new`` in ``file``; a check whose id starts with ``caught_by`` must fail."""

    name: str
    file: str
    old: str
    new: str
    caught_by: str


def example_of(brick: str) -> str:
    """The example of a brick's folder."""
    return (BRICKS / brick / "example.clodo").read_text("utf-8")


def made(source: str, folder: Path, fault: Fault | None = None) -> Path:
    """The folder of a service."""
    blueprint = parse(source)
    tree = service_tree(blueprint, source)
    if fault is not None:
        assert fault.old in tree[fault.file], "the fault no longer applies"
        tree[fault.file] = tree[fault.file].replace(fault.old, fault.new)
    write_tree(tree, folder, service_secrets(blueprint))
    return folder


def proof(
    source: str,
    folder: Path,
    toolchain: Toolchain,
    host: Host,
    fault: Fault | None = None,
    *,
    types: bool = False,
    checks: Checks = service_checks,
) -> Report:
    """The proof of a service, or of what some ``checks`` find in it."""
    return verify(made(source, folder, fault), checks, toolchain, host, types=types)


def _seen(report: Report) -> list[str]:
    """The checks that failed for what they saw. One that did not end may have waited for what the others would have done."""
    return [e.id for e in report.failures if "did not end in" not in e.detail]


def expect_caught(
    source: str, folder: Path, toolchain: Toolchain, host: Host, fault: Fault, *, checks: Checks = service_checks
) -> None:
    """Fails unless the proof, or the ``checks`` of it, find the fault, for what it is."""
    wanted = tuple(fault.caught_by.split("|"))

    def asked(plan: Plan) -> Iterator[Check]:
        # The others would only cost time: what they find is not what the fault is to be caught by. What holds of every
        # answer (core) needs them all; what checks need beside them, they need still.
        every = list(checks(plan))
        kept = every if any(w.startswith("core") for w in wanted) else [c for c in every if c.id.startswith(wanted)]
        for other in every:
            if kept and other not in kept and (other.beside or other.bound or other.variables or other.prepare):
                first = kept[0]
                kept[0] = replace(
                    first,
                    beside=first.beside or other.beside,
                    bound={**other.bound, **first.bound},
                    variables={**other.variables, **first.variables},
                    prepare=first.prepare or other.prepare,
                )
        return iter(kept)

    failed = _seen(proof(source, folder, toolchain, host, fault, checks=asked))
    if not any(id.startswith(wanted) for id in failed):
        # Some checks look at what the others have done.
        whole = folder.with_name(f"{folder.name}-whole")
        failed = _seen(proof(source, whole, toolchain, host, fault, checks=checks))
    assert any(id.startswith(wanted) for id in failed), f"failed: {failed}"
