"""Tiny trainings for tests: rows, bases, and weights that nobody has trained."""

from __future__ import annotations

import json
from pathlib import Path

NAMES = ["book", "film", "song", "tool", "plant", "car", "house", "lamp", "coin", "boat"]
FIELDS = ["title", "colour", "maker", "place", "label", "kind"]


def rows(count: int = 10) -> list[dict[str, str]]:
    """So many descriptions with their blueprints, no two alike."""
    out = []
    for i in range(count):
        name, one, two = NAMES[i % 10], FIELDS[i % 6], FIELDS[(i + 2) % 6]
        text = f"Each {name} has a {one} and a {two}. The {two} is required and at most {i + 20} letters."
        source = f"service x\n\nentity {name} {{\n  {one}: text\n  {two}: text required max {i + 20}\n}}\n"
        out.append({"description": text, "blueprint": source})
    return out


def write_rows(path: Path, made: list[dict[str, str]]) -> Path:
    """A file of pairs."""
    path.write_text("\n".join(json.dumps(r) for r in made), "utf-8")
    return path


def tiny_base(folder: Path) -> Path:
    """A base that knows the words of the rows."""
    from clodo.testing.bases import write_tiny_base

    words = [*NAMES, *FIELDS, "each", "has", "a", "and", "the", "is", "required", "at", "most", "letters"]
    return write_tiny_base(folder, words)


def untrained(base: Path, path: Path, seed: int = 1) -> Path:
    """Weights that a training could have left."""
    import torch

    from clodo.training.base import load_base
    from clodo.training.files import save_tensors
    from clodo.training.network import Network

    torch.manual_seed(seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_tensors(path, Network(load_base(base)[0]).state_dict())
    return path
