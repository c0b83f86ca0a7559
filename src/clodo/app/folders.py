"""The user's folder: what may be put there, and putting it there whole or not at all.

Only what Clodo generated is replaced. Everything else in the folder stays: secrets, local data, packages, git, and every
file that a person made.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from errno import EISDIR
from pathlib import Path, PurePosixPath

from clodo.app.variables import read_variables
from clodo.emit.tree import MANIFEST, OWN, SECRETS_FILE, FileTree, edited_files
from clodo.errors import WorkspaceError

_NAMES_SHOWN = 10
_ELSEWHERE = "Choose another folder with -o."


def real_folder(directory: Path) -> Path:
    """The folder that a path means, links followed; it need not be there.

    Raises:
        WorkspaceError: its links lead in a circle.
    """
    try:
        return directory.resolve()
    except (OSError, RuntimeError):  # RuntimeError is Python 3.11's word for a circle of links
        raise WorkspaceError(f"{str(directory)!r} is a link that leads nowhere.", hint=_ELSEWHERE) from None


def free_directory(
    directory: Path,
    *,
    force: bool,
    discard_edits: bool = False,
    tree: FileTree | None = None,
    staging: Path | None = None,
) -> None:
    """Makes sure that a service may be put there. With ``force`` an older service of Clodo's may stand there, unless a
    person has edited it; ``tree`` is what is going to replace it, so that files which it does not change do not count.
    ``staging``, where our own work lies in the folder, counts for nothing.

    Raises:
        WorkspaceError: something is there already that must not be lost, or it is no folder.
    """
    shown = repr(str(directory))
    real = real_folder(directory)
    try:
        if real.exists() and not real.is_dir():
            raise WorkspaceError(f"{shown} is a file.", hint=_ELSEWHERE)
        if not real.is_dir() or all(p == staging for p in real.iterdir()):
            return
    except OSError as error:
        raise WorkspaceError(f"{shown} cannot be read: {error.strerror}.", hint=_ELSEWHERE) from None
    if not (real / MANIFEST).is_file():
        raise WorkspaceError(
            f"{shown} is not empty and holds no service of Clodo's, and it is left as it is.", hint=_ELSEWHERE
        )
    if not force:
        raise WorkspaceError(
            f"{shown} is not empty, and it is left as it is.",
            hint="Choose another folder with -o, or replace the service in it with --force.",
        )
    edited = _edited(real, tree)
    if edited and not discard_edits:
        names = ", ".join(edited[:_NAMES_SHOWN])
        more = f" and {len(edited) - _NAMES_SHOWN} more" if len(edited) > _NAMES_SHOWN else ""
        raise WorkspaceError(
            f"A person has edited files in {shown} that would be replaced, and it is left as it is: {names}{more}.",
            hint="Choose another folder with -o, or give these changes up with --force --discard-edits.",
        )


def _edited(directory: Path, tree: FileTree | None) -> list[str]:
    """What a person wrote and the tree would take away: changed files, and files of their own in its places."""
    generated = _generated(directory)
    own = (n for n in tree or () if n != MANIFEST and n not in generated and os.path.lexists(directory / n))
    candidates = {*edited_files(directory), *own}
    return sorted(n for n in candidates if tree is None or not _holds(directory / n, tree.get(n)))


def _generated(directory: Path) -> frozenset[str]:
    """The files that the folder's manifest names. A name that leads out of the folder is none of ours."""
    try:
        names = json.loads((directory / MANIFEST).read_text("utf-8"))["files"]
        paths = [PurePosixPath(str(n)) for n in names]
    except (OSError, ValueError, KeyError, TypeError):
        return frozenset()
    return frozenset(str(p) for p in paths if not p.is_absolute() and ".." not in p.parts)


def _holds(path: Path, text: str | None) -> bool:
    try:
        return text is not None and path.read_text("utf-8") == text
    except (OSError, UnicodeDecodeError):
        return False


def without_own(tree: FileTree, directory: Path) -> FileTree:
    """The tree without those of the user's own files that are there already."""
    return {n: text for n, text in tree.items() if not (n.startswith(OWN) and os.path.lexists(directory / n))}


def bring_own(directory: Path, staging: Path) -> None:
    """Puts the user's own files into a staged service, so that it is proven as it will stand.

    Raises:
        WorkspaceError: they cannot be read.
    """
    try:
        shutil.copytree(directory / OWN, staging / OWN, symlinks=True, dirs_exist_ok=True)
    except (OSError, shutil.Error):
        raise WorkspaceError(f"{str(directory / OWN)!r} cannot be read.", hint="Make its files readable.") from None


