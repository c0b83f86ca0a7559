"""How to talk to any text model: messages, capabilities, constraints, completions. Pure values and
one port; adapters live in ``clodo.runtime``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class Constraint:
    """A grammar (GBNF) that the whole answer must follow, from its rule ``root``."""

    gbnf: str


@dataclass(frozen=True, slots=True)
class Profile:
    """What a model can do, as data. ``grammar`` is the field of a request that takes a GBNF grammar,
    or ``None`` where the endpoint takes none (the answer is checked all the same)."""

    name: str
    provider: str
    context: int = 4096
    grammar: str | None = None
    local: bool = True


@dataclass(frozen=True, slots=True)
class Completion:
    """An answer. ``confidence`` is the geometric mean of the token probabilities where the engine
    gives them, else ``None``; times are in ms."""

    text: str
    finished: bool
    confidence: float | None = None
    prefill_ms: float = 0.0
    decode_ms: float = 0.0


class TextModel(Protocol):
    """A model that answers with text."""

    @property
    def profile(self) -> Profile:
        """What it is and can do."""

    def complete(
        self, messages: tuple[Message, ...], constraint: Constraint | None, max_tokens: int
    ) -> Completion:
        """Answers a conversation.

        Raises:
            ModelError: the model cannot be reached or used, or it refuses the constraint.
        """

    def close(self) -> None:
        """Gives back what it holds."""
