"""Writes the words that names are made of, for ``clodo.understand.spelling``.

``python -m clodo.training.lexicon`` takes them from the written records of the training split and from
the generator's catalogue.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from clodo.corpus.splits import load_split
from clodo.training.generator.spec import catalogue
from clodo.understand.naming import entity_name, field_name


def words() -> set[str]:
    """Every word of four letters or more in a name of an entity or a field."""
    names: set[str] = set()
    for record in load_split("train"):
        names |= set(record.entities)
        for fields in record.entities.values():
            names |= set(fields)
    for entities, _ in catalogue().values():
        for entity, specs in entities.items():
            names.add(entity_name(entity))
            names |= {field_name(phrase) for phrase, _, _ in specs}
    return {w for name in names for w in name.split("_") if len(w) >= 4 and w.isascii() and w.isalpha()}


def main() -> None:
    """The command."""
    path = Path(str(files("clodo.understand").joinpath("names.txt")))
    found = sorted(words())
    path.write_text("\n".join(found) + "\n", "utf-8")
    print(f"{len(found)} words in {path.name}")


if __name__ == "__main__":
    main()
