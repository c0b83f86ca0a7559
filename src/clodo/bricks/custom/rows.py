"""The types of rows, for own code: ``src/lib/custom-rows.ts``."""

from __future__ import annotations

from clodo.blueprint.plan import Plan, is_owned
from clodo.blueprint.values import Entity, Field, FieldType
from clodo.bricks.custom.language import CustomCode
from clodo.emit.typescript import literal

_TYPES = {
    FieldType.INTEGER: "number",
    FieldType.DECIMAL: "number",
    FieldType.MONEY: "number",
    FieldType.BOOLEAN: "boolean",
    FieldType.JSON: "unknown",
    FieldType.LIST: "readonly string[]",
}


def rows_source(plan: Plan, code: CustomCode) -> str:
    """The text of ``src/lib/custom-rows.ts``."""
    lines = ["/** What is stored of each entity. */", "export interface Columns {"]
    for e in plan.blueprint.entities:
        lines += _block(e.name, _stored(plan, e))
    lines += ["}", "", "/** What is worked out for the rows of each entity. */", "export interface Worked {"]
    for e in plan.blueprint.entities:
        lines += _block(e.name, [(f.name, _type(f, required=False)) for f in e.fields if f.computed is not None])
    lines += ["}", "", "/** The times at which own code is called. */"]
    return "\n".join([*lines, f"export type Cron = {' | '.join(map(literal, code.times)) or 'never'};", ""])


def _block(name: str, properties: list[tuple[str, str]]) -> list[str]:
    if not properties:
        return [f"  readonly {name}: object;"]
    return [f"  readonly {name}: {{", *(f"    readonly {key}: {type_};" for key, type_ in properties), "  };"]


def _stored(plan: Plan, e: Entity) -> list[tuple[str, str]]:
    out = [("id", "string")]
    out += [(f.name, _type(f, required=f.required)) for f in e.fields if f.computed is None]
    out += [(f"{r.name}_id", "string" if r.required else "string | null") for r in e.references]
    if is_owned(plan.blueprint, e):
        out.append(("owner_id", "string"))
    return out + ([("created_at", "string"), ("updated_at", "string")] if e.timestamps else [])


def _type(f: Field, *, required: bool) -> str:
    plain = " | ".join(map(literal, f.values)) if f.type is FieldType.ENUM else _TYPES.get(f.type, "string")
    return plain if required or f.type is FieldType.JSON else f"{plain} | null"
