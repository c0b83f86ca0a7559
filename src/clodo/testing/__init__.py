"""Doubles for tests of Clodo and of what is built on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from clodo.blueprint import Blueprint
from clodo.lm import Completion, Constraint, Message, Profile
from clodo.understand.port import Understanding


@dataclass
class ScriptedModel:
    """A text model that gives the answers of a script and keeps what it was asked."""

    answers: list[str]
    asked: list[tuple[tuple[Message, ...], Constraint | None]] = field(default_factory=list)
    closed: bool = False
    finished: bool = True

    @property
    def profile(self) -> Profile:
        """A local model without a grammar."""
        return Profile("scripted", "a script")

    def complete(
        self, messages: tuple[Message, ...], constraint: Constraint | None, max_tokens: int
    ) -> Completion:
        """The next answer of the script."""
        self.asked.append((messages, constraint))
        return Completion(self.answers[len(self.asked) - 1], finished=self.finished, confidence=0.9)

    def close(self) -> None:
        """Notes that it was closed."""
        self.closed = True


@dataclass
class ScriptedUnderstander:
    """Understands every description as the same blueprint, or asks the same questions."""

    blueprint: Blueprint | None = None
    questions: Iterable[str] = ()
    confidence: float = 0.9

    def understand(self, description: str) -> Understanding:
        """What the script says."""
        return Understanding(
            self.blueprint, self.confidence, "scripted", "a script", questions=tuple(self.questions)
        )
