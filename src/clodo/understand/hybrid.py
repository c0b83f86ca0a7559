"""Understanders in an order: the first answers, the next is asked where its answer does not do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from clodo.blueprint import InvalidBlueprint, format_blueprint, parse
from clodo.lm.escalation import THRESHOLD, Doubt, escalate
from clodo.understand.port import Understander, Understanding

#: Figures and cues that no part accounts for are shorter; what is longer and reaches the end was not read at all.
_LONGEST_MARK = 64


@dataclass(frozen=True)
class Candidate:
    """An understander that is opened when it is asked first: its name, where it is, and how it is opened."""

    name: str
    provider: str
    open: Callable[[], Understander]


class HybridUnderstander:
    """Several understanders as one: a small one that is near, and larger ones for what it cannot do."""

    def __init__(self, candidates: Sequence[Candidate], threshold: float = THRESHOLD) -> None:
        """``candidates`` from the first to ask to the last; ``threshold`` is the confidence below which the next is asked."""
        self._candidates, self._threshold = tuple(candidates), threshold
        self._opened: dict[int, Understander] = {}

    def understand(self, description: str) -> Understanding:
        """What the description means; see ``clodo.understand.port``. It says who answered, and who was tried before."""

        def ask(place: int) -> Understanding:
            if place not in self._opened:
                self._opened[place] = self._candidates[place].open()
            return self._opened[place].understand(description)

        def who(place: int) -> tuple[str, str]:
            return self._candidates[place].name, self._candidates[place].provider

        asked = [_bound(ask, place) for place in range(len(self._candidates))]
        made, tried = escalate(asked, who, lambda _, u: doubt(u, description, self._threshold))
        return replace(made, tried=(*tried, *made.tried))


def doubt(u: Understanding, description: str, threshold: float) -> Doubt | None:
    """Why an understanding is not good enough while there is another model to ask; ``None`` where it is. That a text must be
    asked about is an answer like others."""
    end = len(description.rstrip())
    left = [s for s in u.spans if s.role == "unexplained"]
    if u.blueprint is None and not u.questions:
        return Doubt("invalid-answer", "It gave neither a blueprint nor questions.", usable=False)
    if u.blueprint is not None and (fault := _fault(u)):
        return Doubt("invalid-answer", f"Its blueprint does not hold up: {fault}", usable=False)
    if any(s.end == end and s.end - s.start > _LONGEST_MARK for s in left):
        start = min(s.start for s in left if s.end == end)
        return Doubt("too-long", f"It read {start} of {end} characters.")
    if u.confidence < threshold:
        return Doubt("low-confidence", f"Its confidence was {u.confidence:.2f}, below {threshold:.2f}.")
    if u.blueprint is not None and left:
        words = ", ".join(repr(description[s.start : s.end]) for s in left[:3])
        return Doubt("unexplained", f"No part of its blueprint accounts for {words}.")
    return None


def _fault(u: Understanding) -> str:
    assert u.blueprint is not None
    try:
        parse(format_blueprint(u.blueprint))
    except InvalidBlueprint as error:
        return str(error.problems[0])
    return ""


def _bound(ask: Callable[[int], Understanding], place: int) -> Callable[[], Understanding]:
    return lambda: ask(place)
