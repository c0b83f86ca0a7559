"""``transitions status: draft -> submitted -> approved, submitted -> rejected`` in an entity."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from lark import Tree

from clodo.blueprint.constructs import Construct, path_of
from clodo.blueprint.problems import Problem
from clodo.blueprint.syntax import choice_of
from clodo.blueprint.text import choice_text
from clodo.blueprint.values import Blueprint, Entity, FieldType


@dataclass(frozen=True, slots=True)
class Transitions:
    """How the value of an enum may change, as chains of values. A change to the same value (``busy -> busy``) lets an action that sets it be
    repeated. A row begins with the field's default, else with
    the first value of the first chain."""

    field: str
    chains: tuple[tuple[str, ...], ...]

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Each allowed change, once."""
        return tuple(dict.fromkeys(pair for chain in self.chains for pair in pairwise(chain)))


def initial(e: Entity, t: Transitions) -> str:
    """The value that rows begin with."""
    f = e.field(t.field)
    return f.default if f is not None and isinstance(f.default, str) else t.chains[0][0]


def _build(tree: Tree[Any]) -> Transitions:
    key, *chains = tree.children
    return Transitions(str(key).rstrip(": \t"), tuple(tuple(choice_of(c) for c in chain.children) for chain in chains))


def _lines(t: Transitions) -> list[str]:
    chains = ", ".join(" -> ".join(choice_text(value) for value in chain) for chain in t.chains)
    return [f"transitions {t.field}: {chains}"]


def _problems(b: Blueprint, e: Entity, t: Transitions) -> Iterator[Problem]:
    path = f"{e.name}.{t.field}"
    f = e.field(t.field)
    if f is None or f.type is not FieldType.ENUM:
        yield Problem(f"{e.name} has no enum {t.field!r}.", f"Add {t.field}: enum({', '.join(t.chains[0])}).", path_of(e, t))
        return
    if f.worked_out is not None:
        yield Problem(
            f"The state that a {e.name} begins with is one and the same.",
            f"Make {t.chains[0][0]!r} the default, say.",
            path,
        )
    for value in dict.fromkeys(v for chain in t.chains for v in chain):
        if value not in f.values:
            yield Problem(f"{value!r} is no value of {t.field!r}.", f"Choose among {', '.join(f.values)}.", path)
    if sum(o.field == t.field for o in e.parts_of(Transitions)) > 1:
        yield Problem(f"The transitions of {t.field!r} are said twice.", "Join them into one line.", path_of(e, t))


def _expand(e: Entity, t: Transitions) -> Entity:
    """Every row has a state, and begins with the first."""
    fields = tuple(
        replace(f, required=True, default=f.worked_out or initial(e, t)) if f.name == t.field and f.type is FieldType.ENUM else f for f in e.fields
    )
    return replace(e, fields=fields)


def _fit(e: Entity, t: Transitions, body: dict[str, Any], number: int) -> None:
    if t.field in body:
        body[t.field] = initial(e, t)


def refusal(e: Entity, t: Transitions) -> str:
    """What the service says to a change that is not allowed."""
    return f"The {t.field} of this {e.name} cannot change like that.".replace("_", " ")


def way(t: Transitions, first: str, state: str) -> list[str] | None:
    """The shortest way of allowed changes to a state, ``None`` where there is none."""
    ways: dict[str, list[str]] = {first: []}
    fresh = [first]
    while fresh:
        here = fresh.pop(0)
        for a, c in t.pairs:
            if a == here and c not in ways:
                ways[c] = [*ways[here], c]
                fresh.append(c)
    return ways.get(state)


CONSTRUCT = Construct(
    name="transitions",
    place="entity",
    value=Transitions,
    grammar='transitions: "transitions" KEY chain ("," chain)* _NL\nchain: choice ("->" choice)+',
    build=_build,
    lines=_lines,
    check=_problems,
    expand=_expand,
    fit=_fit,
    entangled=lambda e, t: [t.field],
)
