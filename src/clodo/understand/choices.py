"""Allowed values as JSON carries them, and the one that a word of the text means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from clodo.understand.draft import DraftValue

#: Characters that stand between two values of one list at most.
_APART = 12


def choice(surface: str) -> str:
    """An allowed value in small letters: snake_case of the text's own words."""
    plain = re.sub(r"[^\w\s+./-]", "", surface.strip().lower())
    return re.sub(r"[\s/-]+", "_", plain).strip("_.")


def choices(surfaces: Iterable[str]) -> tuple[str, ...]:
    """The values of a list, each once. One that the text writes in capitals (``EUR, USD``; ``S, M, L``) keeps them, for
    these are codes; of several spellings of a value the first counts."""
    first: dict[str, str] = {}
    for surface in surfaces:
        first.setdefault(choice(surface), surface)
    first.pop("", None)
    written = "".join(first.values())
    codes = written == written.upper() != written.lower()
    return tuple(value.upper() if codes else value for value in first)


def listed(values: Sequence[DraftValue]) -> list[DraftValue]:
    """The values in the order of the longest list of the text, those that stand elsewhere behind it: "from A1 until C2 (A1, A2, B1, B2, C1, C2)"."""
    runs: list[list[DraftValue]] = []
    end = 0
    for value in values:
        if not value.evidence.spans:
            return list(values)
        start = value.evidence.spans[0][0]
        # What comes again begins another list.
        if runs and 0 <= start - end <= _APART and all(choice(v.words) != choice(value.words) for v in runs[-1]):
            runs[-1].append(value)
        else:
            runs.append([value])
        end = value.evidence.spans[0][1]
    longest = max(runs, key=lambda run: len({choice(v.words) for v in run}), default=[])
    return [*longest, *(v for run in runs if run is not longest for v in run)]


def chosen(values: Sequence[str], surface: str) -> str | None:
    """The value that some words mean, however they are written; ``None`` where they mean none."""
    wanted = choice(surface)
    return next((value for value in values if value.lower() == wanted), None)
