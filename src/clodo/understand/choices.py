"""Allowed values as JSON carries them, and the one that a word of the text means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


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


def chosen(values: Sequence[str], surface: str) -> str | None:
    """The value that some words mean, however they are written; ``None`` where they mean none."""
    wanted = choice(surface)
    return next((value for value in values if value.lower() == wanted), None)
