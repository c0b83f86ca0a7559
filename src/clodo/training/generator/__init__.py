"""A compositional generator of training records."""

from clodo.training.generator.documents import generate

__all__ = ["generate"]
