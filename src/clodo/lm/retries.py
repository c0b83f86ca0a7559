"""When a call is tried again: a generator that receives outcomes and yields pauses, so that it has no clock of its own."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

#: Answers that may be other ones soon; those from 520 on are Cloudflare's, of a server that it does not reach.
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504, *range(520, 525)})
ATTEMPTS = 4
FIRST_PAUSE = 0.5


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended: whether trying again may help, what the server asks for (``Retry-After``, in seconds), and how
    many seconds of the call are left."""

    passing: bool
    left: float
    asked: float | None = None


def pauses(jitter: float = 1.0) -> Generator[float, Outcome, None]:
    """Yields the pause (seconds) before each attempt, the first at once; ends when no other may be made. ``jitter`` from 0.5
    to 1 scales the pauses, so that callers who failed together do not come back together."""
    pause = 0.0
    for attempt in range(ATTEMPTS):
        outcome = yield pause
        own = FIRST_PAUSE * 2**attempt * jitter
        pause = own if outcome.asked is None else max(own, outcome.asked)
        if not outcome.passing or pause >= outcome.left:
            return
