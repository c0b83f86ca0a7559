"""The routes of reports."""

from __future__ import annotations

from typing import Any

from clodo.blueprint.formulas import Kind, Scope
from clodo.blueprint.plan import Plan, kebab
from clodo.blueprint.values import Call, Entity
from clodo.bricks.reports.language import (
    Column,
    Report,
    column_type,
    columns,
    filters_of,
    is_count,
    is_money,
    path_of_report,
    who_reads,
    widens,
)
from clodo.emit.brick import Brick, Import, Parts
from clodo.emit.expressions import Place, is_whole, may_have_dust, sql
from clodo.emit.openapi import json_answer, list_parameters, operation, sort_columns
from clodo.emit.schemas import Schema, nullable
from clodo.emit.typescript import entity_const, literal, rule

_SCHEMAS: dict[Kind, Schema] = {Kind.NUMBER: {"type": "number"}, Kind.BOOLEAN: {"type": "boolean"}}


def _parts(plan: Plan) -> Parts:
    b = plan.blueprint
    reports = b.parts_of(Report)
    decoders = {name for r in reports for c in columns(b, r) if (name := _decoder(plan, r, c))}

    def amend(document: dict[str, Any]) -> None:
        for r in reports:
            document["paths"][path_of_report(r)] = {"get": _operation(plan, r)}

    return Parts(
        imports=(Import("report", "./lib/reports"), *(Import(report_const(r), "./reports") for r in reports)),
        routes=tuple(f"report(app, {entity_const(source_of(plan, r))}, {report_const(r)});" for r in reports),
        files={"src/reports.ts": _file(plan, reports, sorted(decoders))},
        readme="## Reports\n\n" + "".join(f"- `GET {path_of_report(r)}` ({who_reads(b, r)})\n" for r in reports),
        amend=amend,
    )


def report_const(r: Report) -> str:
    """The name of a report in the code."""
    front, *rest = r.name.split("_")
    return front + "".join(word.capitalize() for word in rest) + "Report"


def source_of(plan: Plan, r: Report) -> Entity:
    """The entity whose rows a report counts."""
    e = plan.blueprint.entity(r.source)
    assert e is not None
    return e


def _file(plan: Plan, reports: tuple[Report, ...], decoders: list[str]) -> str:
    names = ", ".join([*decoders, "type Report"])
    return "\n".join([f'import {{ {names} }} from "./lib/reports";', "", *(_report(plan, r) for r in reports)])


def column_sql(plan: Plan, r: Report, c: Column, row: str = "") -> str:
    """A column over the rows of a group, whose columns have the prefix ``row``."""
    e = source_of(plan, r)
    place = Place(Scope(plan.blueprint, e), row, row or f'"{e.name}".')
    if is_count(c) and c in r.show:
        return "COUNT(*)"
    if c in r.show and isinstance(c.value, Call):
        argument, function = sql(c.value.argument, place), c.value.function.upper()
        # A sum of whole numbers must not fail where it is too large for one.
        whole = function == "SUM" and is_whole(c.value.argument, place.scope)
        made = f"TOTAL({argument})" if whole else f"{function}({argument})"
        made = f"COALESCE({made}, 0)" if function == "SUM" and not whole else made
    else:
        made = sql(c.value, place)
    return f"ROUND({made}, 9)" if _may_have_dust(plan, r, c, place.scope) else made


def _may_have_dust(plan: Plan, r: Report, c: Column, scope: Scope) -> bool:
    """Whether a number would show the dust of binary fractions, and groups of equal numbers differ by it. (Money is rounded on its own.)"""
    if column_type(plan.blueprint, r, c).kind is not Kind.NUMBER or is_money(plan.blueprint, r, c):
        return False
    if c in r.show and isinstance(c.value, Call) and c.value.function in ("sum", "avg"):
        return c.value.function == "avg" or not is_whole(c.value.argument, scope)
    return may_have_dust(c.value.argument if c in r.show and isinstance(c.value, Call) else c.value, scope)


def _decoder(plan: Plan, r: Report, c: Column) -> str:
    if is_money(plan.blueprint, r, c):
        return "cents"
    return "yes" if column_type(plan.blueprint, r, c).kind is Kind.BOOLEAN else ""


def _report(plan: Plan, r: Report) -> str:
    b = plan.blueprint
    e = source_of(plan, r)
    lines = [f"path: {literal(kebab(r.name))}", f"read: {rule(who_reads(b, r))}"]
    if r.where is not None:
        lines.append(f"where: {literal(sql(r.where, Place(Scope(b, e), '', f'{chr(34)}{e.name}{chr(34)}.')))}")
    made = ""
    for c in columns(b, r):
        decoder = _decoder(plan, r, c)
        made += f"\n    {{ key: {literal(c.key)}, sql: {literal(column_sql(plan, r, _plain(r, c)))}{f', decode: {decoder}' if decoder else ''} }},"
    lines += [f"columns: [{made}\n  ]", f"grouped: {len(r.group)}"]
    if widens(b, r):
        lines.append(f"filters: {literal([p['name'] for p in filter_parameters(plan, r) if is_own_filter(plan, r, p['name'])])}")
    return f"export const {report_const(r)}: Report = {{\n" + "".join(f"  {line},\n" for line in lines) + "};\n"


def _plain(r: Report, c: Column) -> Column:
    """The column as the report has it: one that is grouped by may have got an alias."""
    return next((own for own in (*r.group, *r.show) if own.value == c.value and own.alias in ("", c.alias)), c)


def _operation(plan: Plan, r: Report) -> Schema:
    b = plan.blueprint
    e = source_of(plan, r)
    properties = {c.key: _schema(plan, r, c) for c in columns(b, r)}
    item = {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
    answer = {
        "type": "object",
        "properties": {"items": {"type": "array", "items": item}, "complete": {"type": "boolean"}},
        "required": ["items", "complete"],
        "additionalProperties": False,
    }
    parameters = filter_parameters(plan, r)
    if widens(b, r):
        kept = f"For callers who may read the rows themselves ({b.read_access(e)})."
        parameters = [p if is_own_filter(plan, r, p["name"]) else {**p, "description": " ".join(filter(None, [p.get("description"), kept]))} for p in parameters]
    words = f"Report: {r.name.replace('_', ' ')}"
    return operation(f"report_{r.name}", words, "reports", {200: json_answer(answer, "The groups")}, rules=(who_reads(b, r),), problems=(400,), parameters=parameters)


def filter_parameters(plan: Plan, r: Report) -> list[Schema]:
    """The parameters of lists of the entity that a report takes from callers who may read its rows."""
    return [p for p in list_parameters(plan.blueprint, source_of(plan, r)) if p["name"] not in ("limit", "cursor", "sort")]


def is_own_filter(plan: Plan, r: Report, name: str) -> bool:
    """Whether a parameter chooses among the groups of a report, and tells nothing that the report does not tell."""
    e = source_of(plan, r)
    if name == "q" and e.search:
        return False
    column = name if name in sort_columns(plan.blueprint, e) else name.removesuffix("_min").removesuffix("_max")
    return column in filters_of(e, r)


def _schema(plan: Plan, r: Report, c: Column) -> Schema:
    kind = column_type(plan.blueprint, r, c).kind
    if is_count(c) and c in r.show:
        return {"type": "integer"}
    return nullable(dict(_SCHEMAS.get(kind, {"type": "string"})))


# Before the rows of an entity that may be called report: their ids are UUIDs, and names are none.
BRICK = Brick("reports", "clodo.bricks.reports", lambda plan: bool(plan.blueprint.parts_of(Report)), _parts, order=9)
