"""Services on disk: built beside their place, proven there, and moved in when they hold."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from clodo.app.folders import (
    bring_own,
    free_directory,
    has_old_data,
    put_in_place,
    real_folder,
    without_own,
)
from clodo.blueprint import Blueprint
from clodo.bricks.registry import service_checks, service_secrets, service_tree
from clodo.emit.tree import OWN, FileTree, stage
from clodo.errors import ProofError
from clodo.proof.report import Evidence, Report
from clodo.proof.verify import verify
from clodo.toolchain import Progress, ensure

_FAILURES_SHOWN = 5


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
        super().__init__(
            f"{len(report.failures)} of {len(report.evidence)} checks failed, so nothing was written.",
            hint="This is a fault of Clodo's; the blueprint is fine. Please report it, with what --json tells.",
        )
        self.report = report

    @property
    def details(self) -> tuple[str, ...]:
        failures = self.report.failures
        shown = tuple(map(_told, failures[:_FAILURES_SHOWN]))
        rest = len(failures) - len(shown)
        return (*shown, f"… and {rest} more") if rest else shown

    def to_json(self) -> dict[str, object]:
        return {**super().to_json(), "failures": [e.to_json() for e in self.report.failures]}


def _told(e: Evidence) -> str:
    lines = [f"{e.rule} [{e.id}]: {e.detail[:300]}"]
    if e.request:
        lines += [f"sent {e.request}", f"got  {e.answer}"]
    return "\n    ".join(lines)


def put_service(
    blueprint: Blueprint,
    source: str,
    directory: Path,
    *,
    prove: bool,
    force: bool = False,
    discard_edits: bool = False,
    progress: Progress = lambda _: None,
) -> Built:
    """Builds a service, proves it where asked, and only then puts it in ``directory``.

    Raises:
        WorkspaceError: the folder is taken or cannot be written.
        Unproven: a check failed. The folder is as it was.
    """
    started = time.perf_counter()
    whole = service_tree(blueprint, source)
    tree: FileTree = without_own(whole, directory)
    free_directory(directory, force=force, discard_edits=discard_edits, tree=tree)
    place = real_folder(directory)
    made = [p for p in place.parents if not p.exists()]
    staging = None
    try:
        # Inside a folder that is there: its parent may be another disk, or not the user's to write in.
        staging = stage(tree, place if place.is_dir() else place.parent, service_secrets(blueprint))
        if any(name.startswith(OWN) for name in whole) and (place / OWN).is_dir():
            bring_own(place, staging)
        build_ms = (time.perf_counter() - started) * 1000
        report = None
        if prove:
            toolchain = ensure(progress)
            progress("Proving it in workerd …")
            report = verify(staging, service_checks, toolchain)
            if not report.proven:
                raise Unproven(report)
        # Once more: a person may have worked in it while it was proven.
        free_directory(directory, force=force, discard_edits=discard_edits, tree=tree, staging=staging)
        old_data = has_old_data(place, tree)
        put_in_place(staging, place)
    except BaseException:
        if staging is not None:
            shutil.rmtree(staging, ignore_errors=True)
        _remove(made)
        raise
    shutil.rmtree(staging, ignore_errors=True)
    if old_data:
        progress("The tables have changed; the local data in .wrangler are still those of the old ones. Remove that folder to begin anew.")
    timings = {"build": build_ms, "verify": report.timings_ms["total"] if report else 0.0}
    return Built(directory, len(tree), report, timings)


def _remove(folders: list[Path]) -> None:
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()
