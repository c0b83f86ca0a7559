"""JSON schemas of rows and bodies, with the very limits that the service enforces."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from clodo.blueprint.constants import EMAIL, LENGTHS, MOST_MONEY, SAFE_INTEGER
from clodo.blueprint.plan import is_owned
from clodo.blueprint.text import default_text
from clodo.blueprint.values import Blueprint, Entity, Field, FieldType

Schema = dict[str, Any]

_BASE: dict[FieldType, Schema] = {
    FieldType.TEXT: {"type": "string", "maxLength": LENGTHS[FieldType.TEXT]},
    FieldType.LONG_TEXT: {"type": "string", "maxLength": LENGTHS[FieldType.LONG_TEXT]},
    FieldType.INTEGER: {"type": "integer", "minimum": -SAFE_INTEGER, "maximum": SAFE_INTEGER},
    FieldType.DECIMAL: {"type": "number"},
    FieldType.MONEY: {
        "type": "number",
        "minimum": -MOST_MONEY,
        "maximum": MOST_MONEY,
        "description": "At most two decimals.",
    },
    FieldType.BOOLEAN: {"type": "boolean"},
    FieldType.DATE: {"type": "string", "format": "date"},
    FieldType.DATETIME: {"type": "string", "format": "date-time"},
    FieldType.TIME: {"type": "string", "pattern": r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$"},
    FieldType.EMAIL: {"type": "string", "format": "email", "maxLength": LENGTHS[FieldType.EMAIL], "pattern": EMAIL},
    FieldType.URL: {"type": "string", "format": "uri", "maxLength": LENGTHS[FieldType.URL]},
    FieldType.UUID: {"type": "string", "format": "uuid"},
    FieldType.ENUM: {"type": "string"},
    FieldType.LIST: {
        "type": "array",
        "items": {"type": "string", "maxLength": 1000},
        "maxItems": LENGTHS[FieldType.LIST],
    },
}

_HASHED: Schema = {"format": "password", "writeOnly": True, "description": "Only a salted hash of it is stored."}


def field_schema(f: Field) -> Schema:
    """The schema of a value of the field that is not null."""
    if f.type is FieldType.JSON:
        return {"description": "Any JSON value but null."}
    schema = dict(_BASE[f.type])
    if f.type is FieldType.ENUM:
        schema["enum"] = list(f.values)
    if f.required and f.type in (FieldType.TEXT, FieldType.LONG_TEXT):
        schema["minLength"] = 1
    if f.pattern is not None:
        schema["pattern"] = f.pattern
    schema |= _bounds(f)
    return schema


def _bounds(f: Field) -> Schema:
    out: Schema = {}
    for bound, side in ((f.minimum, "min"), (f.maximum, "max")):
        if bound is None:
            continue
        if f.type is FieldType.LIST:
            out[f"{side}Items"] = _number(bound.value)
        elif f.type.is_textual:
            least = 1 if side == "min" and f.required else 0
            out[f"{side}Length"] = max(least, _number(bound.value))
        elif f.type.is_number:
            out[f"exclusive{side.title()}imum" if bound.exclusive else f"{side}imum"] = _number(bound.value)
        else:
            word = {"min": "from", "max": "up to"}[side]
            out["description"] = f"{out.get('description', '')} {word} {bound.value}".strip()
    return out


def _number(value: Decimal | str) -> Any:
    number = Decimal(value)
    return int(number) if number == number.to_integral_value() else float(number)


def nullable(schema: Schema) -> Schema:
    """The schema, or null."""
    if "type" not in schema:
        return schema
    out = {**schema, "type": [schema["type"], "null"]}
    if "enum" in schema:
        out["enum"] = [*schema["enum"], None]
    return out


def row_schema(b: Blueprint, e: Entity) -> Schema:
    """A row as the service answers it: every key is always there."""
    properties: Schema = {"id": {"type": "string", "format": "uuid", "readOnly": True}}
    for f in e.fields:
        if f.write_only:
            continue
        if f.computed is not None:
            # Nothing limits what an expression gives but its type.
            properties[f.name] = nullable({"type": _BASE[f.type]["type"], "readOnly": True})
        else:
            given = f.required or (f.made and not f.read_only)
            properties[f.name] = field_schema(f) if given else nullable(field_schema(f))
    for r in e.references:
        properties[f"{r.name}_id"] = _id_schema(required=r.required)
    if is_owned(b, e):
        properties["owner_id"] = _id_schema(required=True)
    if e.timestamps:
        for name in ("created_at", "updated_at"):
            properties[name] = {"type": "string", "format": "date-time"}
    return _closed(properties, list(properties))


def _id_schema(*, required: bool) -> Schema:
    schema: Schema = {"type": "string"}
    return schema if required else nullable(schema)


def body_schema(e: Entity, *, change: bool) -> Schema:
    """The body of a creation or replacement, or of a change (nothing is required then)."""
    properties: Schema = {}
    required = []
    for f in e.fields:
        if f.read_only or f.computed is not None:
            continue
        schema = {**field_schema(f), **_HASHED} if f.hashed else field_schema(f)
        properties[f.name] = schema if f.required else nullable(schema)
        if not change:
            properties[f.name] = _with_default(f, properties[f.name])
        if f.required and f.default is None:
            required.append(f.name)
    for r in e.references:
        properties[f"{r.name}_id"] = _id_schema(required=r.required)
        if r.required:
            required.append(f"{r.name}_id")
    return _closed(properties, [] if change else required)


def _with_default(f: Field, schema: Schema) -> Schema:
    """The schema with the value that stands for none, or with what it is worked out of: that is no one value."""
    if f.default is None:
        return schema
    if f.worked_out is None and not (f.default == "now" and f.type.is_temporal):
        return {**schema, "default": _json(f.default)}
    return {
        **schema,
        "description": _joined(schema, f"Filled in where it is left out: {default_text(f)}."),
    }


def _joined(schema: Schema, sentence: str) -> str:
    before = str(schema.get("description", "")).strip()
    return f"{before}{'' if before.endswith('.') else '.'} {sentence}" if before else sentence


def child_schema(e: Entity, key: str) -> Schema:
    """The body that creates a child: the reference comes from the path."""
    schema = body_schema(e, change=False)
    kept = {k: v for k, v in schema["properties"].items() if k != key}
    return _closed(kept, [k for k in schema.get("required", []) if k != key])


def profile_schemas(fields: tuple[Field, ...]) -> tuple[Schema, Schema]:
    """The user as answered, and the body of a registration."""
    shown: Schema = {
        "id": {"type": "string", "format": "uuid"},
        "email": {"type": "string"},
        "role": {"type": "string"},
    }
    for f in fields:
        if not f.write_only:
            shown[f.name] = field_schema(f) if f.required else nullable(field_schema(f))
    for name in ("created_at", "updated_at"):
        shown[name] = {"type": "string", "format": "date-time"}
    given: Schema = {
        "email": _BASE[FieldType.EMAIL],
        "password": {"type": "string", "minLength": 8, "maxLength": 200},
    }
    for f in fields:
        if f.read_only:
            continue
        schema = field_schema(f) if f.required else nullable(field_schema(f))
        given[f.name] = {**_with_default(f, schema), **(_HASHED if f.hashed else {})}
    needed = [f.name for f in fields if f.required and f.default is None and not f.read_only]
    return _closed(shown, list(shown)), _closed(given, ["email", "password", *needed])


def _closed(properties: Schema, required: list[str]) -> Schema:
    out: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    if required:
        out["required"] = required
    return out


def _json(value: object) -> Any:
    return _number(value) if isinstance(value, Decimal) else value
