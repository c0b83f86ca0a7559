"""``room`` in entities."""

from __future__ import annotations

from dataclasses import dataclass

from clodo.blueprint.constructs import Construct


@dataclass(frozen=True, slots=True)
class Room:
    """Each row has a room that callers meet in."""


CONSTRUCTS = (
    Construct(
        name="room_line",
        place="entity",
        value=Room,
        grammar='room_line: "room" _NL',
        build=lambda tree: Room(),
        lines=lambda room: ["room"],
        once=True,
        claims=lambda plan, owner, value: ["{id}/room"],
    ),
)
