"""What must hold of the scripts of a built folder: strict types, and a size that every plan takes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from clodo.edge.platform.server import WorkersServer
from clodo.edge.platform.workers import worker_folders
from clodo.errors import InternalError, ModelError
from clodo.proof.files import TypeCheck
from clodo.toolchain import Toolchain

#: The most that a script may have, gzipped: what every plan takes.
MOST_GZIP_BYTES = 3_000_000


def check_scripts(staging: Path, names: Sequence[str], toolchain: Toolchain) -> dict[str, int]:
    """The size of each Worker's script in bytes, gzipped, after all were type-checked and bundled. ``staging`` is a
    folder of our own: the toolchain's packages are lent to it meanwhile.

    Raises:
        InternalError: the types are wrong, which is a fault of Clodo's.
        HostError: a script does not bundle.
        ModelError: a script is too large.
    """
    packages = staging / "node_modules"
    packages.symlink_to(toolchain.modules, target_is_directory=True)
    types = TypeCheck(staging, toolchain)
    try:
        with WorkersServer(toolchain) as server:
            sizes = {w.name: server.size(w) for w in worker_folders(staging, names)}
        found = types.result()
    finally:
        types.stop()
        packages.unlink()
    if found.outcome != "passed":
        raise InternalError(f"The TypeScript of the Workers is not right: {found.detail}", hint="Please report it.")
    for name, size in sizes.items():
        if size > MOST_GZIP_BYTES:
            raise ModelError(f"The script of the Worker {name!r} has {size / 1e6:.1f} MB gzip; 3 MB are the most.")
    return sizes
