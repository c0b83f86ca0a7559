"""``idempotency keys`` in the service."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from clodo.blueprint.constructs import Construct, path_of
from clodo.blueprint.problems import Problem
from clodo.blueprint.values import Blueprint


@dataclass(frozen=True, slots=True)
class IdempotencyKeys:
    """Requests may carry a key, and are carried out once for each."""


def _problems(blueprint: Blueprint, owner: None, keys: IdempotencyKeys) -> Iterator[Problem]:
    if not blueprint.entities:
        yield Problem(
            "Idempotency keys are for requests that change rows, and this service has no entity.",
            "Add an entity or remove 'idempotency keys'.",
            path_of(owner, keys),
        )


CONSTRUCTS = (
    Construct(
        name="idempotency_keys",
        place="service",
        value=IdempotencyKeys,
        grammar='idempotency_keys: "idempotency" "keys" _NL',
        build=lambda tree: IdempotencyKeys(),
        lines=lambda keys: ["idempotency keys"],
        check=_problems,
        once=True,
    ),
)
