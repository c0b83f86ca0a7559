"""``action NAME(parameters) later { by …, when …, set …, create …, update …, delete … }`` in an entity."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from lark import Token, Tree

from clodo.blueprint.constructs import Construct
from clodo.blueprint.plan import Plan
from clodo.blueprint.syntax import access_of, expression_of, field_of, text_of
from clodo.blueprint.text import expression_text, field_line, quote
from clodo.blueprint.values import KEY, Blueprint, Entity, Field, Reference
from clodo.bricks.actions.assigned import assigned_by, changed_by
from clodo.bricks.actions.problems import action_problems
from clodo.bricks.actions.states import with_states
from clodo.bricks.actions.values import (
    JOBS,
    Action,
    Assignment,
    CreateRow,
    DeleteRows,
    Effect,
    Guard,
    SetValues,
    UpdateRows,
)

_GRAMMAR = """
action: "action" NAME action_parameters? action_later? "{" _NL action_line* "}" _NL
action_parameters: "(" action_parameter ("," action_parameter)* ")"
?action_parameter: KEY field_type modifier*  -> value_parameter
                 | KEY "->" NAME present?    -> row_parameter
present: "required"
action_later: "later"
?action_line: action_by | action_when | action_set | action_create | action_update | action_delete
action_by: "by" access _NL
action_when: "when" expression STRING? _NL
action_set: "set" assignment ("," assignment)* _NL
action_create: "create" NAME "(" assignment ("," assignment)* ")" _NL
action_update: "update" NAME "set" assignment ("," assignment)* "where" expression _NL
action_delete: "delete" NAME "where" expression _NL
assignment: NAME ("." NAME)? "=" expression
"""


#: What problems call the lines, and what stands in them; schedules have some of them too.
PLACES = {
    "action_by": "by", "action_when": "when", "value_parameter": "parameter", "row_parameter": "parameter", "assignment": "value",
    **dict.fromkeys(("action_set", "action_create", "action_update", "action_delete"), "effect"),
}  # fmt: skip


def _build(tree: Tree[Any]) -> Action:
    name, *rest = tree.children
    action = Action(str(name))
    for part in rest:
        kind = str(part.data)
        if kind == "action_parameters":
            action = replace(action, parameters=tuple(_parameter(p) for p in part.children))
        elif kind == "action_later":
            action = replace(action, later=True)
        elif kind == "action_by":
            action = replace(action, by=access_of(part.children[0]))
        elif kind == "action_when":
            message = text_of(part.children[1]) if len(part.children) > 1 else ""
            action = replace(action, guards=(*action.guards, Guard(expression_of(part.children[0]), message)))
        else:
            action = replace(action, effects=(*action.effects, effect_of(part)))
    return action


def _parameter(tree: Tree[Any]) -> Field | Reference:
    if tree.data == "value_parameter":
        return field_of(tree)[0]
    key, target, *present = tree.children
    return Reference(str(key).rstrip(": \t"), str(target), required=bool(present))


def effect_of(tree: Tree[Any]) -> Effect:
    """The effect of a line."""
    kind = str(tree.data)
    parts = list(tree.children)
    entity = str(parts.pop(0)) if isinstance(parts[0], Token) else ""
    assignments = tuple(_assignment(p) for p in parts if p.data == "assignment")
    if kind == "action_set":
        return SetValues(assignments)
    if kind == "action_create":
        return CreateRow(entity, assignments)
    where = expression_of(parts[-1])
    return UpdateRows(entity, assignments, where) if kind == "action_update" else DeleteRows(entity, where)


def _assignment(tree: Tree[Any]) -> Assignment:
    *names, value = tree.children
    return Assignment(tuple(str(n) for n in names), expression_of(value))


def _lines(action: Action) -> Iterator[str]:
    parameters = ", ".join(_parameter_text(p) for p in action.parameters)
    yield f"action {action.name}{f'({parameters})' if parameters else ''}{' later' if action.later else ''} {{"
    if action.by is not None:
        yield f"  by {action.by}"
    for guard in action.guards:
        message = f" {quote(guard.message)}" if guard.message else ""
        yield f"  when {expression_text(guard.condition)}{message}"
    for effect in action.effects:
        yield f"  {effect_text(effect)}"
    yield "}"


def _parameter_text(p: Field | Reference) -> str:
    if isinstance(p, Field):
        return field_line(p)
    return f"{p.name}: -> {p.target}{' required' if p.required else ''}"


def effect_text(effect: Effect) -> str:
    """The line of an effect."""
    if isinstance(effect, DeleteRows):
        return f"delete {effect.entity} where {expression_text(effect.where)}"
    values = ", ".join(f"{'.'.join(a.target)} = {expression_text(a.value)}" for a in effect.assignments)
    if isinstance(effect, SetValues):
        return f"set {values}"
    if isinstance(effect, CreateRow):
        return f"create {effect.entity} ({values})"
    return f"update {effect.entity} set {values} where {expression_text(effect.where)}"


def _claims(plan: Plan, owner: Entity, action: Action) -> Iterator[str]:
    yield f"{{id}}/{action.segment}"
    if action.later:
        yield f"/api/{JOBS}/*"


def _needs_key(b: Blueprint, action: Action) -> bool:
    """Without users nobody else could look after jobs."""
    return action.by == KEY or (action.later and b.users is None)


CONSTRUCTS = (
    Construct(
        name="action",
        place="entity",
        value=Action,
        grammar=_GRAMMAR.strip(),
        build=_build,
        lines=_lines,
        check=action_problems,
        places=PLACES,
        singles=frozenset(["action_by"]),
        claims=_claims,
        spread=with_states,
        keyed=_needs_key,
        assigns=assigned_by,
        together=changed_by,
    ),
)
