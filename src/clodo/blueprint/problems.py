"""What is wrong with a blueprint, said so that a person can mend it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from clodo.errors import BlueprintError

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding. ``path`` names the part (``book.isbn``); ``line`` and ``column`` count from 1
    and are 0 where the blueprint did not come from a text."""

    message: str
    suggestion: str = ""
    path: str = ""
    line: int = 0
    column: int = 0
    severity: Severity = "error"

    def __str__(self) -> str:
        where = f"line {self.line}, column {self.column}: " if self.line else ""
        return f"{where}{self.message}" + (f" {self.suggestion}" if self.suggestion else "")


def unique_path(entity: str, group: Iterable[str]) -> str:
    """The path of a line ``unique``, of which an entity may have several. Lines that stand once are ``book.(search)``."""
    return f"{entity}.(unique {' '.join(group)})"


def meant(name: str, known: Iterable[str], mend: str) -> str:
    """The known name that was probably meant, as a question; else the mend."""
    near = difflib.get_close_matches(name, sorted(known), n=1)
    return f"Did you mean {near[0]}?" if near else mend


class InvalidBlueprint(BlueprintError):
    """A blueprint with at least one error; ``problems`` holds all of them."""

    code = "blueprint-invalid"

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(
            "\n".join(str(p) for p in problems),
            hint="Mend the blueprint and run the command again.",
        )
        self.problems = problems

    def to_json(self) -> dict[str, object]:
        return {
            **super().to_json(),
            "problems": [
                {
                    "message": p.message,
                    "suggestion": p.suggestion,
                    "path": p.path,
                    "line": p.line,
                    "column": p.column,
                }
                for p in self.problems
            ],
        }
