"""The table of changes, what fills it, and the routes that show it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Entity, Field, FieldType, OnDelete
from clodo.bricks.audit.language import Audit
from clodo.bricks.tenants.language import tenant_column
from clodo.emit.brick import Brick, EntityParts, Import, Parts
from clodo.emit.openapi import json_answer, list_parameters, operation, path_parameter
from clodo.emit.typescript import entity_const, entity_module, literal, rule

_ACTIONS = ("create", "update", "delete", "restore")
_CALLERS = ("user", "key", "public", "schedule", "cascade")
#: Columns that follow from every change, and say nothing of it.
_SKIPPED = ("id", "created_at", "updated_at", "deleted_at")

#: The last two stand where the service keeps tenants apart.
_SQL = """CREATE TABLE "_audit" (
  "id" TEXT PRIMARY KEY NOT NULL,
  "at" TEXT NOT NULL,
  "entity" TEXT NOT NULL,
  "row_id" TEXT NOT NULL,
  "action" TEXT NOT NULL,
  "by" TEXT NOT NULL,
  "user_id" TEXT,
  "before" TEXT,
  "after" TEXT{tenant_column}
);
{tenant_index}CREATE INDEX "_audit__row" ON "_audit" ("entity", "row_id", "id");
CREATE INDEX "_audit__user" ON "_audit" ("user_id", "id");
CREATE INDEX "_audit__at" ON "_audit" ("at", "id");

-- What rows were, until a transaction is done with them.
CREATE TABLE "_audit_before" (
  "row_id" TEXT PRIMARY KEY NOT NULL,
  "before" TEXT
) WITHOUT ROWID;

CREATE TRIGGER "_audit__no_update" BEFORE UPDATE ON "_audit"
BEGIN
  SELECT RAISE(ABORT, 'the audit is only added to');
END;

CREATE TRIGGER "_audit__no_delete" BEFORE DELETE ON "_audit"
BEGIN
  SELECT RAISE(ABORT, 'the audit is only added to');
END;"""

#: The number of the next entry.
_NEXT = """(SELECT printf('%012d', coalesce(max(rowid), 0) + 1) FROM "_audit")"""

_README = """## Audit

Every change of an audited row is written down with it: who, when, and what changed. `GET /api/audit` and
`GET /api/{entities}/{id}/audit` answer it page by page. The database refuses to change or delete what is written.
"""


def audited(plan: Plan) -> list[tuple[Entity, Audit]]:
    """The audited entities, each with its line."""
    return [(e, audit) for e in plan.blueprint.entities for audit in e.parts_of(Audit)]


def _tables(apart: bool) -> str:
    """The table and its triggers; ``apart``: entries belong to tenants."""
    column = ',\n  "tenant_id" TEXT' if apart else ""
    index = 'CREATE INDEX "_audit__tenant" ON "_audit" ("tenant_id", "id");\n' if apart else ""
    return _SQL.format(tenant_column=column, tenant_index=index)


def _emptied(plan: Plan, e: Entity) -> Iterator[str]:
    """No request asks for what happens to a row whose reference is emptied with the row that it names: a trigger writes
    it down, under whoever deleted that one."""
    tenant = tenant_column(plan.blueprint, e)
    whose, value = (', "tenant_id"', f', NEW."{tenant}"') if tenant else ("", "")
    for r in e.references:
        parent = plan.blueprint.entity(r.target)
        if r.on_delete is not OnDelete.SET_NULL:
            continue
        key, hidden = f"{r.name}_id", ' AND "deleted_at" IS NULL' if parent is not None and parent.soft_delete else ""
        yield f"""CREATE TRIGGER "_audit__{e.name}__{key}" AFTER UPDATE OF "{key}" ON "{e.name}"
WHEN OLD."{key}" IS NOT NULL AND NEW."{key}" IS NULL AND NOT EXISTS (SELECT 1 FROM "{r.target}" WHERE "id" = OLD."{key}"{hidden})
BEGIN
  INSERT INTO "_audit" ("id", "at", "entity", "row_id", "action", "by", "user_id", "before", "after"{whose})
  VALUES ({_NEXT}, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), '{e.name}', NEW."id", 'update', 'cascade',
    (SELECT "user_id" FROM "_audit" WHERE "entity" = '{r.target}' AND "row_id" = OLD."{key}" AND "action" = 'delete' ORDER BY "id" DESC LIMIT 1),
    json_object('{key}', OLD."{key}"), json_object('{key}', NULL){value});
