"""Writes the words that names are made of, for ``clodo.understand.spelling``.

``python -m clodo.training.lexicon`` takes them from the written records of the training split and from
the generator's catalogue.
"""

from __future__ import annotations

from collections import Counter
from importlib.resources import files
from pathlib import Path

from clodo.corpus.splits import load_split
from clodo.training.generator.spec import catalogue
from clodo.understand.naming import entity_name, field_name


def words() -> dict[str, int]:
    """Every word of three letters or more in a name of an entity or a field, and how many names have it."""
    names: list[str] = []
    for record in load_split("train"):
        names += record.entities
        for fields in record.entities.values():
            names += fields
    for entities, _ in catalogue().values():
        for entity, specs in entities.items():
            names.append(entity_name(entity))
            names += [field_name(phrase) for phrase, _, _ in specs]
    counts = Counter(w for name in names for w in name.split("_") if len(w) >= 3 and w.isascii() and w.isalpha())
    return dict(sorted(counts.items()))


def main() -> None:
    """The command."""
    path = Path(str(files("clodo.understand").joinpath("names.txt")))
    found = words()
    path.write_text("".join(f"{word} {count}\n" for word, count in found.items()), "utf-8")
    print(f"{len(found)} words in {path.name}")


if __name__ == "__main__":
    main()
