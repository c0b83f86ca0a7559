"""The paths of jobs in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Access, Entity, Field, FieldType, Who
from clodo.bricks.actions.values import JOBS
from clodo.emit.openapi import (
    json_answer,
    list_parameters,
    operation,
    page_schema,
    path_parameter,
    ref,
)
from clodo.emit.schemas import Schema, row_schema

_TAG = "background jobs"
# No entity's schema has a hyphen in its name.
_SCHEMA = "Background-Job"
STATUSES = ("queued", "done", "refused", "failed")


def job_entity(names: Sequence[str]) -> Entity:
    """A job, as if it were an entity."""
    fields = (
        Field("action", FieldType.ENUM, tuple(names), required=True),
        Field("row_id", FieldType.TEXT, required=True),
        Field("user_id", FieldType.TEXT),
        Field("status", FieldType.ENUM, STATUSES, required=True),
        Field("attempts", FieldType.INTEGER, required=True),
        Field("error_status", FieldType.INTEGER),
        Field("error", FieldType.TEXT),
        Field("next_attempt_at", FieldType.DATETIME),
    )
    public = Access(Who.PUBLIC)
    return Entity("_job", fields, read=public, write=public)


def queued_answer() -> Schema:
    """What a call of an action is answered that is done later."""
    answer = json_answer(ref(_SCHEMA), "It is queued; what becomes of it is seen at its address")
    return {**answer, "headers": {"Location": {"schema": {"type": "string"}}}}


def amended(
    plan: Plan, names: Sequence[str], keeper: Access, askers: Sequence[Access]
) -> Callable[[dict[str, Any]], None]:
    """Adds the paths to a document. ``keeper`` sees all jobs, ``askers`` their own."""
    b, job = plan.blueprint, job_entity(names)
    shown = row_schema(b, job)
    url = {"type": "string", "description": "Where it is seen what becomes of it."}
    schema = {
        **shown,
        "properties": {**shown["properties"], "url": url},
        "required": [*shown["required"], "url"],
    }
    one, told = path_parameter("id"), ref(_SCHEMA)

    def amend(document: dict[str, Any]) -> None:
        document["components"]["schemas"][_SCHEMA] = schema
        read = operation(
            "get_background_job",
            "Read what becomes of a job",
            _TAG,
            {200: json_answer(told, "The job")},
            rules=tuple(askers),
            problems=(404,),
        )
        if "security" in read:
            # Any of these credentials is good; whose job it is decides.
            read["security"] = [
                {"apiKey": []}
                if a.who is Who.KEY
                else {}
                if a.who is Who.PUBLIC
                else {"bearer": []}
                for a in askers
            ]
        document["paths"] |= {
            f"/api/{JOBS}": {
                "get": operation("list_background_jobs", "List jobs: all, or one's own", _TAG, {200: json_answer(page_schema(_SCHEMA), "A page")}, rules=(askers[0],), problems=(400,), parameters=list_parameters(b, job)),
            },
            f"/api/{JOBS}/{{id}}": {"parameters": [one], "get": read},
            f"/api/{JOBS}/{{id}}/retry": {
                "parameters": [one],
                "post": operation("retry_background_job", "Try a job again that failed", _TAG, {202: json_answer(told, "It is queued again")}, rules=(keeper,), problems=(404, 409)),
            },
        }  # fmt: skip

    return amend
