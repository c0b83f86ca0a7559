"""``jwks`` in ``users``; services of the type ``auth-service`` have it without being told."""

from __future__ import annotations

from dataclasses import dataclass

from clodo.blueprint.constructs import Construct


@dataclass(frozen=True, slots=True)
class Jwks:
    """Users get tokens for other services, which check them with public keys."""


CONSTRUCTS = (
    Construct(
        name="jwks_line",
        place="users",
        value=Jwks,
        grammar='jwks_line: "jwks" _NL',
        build=lambda tree: Jwks(),
        lines=lambda value: ["jwks"],
        claims=lambda plan, owner, value: ["/.well-known/jwks.json"],
        once=True,
    ),
)
