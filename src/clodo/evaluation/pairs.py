"""A user's own pairs as cases: what a blueprint says is what its description means.

The rows are those of ``clodo train --pairs`` (``docs/training.md``). Here a row need not say every part of its blueprint in
words that can be found: what cannot be learnt can be measured all the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from clodo.blueprint import InvalidBlueprint, parse
from clodo.corpus.format import VERDICTS
from clodo.evaluation.case import Case
from clodo.evaluation.scoring import meaning

_ACCESS = re.compile(r"^(?:read|write)\b", re.MULTILINE)


def is_pairs(text: str) -> bool:
    """Whether a file's text is JSON by lines."""
    return text.lstrip().startswith("{")


def from_pairs(text: str) -> Iterator[Case]:
    """The cases of a file's rows. Who may call is stated where the blueprint has a line of it.

    Raises:
        ValueError: a row is not JSON with both texts (or, for one that should be answered by questions, a verdict), or its blueprint is not valid.
    """
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            description, source = row["description"], row["blueprint"]
            is_unclear = source is None and row.get("verdict") in VERDICTS
            if not (isinstance(description, str) and description.strip() and (is_unclear or isinstance(source, str))):
                raise TypeError("not texts")
        except (ValueError, KeyError, TypeError):
            raise ValueError(f'line {number} is not JSON with the texts "description" and "blueprint"') from None
        if is_unclear:
            yield Case(f"own-{number}", description.strip(), None, "", True)
            continue
        try:
            wanted = meaning(parse(source))
        except InvalidBlueprint as error:
            raise ValueError(f"the blueprint of line {number} is not valid: {error.problems[0]}") from None
        if not _ACCESS.search(source):
            wanted.access = ""
        yield Case(f"own-{number}", description.strip(), wanted, "", True)
