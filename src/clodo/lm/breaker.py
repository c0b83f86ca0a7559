"""The circuit breaker: a provider that keeps failing is left alone for a while. A pure state machine; whoever drives it
brings the clock."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

#: How many failures in a row open it.
FAILURES = 3
#: How long it stays open at first, in seconds; each failed trial doubles it up to the most.
PAUSE = 30.0
LONGEST_PAUSE = 600.0

State = Literal["closed", "open", "half-open"]


@dataclass(frozen=True, slots=True)
class Breaker:
    """``failures`` in a row so far, ``until`` when (seconds of the driver's clock) it lets no call through, and the ``pause``
    that it made last (0: none)."""

    failures: int = 0
    until: float = 0.0
    pause: float = 0.0

    def state(self, now: float) -> State:
        """``closed`` (calls go through), ``open`` (none does), or ``half-open`` (the next call is the trial)."""
        if self.pause == 0.0:
            return "closed"
        # A clock that was set back must not keep it open for longer than the pause.
        return "open" if now < self.until <= now + self.pause else "half-open"

    def tried(self, now: float) -> Breaker:
        """Half-open, with the trial under way: others find it open until the trial has ended or its pause is over."""
        return replace(self, until=now + self.pause)

    def succeeded(self) -> Breaker:
        """After a call that was answered."""
        return Breaker()

    def failed(self, now: float) -> Breaker:
        """After a call that was not."""
        failures = self.failures + 1
        if failures < FAILURES:
            return replace(self, failures=failures)
        pause = min(LONGEST_PAUSE, self.pause * 2) if self.pause else PAUSE
        return Breaker(failures, now + pause, pause)
