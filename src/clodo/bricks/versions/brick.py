"""ETags of rows, and the conditions that requests put."""

from __future__ import annotations

from typing import Any

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Entity
from clodo.bricks.versions.language import Versions
from clodo.emit.brick import Brick, EntityParts, Import, Parts, Stage
from clodo.emit.expressions import RANDOM_UUID
from clodo.emit.openapi import ref
from clodo.emit.typescript import literal

_ETAG = {"description": "Which state of the row this is", "schema": {"type": "string"}}
_IF_MATCH = "ETags of which one must be the row's, or *."
_STALE = "The row is no longer in the state that If-Match names"
_MISSING = "The request needs If-Match"

#: What a change that a Problem of the database refuses says; ``versions.ts`` knows it.
REFUSAL = "the row has another version"

_SQL = f"""CREATE VIEW "_stale" AS SELECT 1 AS "row";

CREATE TRIGGER "_stale__refused" INSTEAD OF INSERT ON "_stale"
BEGIN
  SELECT RAISE(ABORT, '{REFUSAL}');
END;"""


def versioned(plan: Plan) -> list[Entity]:
    """The entities whose rows have versions."""
    return [e for e in plan.blueprint.entities if e.parts_of(Versions)]


def _trigger(e: Entity) -> str:
    """What changes rows by another way than the service's own (a reference that is emptied) gives a new version too. A
    row that is hidden and shown again is the same."""
    shown = ' AND NEW."deleted_at" IS OLD."deleted_at"' if e.soft_delete else ""
    return f"""CREATE TRIGGER "_version__{e.name}" AFTER UPDATE ON "{e.name}" WHEN NEW."version" = OLD."version"{shown}
BEGIN
  UPDATE "{e.name}" SET "version" = {RANDOM_UUID} WHERE "id" = NEW."id";
END;"""


def _parts(plan: Plan) -> Parts:
    entities = versioned(plan)
    paths = ", ".join(f"{literal(plan.path(e))}: {literal(e.parts_of(Versions)[0].required)}" for e in entities)
    return Parts(
        imports=(Import("etags", "./lib/versions"),),
        middleware=((Stage.INNER, f"app.use(\"/api/*\", etags({{ {paths} }}));"),),
        sql=(_SQL, *map(_trigger, entities)),
        entities={
            e.name: EntityParts(
                imports=(Import("versions", "../lib/versions"),),
                hooks=(f"versions({{ required: {literal(e.parts_of(Versions)[0].required)} }})",),
            )
            for e in entities
        },
        readme=_README,
        amend=lambda document: _amend(plan, entities, document),
    )


_README = """## Versions

Every row has a `version`, and answers with a row carry it in their `ETag`. `If-None-Match` on `GET` answers 304 where the
row has not changed; `If-Match` on a change answers 412 where it has, and nothing is stored.
"""


def _header(name: str, description: str, *, required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": required, "schema": {"type": "string"}, "description": description}


def _refusal(description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/problem+json": {"schema": ref("Problem")}}}


def _amend(plan: Plan, entities: list[Entity], document: dict[str, Any]) -> None:
    children = {f"/api/{plan.path(child.parent)}/{{id}}/{child.path}" for child in plan.children}
    for e in entities:
        one, row = f"/api/{plan.path(e)}/{{id}}", ref(plan.schemas.row(e))
        for path, item in document["paths"].items():
            for method, operation in item.items():
                if method == "parameters":
                    continue
                _tell_tag(operation, row)
                # Actions and files of a row stand one step below it; rows that refer to it do too.
                below = path.startswith(f"{one}/") and path.count("/") == one.count("/") + 1 and path not in children
                if method != "get" and (path == one or below):
                    required = e.parts_of(Versions)[0].required and path == one
                    _tell_condition(operation, required=required)
        read = document["paths"][one]["get"]
        read.setdefault("parameters", []).append(_header("If-None-Match", "ETags that the caller has."))
        read["responses"]["304"] = {"description": "The row is as the caller has it"}


def _tell_tag(operation: dict[str, Any], row: dict[str, Any]) -> None:
    for status in ("200", "201"):
        answer = operation["responses"].get(status, {})
        if answer.get("content", {}).get("application/json", {}).get("schema") == row:
            answer.setdefault("headers", {})["ETag"] = _ETAG


def _tell_condition(operation: dict[str, Any], *, required: bool) -> None:
    operation.setdefault("parameters", []).append(_header("If-Match", _IF_MATCH, required=required))
    operation["responses"]["412"] = _refusal(_STALE)
    if required:
        operation["responses"]["428"] = _refusal(_MISSING)


BRICK = Brick("versions", "clodo.bricks.versions", lambda plan: bool(versioned(plan)), _parts, order=80)