def has_old_data(directory: Path, tree: FileTree) -> bool:
    """Whether local data lie in the folder that were made by other migrations than those of the tree."""
    if not (directory / ".wrangler").is_dir():
        return False
    migrations = [n for n in tree if n.startswith("migrations/")]
    return any((directory / n).is_file() and not _holds(directory / n, tree[n]) for n in migrations)


def _fill(staging: Path, directory: Path) -> None:
    """File by file, and not by renaming: the folder may be a mount, or the one that the user's shell stands in."""
    fresh = sorted(p.relative_to(staging).as_posix() for p in staging.rglob("*") if p.is_file())
    stale = sorted(n for n in _generated(directory) - set(fresh) if (directory / n).is_file())
    if not _merge_secrets(staging / SECRETS_FILE, directory / SECRETS_FILE):
        fresh.remove(SECRETS_FILE)
    fresh = [n for n in fresh if not (n.startswith(OWN) and os.path.lexists(directory / n))]
    replace_files(staging, directory, fresh, stale, MANIFEST)


def put_in_place(staging: Path, directory: Path, fill: Callable[[Path, Path], None] = _fill) -> None:
    """Moves a staged folder to its place: as the folder, or into it where it is there, by ``fill`` (as a service does, where
    none is given). A failure leaves the folder as it was.

    Raises:
        WorkspaceError: it cannot be written.
    """
    try:
        if directory.exists():
            fill(staging, directory)
        else:
            staging.rename(directory)
    except OSError as error:
        place = error.filename2 or error.filename or str(directory)
        raise WorkspaceError(f"{str(place)!r} cannot be written: {error.strerror}.", hint=_ELSEWHERE) from None


def replace_files(staging: Path, directory: Path, fresh: Iterable[str], stale: Iterable[str], last: str) -> None:
    """Puts files of a staged folder in the place of those that are there, and takes the stale ones away, with folders that are
    empty then. Whatever fails, all is as it was. ``last`` comes last: until it stands, what is half replaced counts as edited."""
    moves = Moves(staging.with_name(f"{staging.name}.old"))
    try:
        for name in stale:
            moves.aside(directory / name, name)
        for name in sorted(fresh, key=lambda n: (n == last, n)):
            moves.aside(directory / name, name)
            moves.move(staging / name, directory / name)
    except BaseException:
        moves.undo()
        raise
    moves.forget()
    _remove_empty(directory, stale)


def _merge_secrets(fresh: Path, present: Path) -> bool:
    """Makes the fresh secrets those that are there already and what they lack; false where they lack nothing."""
    if not present.is_file():
        return True
    there = read_variables(present)
    lacking = [f"{k}={v}\n" for k, v in read_variables(fresh).items() if k not in there]
    kept = present.read_bytes()
    fresh.write_bytes(kept + (b"\n" if kept and not kept.endswith(b"\n") else b"") + "".join(lacking).encode())
    return bool(lacking)


def _remove_empty(directory: Path, gone: Iterable[str]) -> None:
    for name in gone:
        for folder in (directory / name).parents:
            if folder == directory:
                break
            with suppress(OSError):
                folder.rmdir()


class Moves:
    """Moves of files that can be undone; what is replaced waits in ``kept`` until all is done."""

    def __init__(self, kept: Path) -> None:
        self._kept = kept
        self._done: list[tuple[Path, Path]] = []
        self._made: list[Path] = []

    def aside(self, path: Path, name: str) -> None:
        """Puts away what is there; a folder in the place of a file is refused."""
        if path.is_dir() and not path.is_symlink():
            raise IsADirectoryError(EISDIR, "a folder is in its place", str(path))
        if os.path.lexists(path):
            self.move(path, self._kept / name)

    def move(self, source: Path, target: Path) -> None:
        """Renames; the folders above the target are made."""
        missing = [p for p in target.parents if not os.path.lexists(p)]
        for parent in reversed(missing):
            self._made.append(parent)
            parent.mkdir()
        self._done.append((source, target))  # before the deed: an interrupt may fall between them
        source.rename(target)

    def undo(self) -> None:
        """Everything back to where it was."""
        for source, target in reversed(self._done):
            if os.path.lexists(target) and not os.path.lexists(source):
                target.rename(source)
        for parent in reversed(self._made):
            with suppress(OSError):
                parent.rmdir()

    def forget(self) -> None:
        """It cannot be undone any more."""
        shutil.rmtree(self._kept, ignore_errors=True)
