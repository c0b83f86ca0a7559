"""What tests of bricks share: a service from a blueprint, perhaps with a planted fault, and its proof."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

import pytest

from clodo.blueprint import parse
from clodo.blueprint.plan import Plan
from clodo.bricks.registry import service_checks, service_secrets, service_tree
from clodo.emit.tree import write_tree
from clodo.proof.check import Check
from clodo.proof.host import Host
from clodo.proof.report import Report
from clodo.proof.session import Session, TooFewValues
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


def checks_of(brick: str) -> Checks:
    """The checks of one brick; those of others would only take time."""
    return lambda plan: [check for check in service_checks(plan) if check.id.startswith(f"{brick}.")]


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


#: Where checks wait for what does not come.
_WAITS = ("bricks.room.sockets", "bricks.live.checks", "bricks.webhooks.receiver", "bricks.sender.checks", "bricks.jobs.outcome", "bricks.jobs.holding")
_IMPATIENT_SECONDS = 5


@contextmanager
def impatient() -> Iterator[None]:
    """Meanwhile checks wait five seconds for what a planted fault keeps from coming; a proof gives a slow machine more."""
    with pytest.MonkeyPatch.context() as patch:
        for name in _WAITS:
            module = import_module(f"clodo.{name}")
            patch.setattr(module, "_PUSH_SECONDS" if hasattr(module, "_PUSH_SECONDS") else "_SECONDS", _IMPATIENT_SECONDS)
        yield


def _ending(checks: Iterable[Check], wanted: tuple[str, ...]) -> list[Check]:
    """The same checks, of which the first of the wanted ones that finds something ends the other wanted ones: they are left out."""
    found = asyncio.Event()

    def ending(check: Check) -> Check:
        async def run(s: Session) -> None:
            other = asyncio.create_task(found.wait())
            this = asyncio.create_task(check.run(s))
            try:
                await asyncio.wait((this, other), return_when=asyncio.FIRST_COMPLETED)
                if not this.done():
                    raise TooFewValues("another check has found it")
                await this
            except (TooFewValues, TimeoutError):
                # What did not end has found nothing.
                raise
            except Exception:
                found.set()
                raise
            finally:
                other.cancel()
                this.cancel()
                await asyncio.gather(this, other, return_exceptions=True)

        return replace(check, run=run)

    return [ending(check) if check.id.startswith(wanted) else check for check in checks]


def seen(folder: Path, toolchain: Toolchain, host: Host, caught_by: str, checks: Checks) -> list[str]:
    """The checks of a service in a folder that failed for what they saw, until one is found whose id starts with one of ``caught_by``. One
    that did not end may have waited for what the others would have done."""
    wanted = tuple(caught_by.split("|"))
    with impatient():
        report = verify(folder, lambda plan: _ending(checks(plan), wanted), toolchain, host, types=False)
    return [e.id for e in report.failures if "did not end in" not in e.detail]


def expect_caught(
    source: str, folder: Path, toolchain: Toolchain, host: Host, fault: Fault, *, checks: Checks = service_checks
) -> None:
    """Fails unless the proof, or the ``checks`` of it, find the fault, for what it is."""
    expect_found(made(source, folder, fault), toolchain, host, fault.caught_by, checks)


def expect_found(folder: Path, toolchain: Toolchain, host: Host, caught_by: str, checks: Checks = service_checks) -> None:
    """Fails unless ``checks`` find what is wrong with the service in a folder: one of those whose ids start with one of ``caught_by``."""
    wanted = tuple(caught_by.split("|"))

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

    failed = seen(folder, toolchain, host, caught_by, asked)
    if not any(id.startswith(wanted) for id in failed):
        # Some checks look at what the others have done.
        failed = seen(folder, toolchain, host, caught_by, checks)
    assert any(id.startswith(wanted) for id in failed), f"failed: {failed}"
