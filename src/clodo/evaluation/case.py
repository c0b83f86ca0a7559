"""One description of a set, and what it means."""

from __future__ import annotations

from dataclasses import dataclass

from clodo.evaluation.scoring import Meaning


@dataclass(frozen=True)
class Case:
    """A description and what it states; ``meaning`` is ``None`` where it should be answered by
    questions. ``exact``: the set tells
    exclusive bounds, rules of single entities and who may read what only its author changes."""

    id: str
    text: str
    meaning: Meaning | None
    style: str = ""
    exact: bool = False
