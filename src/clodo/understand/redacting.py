"""The understander that shows another no secrets and no names of people: see ``clodo.lm.redaction``."""

from __future__ import annotations

from dataclasses import replace

from clodo.blueprint import Blueprint, InvalidBlueprint, format_blueprint, parse
from clodo.errors import ModelError
from clodo.lm.redaction import Hidden, Redaction
from clodo.understand.port import Part, Span, Understander, Understanding


class RedactingUnderstander:
    """Another understander behind placeholders."""

    def __init__(self, inner: Understander) -> None:
        self._inner = inner

    def understand(self, description: str) -> Understanding:
        """What the description means; see ``clodo.understand.port``. Spans are those of the description as it was given."""
        redaction = Redaction([description])
        hidden = redaction.hide(description)
        made = self._inner.understand(hidden.text)
        if not redaction.count:
            return made
        return replace(
            made,
            blueprint=_restored(made.blueprint, redaction) if made.blueprint is not None else None,
            questions=tuple(map(redaction.restore, made.questions)),
            notes=tuple(map(redaction.restore, made.notes)),
            spans=tuple(Span(hidden.original(s.start), hidden.original(s.end, end=True), s.role) for s in made.spans),
            parts=tuple(_shifted(p, hidden) for p in made.parts),
            not_understood=tuple(_shifted(p, hidden) for p in made.not_understood),
        )


def _shifted(p: Part, hidden: Hidden) -> Part:
    return replace(p, spans=tuple((hidden.original(a), hidden.original(b, end=True)) for a, b in p.spans))


def _restored(blueprint: Blueprint, redaction: Redaction) -> Blueprint:
    try:
        return parse(redaction.restore(format_blueprint(blueprint)))
    except InvalidBlueprint as error:
        raise ModelError(
            f"With the secrets and names of the description put back, the blueprint is not valid: {error.problems[0]}",
            hint="Leave them out of the description, or use a local model.",
            code="invalid-answer",
        ) from None
