"""Clodo's own kind of model in a Worker: description → blueprint wholly inside it, as on the machine."""

from clodo.edge.encoder.build import bundle

__all__ = ["bundle"]
