"""Node, npm packages and workerd: what a Worker is built and run with."""

from clodo.toolchain.store import Finding, Progress, Toolchain, cache_folder, ensure, status

__all__ = ["Finding", "Progress", "Toolchain", "cache_folder", "ensure", "status"]
