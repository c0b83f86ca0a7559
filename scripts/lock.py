"""Writes the toolchain's lock file anew from its pins: ``python -m scripts.lock``.

The lock names no registry: npm takes the archives from the configured one and holds them against the
hashes.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path

from clodo.toolchain import store
from clodo.toolchain.npm import npm_script

LOCK = Path(store.__file__).with_name("package-lock.json")


def main() -> None:
    """The command."""
    node = store.node_path()
    command = [str(node), str(npm_script(node)), "install", "--package-lock-only"]
    command += ["--omit-lockfile-registry-resolved", "--ignore-scripts", "--no-audit", "--no-fund"]
    path = f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "package.json").write_text(json.dumps(store.manifest()))
        subprocess.run(command, cwd=folder, check=True, env={**os.environ, "PATH": path})
        lock = json.loads((Path(folder) / "package-lock.json").read_text("utf-8"))
    for package in lock["packages"].values():
        package.pop("funding", None)
    LOCK.write_text(json.dumps(lock, indent=1) + "\n", "utf-8")
    print(f"{len(lock['packages'])} packages in {LOCK.name}")


if __name__ == "__main__":
    main()
