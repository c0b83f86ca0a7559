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
        """Answers a conversation; see the port. A grammar that has words of the user's in it is made anew of what is shown of them."""
        redaction = Redaction([*(m.text for m in messages), *([constraint.text] if constraint else [])])
        hidden = tuple(replace(m, text=redaction.hide(m.text).text) for m in messages)
        constraint = constraint and constraint.over(redaction.hide(constraint.text).text)
        completion = self._model.complete(hidden, constraint, max_tokens)
        return replace(completion, text=redaction.restore(completion.text))

    def close(self) -> None:
        """Closes the model behind it."""
        self._model.close()
