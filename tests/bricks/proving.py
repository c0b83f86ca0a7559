"""What tests of bricks share: a service from a blueprint, perhaps with a planted fault, and its proof."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from clodo.blueprint import parse
from clodo.bricks.registry import service_checks, service_secrets, service_tree
from clodo.emit.tree import write_tree
from clodo.proof.host import Host
from clodo.proof.report import Report
from clodo.proof.verify import verify
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


def proof(source: str, folder: Path, toolchain: Toolchain, host: Host, fault: Fault | None = None, *, types: bool = False) -> Report:
    """The proof of a service."""
    return verify(made(source, folder, fault), service_checks, toolchain, host, types=types)


def expect_caught(source: str, folder: Path, toolchain: Toolchain, host: Host, fault: Fault) -> None:
    """Fails unless the proof finds the fault, for what it is."""
    failed = [e.id for e in proof(source, folder, toolchain, host, fault).failures]
    wanted = tuple(fault.caught_by.split("|"))
    assert any(id.startswith(wanted) for id in failed), f"failed: {failed}"
