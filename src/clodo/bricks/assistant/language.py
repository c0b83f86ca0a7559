"""``assistant search``, ``assistant summary of body``, ``assistant classify body as mood`` in an entity."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lark import Tree

from clodo.blueprint.constructs import Construct, path_of
from clodo.blueprint.plan import Plan, kebab
from clodo.blueprint.problems import Problem
from clodo.blueprint.values import Blueprint, Entity, Field, FieldType

_TEXTS = (FieldType.TEXT, FieldType.LONG_TEXT)


@dataclass(frozen=True, slots=True)
class Assistant:
    """One thing that a model does for an entity: ``search`` its rows by a question, write a ``summary`` of the field
    ``source``, or ``classify`` the field ``source`` as one of the values of the field ``target``."""

    kind: str
    source: str = ""
    target: str = ""


def _build(tree: Tree[Any]) -> Assistant:
    [what] = tree.children
    return Assistant(what.data.removeprefix("assistant_"), *map(str, what.children))


def _lines(a: Assistant) -> list[str]:
    more = {"search": "", "summary": f" of {a.source}", "classify": f" {a.source} as {a.target}"}[a.kind]
    return [f"assistant {a.kind}{more}"]


def below(a: Assistant) -> str:
    """Its path below the collection of the entity, as the document has it."""
    if a.kind == "search":
        return "ask"
    return f"{{id}}/summary/{kebab(a.source)}" if a.kind == "summary" else f"{{id}}/classification/{kebab(a.target)}"


def path_of_assistant(plan: Plan, e: Entity, a: Assistant) -> str:
    """Its path."""
    return f"/api/{plan.path(e)}/{below(a)}"


def _problems(b: Blueprint, e: Entity, a: Assistant) -> Iterator[Problem]:
    where = path_of(e, a)
    same = [other for other in e.parts_of(Assistant) if below(other) == below(a)]
    if len(same) > 1 and same[0] is a:
        yield Problem(f"Two lines 'assistant {a.kind}' of {e.name} would answer at one path.", "Keep one of them.", where)
    if a.kind == "search":
        return
    source = e.field(a.source)
    yield from _field_problems(e, a.source, source, where)
    if source is not None and source.type not in _TEXTS:
        yield Problem(f"{e.name}.{a.source} is no text that a model could read.", "Name a field of the type text or longtext.", where)
    if a.kind == "classify":
        target = e.field(a.target)
        yield from _field_problems(e, a.target, target, where)
        if target is not None and target.type is not FieldType.ENUM:
            yield Problem(f"{e.name}.{a.target} has no values to choose from.", "Name a field of the type enum(…).", where)


def _field_problems(e: Entity, name: str, f: Field | None, where: str) -> Iterator[Problem]:
    if f is None:
        yield Problem(f"{e.name} has no field {name!r}.", "Name one of its fields.", where)
    elif f.write_only:
        yield Problem(f"{e.name}.{name} is shown to nobody, and so to no model.", "Name another field.", where)


CONSTRUCTS = (
    Construct(
        name="assistant",
        place="entity",
        value=Assistant,
        grammar=(
            'assistant: "assistant" assistant_kind _NL\n'
            "?assistant_kind: assistant_search | assistant_summary | assistant_classify\n"
            'assistant_search: "search"\n'
            'assistant_summary: "summary" "of" NAME\n'
            'assistant_classify: "classify" NAME "as" NAME'
        ),
        build=_build,
        lines=_lines,
        check=_problems,
        claims=lambda plan, owner, value: [below(value)],
    ),
)
