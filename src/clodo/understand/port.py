"""The seam of understanding: a description in, a blueprint with its evidence and open questions out.

Different kinds of model may stand behind it; none of them is named here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from clodo.blueprint.values import Blueprint
from clodo.lm import Tried

#: What a stretch of the description was taken for.
SPAN_ROLES = (
    "entity", "field", "value", "role", "name", "access", "cue", "unsupported", "unexplained",
)  # fmt: skip


@dataclass(frozen=True)
class Span:
    """Characters ``start`` to ``end`` of the description and what they were taken for."""

    start: int
    end: int
    role: str


@dataclass(frozen=True)
class Part:
    """One part of the blueprint: its path (``book.isbn``), how sure the model is of it (0 to 1), the
    words that it comes from, and what it is (``entity field value relation access cue``)."""

    path: str
    confidence: float
    spans: tuple[tuple[int, int], ...] = ()
    kind: str = "field"


@dataclass(frozen=True)
class Understanding:
    """What a model made of a description. ``blueprint`` is ``None`` exactly where ``questions`` must
    be answered first. ``parts`` are what stands in the blueprint, ``not_understood`` what was heard and does not, as all where there is none. ``notes`` tell choices that the text left open, in plain sentences.
    ``timings_ms`` has ``prefill``, ``decode`` and ``model`` (their sum). ``tried`` are the models that were asked before the
    one that answered, each with the reason why it went further."""

    blueprint: Blueprint | None
    confidence: float
    model: str
    provider: str
    parts: tuple[Part, ...] = ()
    not_understood: tuple[Part, ...] = ()
    questions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    tried: tuple[Tried, ...] = ()


class Understander(Protocol):
    """Understands descriptions."""

    def understand(self, description: str) -> Understanding:
        """What the description means.

        Raises:
            ModelError: the model cannot be used.
        """
