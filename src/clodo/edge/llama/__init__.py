"""Decoders of the llama family in Workers: from a GGUF file to a bundle."""

from clodo.edge.llama.build import bundle

__all__ = ["bundle"]
