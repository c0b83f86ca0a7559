"""``cache 60 seconds`` in an entity."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lark import Tree

from clodo.blueprint.constructs import Construct, path_of
from clodo.blueprint.problems import Problem
from clodo.blueprint.text import number
from clodo.blueprint.values import Blueprint, Entity, Who

_UNITS = {"second": 1, "minute": 60, "hour": 60 * 60}
_LONGEST = 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class Cache:
    """Answers with rows that everybody may read are kept for so long; ``unit`` is ``second``, ``minute`` or ``hour``."""

    amount: Decimal
    unit: str = "second"

    @property
    def seconds(self) -> int:
        """How long, in seconds."""
        return int(self.amount * _UNITS[self.unit])


def _cache(tree: Tree[Any]) -> Cache:
    amount, unit = tree.children
    return Cache(Decimal(str(amount)), str(unit).removesuffix("s"))


def _lines(cache: Cache) -> list[str]:
    return [f"cache {number(cache.amount)} {cache.unit}{'' if cache.amount == 1 else 's'}"]


def _problems(b: Blueprint, owner: Entity, cache: Cache) -> Iterator[Problem]:
    path = path_of(owner, cache)
    if cache.amount != int(cache.amount) or not 1 <= cache.seconds <= _LONGEST:
        yield Problem(
            f"Answers cannot be kept for {number(cache.amount)} {cache.unit}s.", "Give a whole number, up to 24 hours.", path
        )
    if b.read_access(owner).who is not Who.PUBLIC:
        yield Problem(
            f"Not everybody may read a {owner.name}, and what is private is never kept in a cache.",
            "Say 'read public', or remove the line.",
            path,
        )


CONSTRUCTS = (
    Construct(
        name="cache",
        place="entity",
        value=Cache,
        grammar='cache: "cache" NUMBER CACHE_UNIT _NL\n'
        'CACHE_UNIT: "seconds" | "second" | "minutes" | "minute" | "hours" | "hour"',
        build=_cache,
        lines=_lines,
        check=_problems,
        once=True,
    ),
)
