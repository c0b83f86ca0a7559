"""The understander that asks another: whoever answers descriptions with the document of ``clodo blueprint --json``, such as
an edge Worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from clodo.understand.document import understanding_of
from clodo.understand.port import Understander, Understanding

#: A description in; the document, and how many ms it took, out.
Ask = Callable[[str], tuple[Mapping[str, Any], float]]


class RemoteUnderstander:
    """Understands by asking; ``provider`` says whom, for people. ``writer`` opens an understander for who turns out to write text
    only (``code`` is ``not-found``)."""

    def __init__(self, ask: Ask, provider: str, writer: Callable[[], Understander] | None = None) -> None:
        self._ask, self._provider, self._writer = ask, provider, writer

    def understand(self, description: str) -> Understanding:
        """What the description means; see ``clodo.understand.port``. The answer is checked as any other."""
        found, ms = self._ask(description)
        if self._writer is not None and found.get("code") == "not-found":
            return self._writer().understand(description)
        made = understanding_of(found, description, self._provider)
        # In a Worker the clock stands still while it computes, so the caller's time counts.
        return replace(made, timings_ms={**made.timings_ms, "model": ms})
