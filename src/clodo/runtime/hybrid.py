"""Text models in an order: the first answers, the next is asked where its answer does not do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from clodo.errors import ModelError
from clodo.lm import Completion, Constraint, Message, Profile, TextModel, estimated_tokens, fits
from clodo.lm.escalation import THRESHOLD, Doubt, escalate


class HybridModel:
    """Several text models as one: a small one that is near, and larger ones for what it cannot do."""

    def __init__(self, models: Sequence[TextModel], threshold: float = THRESHOLD) -> None:
        """``models`` from the first to ask to the last; ``threshold`` is the confidence below which the next is asked."""
        self._models, self._threshold = tuple(models), threshold

    @property
    def profile(self) -> Profile:
        """All of them as one: as local as the least local, with the grammar and the room of the one that takes most."""
        profiles = [m.profile for m in self._models]
        rooms = [p.context for p in profiles]
        return Profile(
            f"hybrid:{','.join(p.name for p in profiles)}",
            " → ".join(p.provider for p in profiles),
            None if None in rooms else max(r for r in rooms if r is not None),
            next((p.grammar for p in profiles if p.grammar), None),
            all(p.local for p in profiles),
        )

    def complete(self, messages: tuple[Message, ...], constraint: Constraint | None, max_tokens: int) -> Completion:
        """Answers a conversation; see the port. The completion says who answered, and who was tried before."""

        def ask(model: TextModel) -> Completion:
            if not fits(model.profile, messages, max_tokens):
                raise ModelError(
                    f"The request has about {estimated_tokens(messages)} tokens, more than {model.profile.name} can read.",
                    code="too-long",
                )
            return model.complete(messages, constraint, max_tokens)

        def doubt(place: int, answer: Completion) -> Doubt | None:
            if not answer.text.strip():
                return Doubt("invalid-answer", "The answer was empty.", usable=False)
            if not answer.finished:
                return Doubt("cut-off", f"The answer had no end within {max_tokens} tokens.")
            if answer.confidence is not None and answer.confidence < self._threshold:
                return Doubt("low-confidence", f"Its confidence was {answer.confidence:.2f}, below {self._threshold:.2f}.")
            return None

        def who(place: int) -> tuple[str, str]:
            return self._models[place].profile.name, self._models[place].profile.provider

        asked = [partial(_answered, ask, m) for m in self._models]
        answer, tried = escalate(asked, who, doubt)
        return replace(answer, tried=tried)

    def close(self) -> None:
        """Closes all of them."""
        for model in self._models:
            model.close()


def _answered(ask: Callable[[TextModel], Completion], model: TextModel) -> Completion:
    answer = ask(model)
    return replace(answer, model=answer.model or model.profile.name, provider=answer.provider or model.profile.provider)
