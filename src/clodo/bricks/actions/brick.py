"""The routes of actions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from clodo.blueprint.plan import Plan, camel
from clodo.blueprint.values import Entity
from clodo.bricks.actions.statements import (
    Statement,
    assertion,
    effects,
    explanation,
    made_rows,
    refusals,
)
from clodo.bricks.actions.touched import touched_by, touched_files, touched_sql
from clodo.bricks.actions.values import Action, who_may
from clodo.emit.assembly import import_lines
from clodo.emit.brick import Brick, Import, Parts
from clodo.emit.computations import formula_files, formula_import
from clodo.emit.openapi import json_answer, operation, path_parameter, ref
from clodo.emit.schemas import body_schema
from clodo.emit.typescript import builders, entity_const, field_source, literal, rule


def actions_of(plan: Plan) -> Iterator[tuple[Entity, Action]]:
    """Every action with its entity."""
    for e in plan.blueprint.entities:
        for action in e.parts_of(Action):
            yield e, action


def _parts(plan: Plan) -> Parts:
    found = list(actions_of(plan))
    # Those that are done later are answered by the brick of jobs.
    direct = [(e, a) for e, a in found if not a.later]
    fields = [f for _, a in found for f in a.fields]

    def amend(document: dict[str, Any]) -> None:
        for e, action in direct:
            document["paths"] |= action_path(plan, e, action, {200: json_answer(ref(plan.schemas.row(e)), "The row as it is now")})

    head = import_lines(
        [
            Import("Action", "./lib/actions", is_type=True),
            *(Import(name, "./lib/fields") for name in builders(fields)),
            *formula_import(fields, "./lib"),
        ]
    )
    return Parts(
        imports=(Import("action", "./lib/actions"), *(Import(action_const(e, a), "./actions") for e, a in direct)) if direct else (),
        routes=tuple(f"action(app, {entity_const(e)}, {action_const(e, a)});" for e, a in direct),
        files={"src/actions.ts": "\n".join([*head, *(f"\n{_definition(plan, e, a)}" for e, a in found), ""]), **touched_files(), **formula_files(fields)},
        sql=touched_sql(plan),
        readme=_readme(plan, direct) if direct else "",
        amend=amend,
    )


def action_const(e: Entity, action: Action) -> str:
    """The name of the constant of ``src/actions.ts`` that defines an action."""
    return f"{camel(action.name)}Of{camel(e.name)[:1].upper()}{camel(e.name)[1:]}"


def action_path(plan: Plan, e: Entity, action: Action, answers: dict[int, dict[str, Any]]) -> dict[str, Any]:
    """The path of an action in the document."""
    b = plan.blueprint
    schema = body_schema(action.as_entity(), change=False)
    words = f"{action.name} one {e.name}".replace("_", " ").capitalize()
    rules = (who_may(b, e, action), b.read_access(e))
    made = operation(f"{action.name}_{e.name}", words, e.name, answers, rules=rules, problems=(404, 409, 422), body=schema)
    if not schema.get("required"):
        made["requestBody"]["required"] = False
    return {f"/api/{plan.path(e)}/{{id}}/{action.segment}": {"parameters": [path_parameter("id")], "post": made}}


def _statement(s: Statement) -> str:
    return f"{{ sql: {literal(s.sql)}, uses: {s.uses} }}"


def _definition(plan: Plan, e: Entity, action: Action) -> str:
    b = plan.blueprint
    fields = ", ".join(f"{f.name}: {field_source(f, action.fields)}" for f in action.fields)
    references = ", ".join(
        f"{r.name}_id: {{ to: {literal(r.target)}, required: {literal(r.required)}, onDelete: \"restrict\" }}" for r in action.references
    )
    lines = [
        f"path: {literal(action.segment)}",
        f"by: {rule(who_may(b, e, action))}",
        f"fields: {{ {fields} }}" if fields else "fields: {}",
        f"references: {{ {references} }}" if references else "references: {}",
        f"refusals: {literal(refusals(action))}",
        f"assertion: {_statement(assertion(b, e, action))}",
        f"explanation: {_statement(explanation(b, e, action))}",
    ]
    done = "".join(f"\n    {_statement(s)}," for s in effects(b, e, action))
    lines += [f"effects: [{done}\n  ]", f"newRows: {made_rows(action)}"]
    if others := touched_by(b, e, action):
        lines.append(f"touches: {literal(others)}")
    return f"export const {action_const(e, action)}: Action = {{\n" + "".join(f"  {line},\n" for line in lines) + "};"


def _readme(plan: Plan, found: list[tuple[Entity, Action]]) -> str:
    rows = [f"| `POST /api/{plan.path(e)}/{{id}}/{a.segment}` | {who_may(plan.blueprint, e, a)} |" for e, a in found]
    return "## Actions\n\n| call | who |\n|---|---|\n" + "\n".join(rows) + "\n"


BRICK = Brick("actions", "clodo.bricks.actions", lambda plan: any(True for _ in actions_of(plan)), _parts)
