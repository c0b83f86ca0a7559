"""Services on disk: built beside their place, proven there, and moved in when they hold."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from clodo.blueprint import Blueprint
from clodo.bricks import service_checks, service_secrets, service_tree
from clodo.emit.tree import FileTree, stage
from clodo.errors import ProofError, WorkspaceError
from clodo.proof.report import Report
from clodo.proof.verify import verify
from clodo.toolchain import Progress, ensure


@dataclass(frozen=True)
class Built:
    """A service that stands in its folder; ``report`` is its proof where one was asked for."""

    directory: Path
    files: int
    report: Report | None
    timings_ms: dict[str, float]


class Unproven(ProofError):
    """The service was built and some check failed, so it was not put in its place."""

    code = "unproven"

    def __init__(self, report: Report) -> None:
        first = report.failures[0]
        super().__init__(
            f"{len(report.failures)} of {len(report.evidence)} checks failed, so nothing was written. "
            f"First: {first.rule}: {first.detail[:300]}",
            hint="This is a fault of Clodo's; the blueprint is fine. Please report it.",
        )
        self.report = report


def free_directory(directory: Path, *, force: bool) -> None:
    """Makes sure that a service may be put there.

    Raises:
        WorkspaceError: something is there already and ``force`` was not given, or it is no folder.
    """
    if directory.exists() and not directory.is_dir():
        raise WorkspaceError(f"{str(directory)!r} is a file.", hint="Choose another folder with -o.")
    if directory.is_dir() and any(directory.iterdir()) and not force:
        raise WorkspaceError(
            f"{str(directory)!r} is not empty, and it is left as it is.",
            hint="Choose another folder with -o, or replace it with --force.",
        )


def put_service(
    blueprint: Blueprint,
    source: str,
    directory: Path,
    *,
    prove: bool,
    force: bool = False,
    progress: Progress = lambda _: None,
) -> Built:
    """Builds a service, proves it where asked, and only then puts it in ``directory``.

    Raises:
        WorkspaceError: the folder is taken or cannot be written.
        Unproven: a check failed. The folder is as it was.
    """
    free_directory(directory, force=force)
    started = time.perf_counter()
    tree: FileTree = service_tree(blueprint, source)
    staging = stage(tree, directory.resolve().parent, service_secrets(blueprint))
    build_ms = (time.perf_counter() - started) * 1000
    try:
        report = None
        if prove:
            toolchain = ensure(progress)
            progress("Proving it in workerd …")
            report = verify(staging, service_checks, toolchain)
            if not report.proven:
                raise Unproven(report)
        _move(staging, directory)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    timings = {"build": build_ms, "verify": report.timings_ms["total"] if report else 0.0}
    return Built(directory, len(tree), report, timings)


def _move(staging: Path, directory: Path) -> None:
    """Puts the staged folder in place; what was there is kept until the new one stands."""
    old = None
    try:
        if directory.is_dir():
            old = staging.with_name(f"{staging.name}.old")
            directory.rename(old)
        staging.rename(directory)
    except OSError as error:
        if old is not None and not directory.exists():
            old.rename(directory)
        raise WorkspaceError(
            f"{str(directory)!r} cannot be written: {error.strerror}.",
            hint="Choose another folder with -o.",
        ) from None
    if old is not None:
        shutil.rmtree(old, ignore_errors=True)
