"""How to talk to any text model: messages, capabilities, constraints, completions. Pure values and
one port; adapters live in ``clodo.runtime``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class Constraint:
    """A grammar (GBNF) that the whole answer must follow, from its rule ``root``. One that has words of the conversation in it is
    made of a ``text`` of it by ``of``, so that it can be made anew of what a model is shown of that text."""

    gbnf: str
    text: str = ""
    of: Callable[[str], str] | None = None

    def over(self, text: str) -> Constraint:
        """The same constraint for another text; itself where it has no words of one."""
        return self if self.of is None else Constraint(self.of(text), text, self.of)


@dataclass(frozen=True, slots=True)
class Profile:
    """What a model can do, as data. ``context`` is how many tokens a request and its answer may have together, ``None``
    where that is not known. ``grammar`` is the field of a request that takes a GBNF grammar,
    or ``None`` where the endpoint takes none (the answer is checked all the same). ``local`` says that what is asked stays
    on this machine."""

    name: str
    provider: str
    context: int | None = None
    grammar: str | None = None
    local: bool = True


@dataclass(frozen=True, slots=True)
class Tried:
    """A model that was asked before the one that answered, and why its answer was not the last word: ``low-confidence``,
    ``too-long``, or the code of what failed (``unavailable``, ``over-budget``, …). ``detail`` is a sentence for people."""

    model: str
    provider: str
    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Completion:
    """An answer. ``confidence`` is the geometric mean of the token probabilities where the engine
    gives them, else ``None``; times are in ms. ``tokens`` are those of request and answer together, 0 where nobody counted.
    ``model`` and ``provider`` say who answered where that is not the model that was asked, and ``tried`` who was asked
    before."""

    text: str
    finished: bool
    confidence: float | None = None
    prefill_ms: float = 0.0
    decode_ms: float = 0.0
    tokens: int = 0
    model: str = ""
    provider: str = ""
    tried: tuple[Tried, ...] = ()


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
            ModelError: the model cannot be reached or used, or it refuses the constraint; its ``code`` says which
                (``docs/providers.md`` lists them).
        """

    def close(self) -> None:
        """Gives back what it holds."""


def estimated_tokens(messages: tuple[Message, ...]) -> int:
    """About how many tokens a conversation has: one for each three characters, which is more than English needs, and a
    frame for each turn. Only an estimate: the engine counts for itself."""
    return sum(len(m.text) // 3 + 8 for m in messages)


def fits(profile: Profile, messages: tuple[Message, ...], max_tokens: int) -> bool:
    """Whether a conversation and its answer seem to fit the model's context."""
    return profile.context is None or estimated_tokens(messages) + max_tokens <= profile.context
