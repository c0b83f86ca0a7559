"""What tests of planted faults share."""

from __future__ import annotations

import pytest

_WAITS = ("bricks.room.sockets._SECONDS", "bricks.live.checks._PUSH_SECONDS", "bricks.webhooks.receiver._SECONDS", "bricks.jobs.outcome._SECONDS", "bricks.jobs.holding._SECONDS")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checks wait five seconds for what a planted fault keeps from coming; a proof gives a slow machine more."""
    for name in _WAITS:
        monkeypatch.setattr(f"clodo.{name}", 5)
