"""Node, npm packages and workerd: what a Worker is built and run with."""

from clodo.toolchain.npm import Progress
from clodo.toolchain.store import Finding, Toolchain, ensure, status

__all__ = ["Finding", "Progress", "Toolchain", "ensure", "status"]
