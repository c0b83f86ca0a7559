"""A text model that is shown no secrets and no names: they go out as placeholders and come back as they were."""

from __future__ import annotations

from dataclasses import replace

from clodo.lm import Completion, Constraint, Message, Profile, TextModel
from clodo.lm.redaction import Redaction


class RedactingModel:
    """Another text model behind placeholders."""

    def __init__(self, model: TextModel) -> None:
        self._model = model

    @property
    def profile(self) -> Profile:
        """That of the model behind it."""
        return self._model.profile

    def complete(self, messages: tuple[Message, ...], constraint: Constraint | None, max_tokens: int) -> Completion:
        """Answers a conversation; see the port. A grammar that was made of the user's words would not be redacted: those of
        Clodo are made of the language alone."""
        redaction = Redaction(m.text for m in messages)
        hidden = tuple(replace(m, text=redaction.hide(m.text).text) for m in messages)
        completion = self._model.complete(hidden, constraint, max_tokens)
        return replace(completion, text=redaction.restore(completion.text))

    def close(self) -> None:
        """Closes the model behind it."""
        self._model.close()
