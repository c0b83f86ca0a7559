"""``live`` in entities."""

from __future__ import annotations

from dataclasses import dataclass

from clodo.blueprint.constructs import Construct


@dataclass(frozen=True, slots=True)
class Live:
    """Changes of rows are told as they happen."""


CONSTRUCTS = (
    Construct(
        name="live_line",
        place="entity",
        value=Live,
        grammar='live_line: "live" _NL',
        build=lambda tree: Live(),
        lines=lambda live: ["live"],
        once=True,
        claims=lambda plan, owner, value: ["events"],
    ),
)
