"""Node, npm packages and workerd: what a Worker is built and run with."""

from clodo.toolchain.npm import Progress
from clodo.toolchain.store import Finding, Toolchain, cache_folder, ensure, status

__all__ = ["Finding", "Progress", "Toolchain", "cache_folder", "ensure", "status"]
