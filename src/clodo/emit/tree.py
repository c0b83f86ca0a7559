"""File trees: what the generator makes, and how it reaches the disk without breaking anything."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from clodo.errors import WorkspaceError

#: Relative POSIX path → text.
FileTree = dict[str, str]

MANIFEST = "clodo-service-manifest.json"

#: The files beneath are the user's own: made where there are none, and never replaced, removed or counted as edited.
OWN = "src/custom/"

#: Written once and never part of the tree's identity: it holds secrets.
SECRETS_FILE = ".dev.vars"


def digest(text: str) -> str:
    """The sha256 of a file's text, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def fresh_secrets(names: Iterable[str]) -> str:
    """The text of ``.dev.vars``: a random secret for each name; ``ADMIN_EMAIL`` is an address."""
    lines = ["# Local secrets of this service, made for this folder alone. Keep them out of git."]
    for name in names:
        value = "admin@example.com" if name == "ADMIN_EMAIL" else secrets.token_urlsafe(32)
        lines.append(f"{name}={value}")
    return "\n".join(lines) + "\n"


def edited_files(directory: Path) -> list[str]:
    """The generated files of a service that a person has changed since, by its manifest."""
    manifest = directory / MANIFEST
    if not manifest.is_file():
        return []
    try:
        known = dict(json.loads(manifest.read_text("utf-8"))["files"])
    except (ValueError, KeyError, TypeError):
        return [MANIFEST]
    return [
        name
        for name, sha in known.items()
        if (directory / name).is_file() and _sha256(directory / name) != sha
    ]


def _sha256(path: Path) -> str:
    """As of its text, which a person may have made one in another encoding; git may have changed the line ends."""
    return hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()


def write_tree(tree: FileTree, directory: Path, secret_names: Iterable[str] = ()) -> None:
    """Writes a tree to a new or empty directory, all or nothing: it is made beside it and moved.

    Raises:
        WorkspaceError: the directory has content, or cannot be written.
    """
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise WorkspaceError(
            f"{str(directory)!r} is not empty.", hint="Choose another folder with -o."
        )
    staging = stage(tree, directory.parent, secret_names)
    try:
        if directory.exists():
            directory.rmdir()
        staging.rename(directory)
    except OSError as error:
        shutil.rmtree(staging, ignore_errors=True)
        raise WorkspaceError(
            f"{str(directory)!r} cannot be written: {error.strerror}.",
            hint="Choose another folder with -o.",
        ) from None


def stage(tree: FileTree, parent: Path, secret_names: Iterable[str] = ()) -> Path:
    """Writes a tree to a temporary folder in ``parent`` and returns it.

    Raises:
        WorkspaceError: it cannot be written; nothing is left behind.
    """
    staging = None
    try:
        parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".clodo-", dir=parent))
        staging.chmod(0o755)
        for name, text in tree.items():
            path = staging / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        path = staging / SECRETS_FILE
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(fresh_secrets(secret_names))
        return staging
    except OSError as error:
        if staging is not None:
            shutil.rmtree(staging, ignore_errors=True)
        raise WorkspaceError(
            f"{str(parent)!r} cannot be written: {error.strerror}.",
            hint="Choose another folder with -o.",
        ) from None