END;"""


def _skipped(e: Entity) -> list[str]:
    """What is not written down: moments, and versions that other bricks make anew with each change."""
    return [*_SKIPPED, *(f.name for f in e.fields if f.made and f.required and f.read_only)]


def _parts(plan: Plan) -> Parts:
    found = audited(plan)
    own = {e.name: f", {literal(column)}" for e, _ in found if (column := tenant_column(plan.blueprint, e))}
    rules = ", ".join(f"[{entity_const(e)}, {rule(audit.access)}{own.get(e.name, '')}]" for e, audit in found)
    return Parts(
        imports=(
            Import("audits", "./lib/audit-log"),
            *(Import(entity_const(e), f"./entities/{entity_module(e)}") for e, _ in found),
        ),
        routes=(f"audits(app, [{rules}]);",),
        sql=(_tables(bool(own)), *(trigger for e, _ in found for trigger in _emptied(plan, e))),
        entities={
            e.name: EntityParts(
                imports=(Import("audited", "../lib/audit"),), hooks=(f"audited({literal(_skipped(e))}{own.get(e.name, '')})",)
            )
            for e, _ in found
        },
        readme=_README,
        amend=lambda document: _amend(plan, document),
    )


def _entry(plan: Plan) -> Entity:
    """An entry, as an entity whose rows lists page, sort and filter."""
    fields = (
        Field("at", FieldType.DATETIME, required=True),
        Field("entity", FieldType.ENUM, tuple(e.name for e, _ in audited(plan)), required=True),
        Field("row_id", FieldType.TEXT, required=True),
        Field("action", FieldType.ENUM, _ACTIONS, required=True),
        Field("by", FieldType.ENUM, _CALLERS, required=True),
        Field("user_id", FieldType.TEXT),
    )
    return Entity("audit_entry", fields, timestamps=False)


def _page() -> dict[str, Any]:
    change = {
        "type": "object",
        "properties": {
            "field": {"type": "string"},
            "before": {"description": "The value before; absent where no answer shows it."},
            "after": {"description": "The value after; absent where no answer shows it."},
        },
        "required": ["field"],
        "additionalProperties": False,
    }
    entry = {
        "id": {"type": "string", "description": "The number of the entry; there are no gaps."},
        "at": {"type": "string", "format": "date-time"},
        "entity": {"type": "string"},
        "row_id": {"type": "string"},
        "action": {"type": "string", "enum": list(_ACTIONS)},
        "by": {"type": "string", "enum": list(_CALLERS), "description": "'schedule': it was done at a time of a schedule. 'cascade': it followed from the deletion of another row."},
        "user_id": {"type": ["string", "null"]},
        "changes": {"type": "array", "items": change},
    }
    items = {"type": "object", "properties": entry, "required": list(entry), "additionalProperties": False}
    page = {"items": {"type": "array", "items": items}, "next_cursor": {"type": ["string", "null"]}}
    return {"type": "object", "properties": page, "required": list(page), "additionalProperties": False}


def _amend(plan: Plan, document: dict[str, Any]) -> None:
    found = audited(plan)
    parameters, answer = list_parameters(plan.blueprint, _entry(plan)), {200: json_answer(_page(), "A page")}
    # One of the rules is enough for the whole list: each shows its own entities.
    rules = tuple(dict.fromkeys(audit.access for _, audit in found))
    whole = operation("read_audit", "What changed", "audit", answer, rules=rules, problems=(400,), parameters=parameters)
    if "security" in whole:
        whole["security"] = [{kind: []} for need in whole["security"] for kind in need]
    document["paths"]["/api/audit"] = {"get": whole}
    for e, audit in found:
        about = f"What changed of one {e.name.replace('_', ' ')}"
        one = operation(
            f"read_audit_of_{e.name}", about, e.name, answer, rules=(audit.access,), problems=(400, 404), parameters=parameters
        )
        document["paths"][f"/api/{plan.path(e)}/{{id}}/audit"] = {"parameters": [path_parameter("id")], "get": one}


BRICK = Brick("audit", "clodo.bricks.audit", lambda plan: bool(audited(plan)), _parts, order=85)
