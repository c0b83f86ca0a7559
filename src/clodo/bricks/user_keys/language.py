"""``api keys`` in ``users``."""

from __future__ import annotations

from dataclasses import dataclass

from clodo.blueprint.constructs import Construct


@dataclass(frozen=True, slots=True)
class UserKeys:
    """Users make keys of their own, which stand for them."""


CONSTRUCTS = (
    Construct(
        name="api_keys",
        place="users",
        value=UserKeys,
        grammar='api_keys: "api" "keys" _NL',
        build=lambda tree: UserKeys(),
        lines=lambda value: ["api keys"],
        once=True,
    ),
)
