"""The generated part of a service's source: one file for each entity, and the assembly."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from decimal import Decimal

from clodo.blueprint.plan import Plan, camel
from clodo.blueprint.text import number
from clodo.blueprint.values import Access, Blueprint, Bound, Entity, Field, FieldType, Who
from clodo.emit.assembly import import_lines
from clodo.emit.brick import EntityParts, Import
from clodo.emit.computations import default_source, formula_import
from clodo.emit.expressions import computed_sql

_BUILDERS = {
    FieldType.TEXT: "text",
    FieldType.LONG_TEXT: "longText",
    FieldType.INTEGER: "integer",
    FieldType.DECIMAL: "decimal",
    FieldType.MONEY: "money",
    FieldType.BOOLEAN: "boolean",
    FieldType.DATE: "date",
    FieldType.DATETIME: "datetime",
    FieldType.TIME: "time",
    FieldType.EMAIL: "email",
    FieldType.URL: "url",
    FieldType.UUID: "uuid",
    FieldType.JSON: "json",
    FieldType.ENUM: "choice",
    FieldType.LIST: "list",
}
_NOW = {
    FieldType.DATE: "() => new Date().toISOString().slice(0, 10)",
    FieldType.TIME: "() => new Date().toISOString().slice(11, 19)",
    FieldType.DATETIME: "() => new Date().toISOString()",
}


def literal(value: object) -> str:
    """A constant as TypeScript."""
    if isinstance(value, Decimal):
        return number(value)
    return json.dumps(value, ensure_ascii=False).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def entity_const(entity: Entity) -> str:
    """The name of the constant that defines an entity (never a word of the language)."""
    return f"{camel(entity.name)}Entity"


def entity_module(entity: Entity) -> str:
    """The name of the module of an entity, beside ``index``, which is that of all. No entity can be
    called by the other name, for it has a hyphen."""
    return "index-entity" if entity.name == "index" else entity.name


def entity_source(plan: Plan, entity: Entity, parts: Sequence[EntityParts] = ()) -> str:
    """``src/entities/{name}.ts``, with what bricks add to it."""
    b = plan.blueprint
    stored = [f for f in entity.fields if f.computed is None]
    computed = [f for f in entity.fields if f.computed is not None]
    lines = import_lines(
        [
            Import("Entity", "../lib/entity", is_type=True),
            *(Import(name, "../lib/fields") for name in builders(stored)),
            *formula_import(stored, "../lib"),
            *(i for p in parts for i in p.imports),
        ]
    )
    lines += ["", f"export const {entity_const(entity)}: Entity = {{", f"  name: {literal(entity.name)},"]
    lines.append(f"  path: {literal(plan.path(entity))},")
    lines += _block("fields", [f"{f.name}: {field_source(f, entity.fields)}" for f in stored])
    lines += _block(
        "references",
        [
            f"{r.name}_id: {{ to: {literal(r.target)}, required: {literal(r.required)}, "
            f"onDelete: {literal(r.on_delete.value)} }}"
            for r in entity.references
        ],
    )
    lines += _block("computed", [f"{f.name}: {_computed(f, entity, b)}" for f in computed])
    lines.append(f"  read: {rule(b.read_access(entity))},")
    lines.append(f"  write: {rule(b.write_access(entity))},")
    if entity.create is not None:
        lines.append(f"  create: {rule(entity.create)},")
    if entity.delete is not None:
        lines.append(f"  delete: {rule(entity.delete)},")
    lines.append(f"  timestamps: {literal(entity.timestamps)},")
    lines.append(f"  softDelete: {literal(entity.soft_delete)},")
    lines += [f"  {p}," for part in parts for p in part.properties]
    limits = [limit for p in parts for limit in p.limits]
    if limits:
        lines.append(f"  limits: [{', '.join(limits)}],")
    hooks = [h for p in parts for h in p.hooks]
    if hooks:
        lines.append(f"  hooks: [{', '.join(hooks)}],")
    return "\n".join([*lines, "};", ""])


def _block(name: str, items: list[str]) -> list[str]:
    if not items:
        return [f"  {name}: {{}},"]
    return [f"  {name}: {{", *(f"    {item}," for item in items), "  },"]


def rule(access: Access) -> str:
    """An access rule as TypeScript."""
    if access.roles:
        owner = "owner: true, " if access.who is Who.OWNER else ""
        return f"{{ {owner}roles: {literal(list(access.roles))} }}"
    return literal(access.who.value)


def builders(fields: Iterable[Field]) -> list[str]:
    """The builders that the sources of these fields call."""
    return sorted({_BUILDERS[f.type] for f in fields})


def field_source(f: Field, row: Sequence[Field]) -> str:
    """A field as a call of its builder; ``row`` are the fields that its default may look at."""
    rules: list[str] = []
    if f.required:
        rules.append("required: true")
    if f.worked_out is not None:
        rules.append(f"default: {default_source(f, row)}")
    elif f.default is not None:
        now = f.default == "now" and f.type in _NOW
        rules.append(f"default: {_NOW[f.type] if now else literal(f.default)}")
    rules += _bounds(f)
    if f.pattern is not None:
        rules.append(f"pattern: new RegExp({literal(f.pattern)}, \"u\")")
    if f.read_only:
        rules.append("readOnly: true")
    if f.write_only:
        rules.append("writeOnly: true")
    options = f"{{ {', '.join(rules)} }}" if rules else ""
    if f.type is FieldType.ENUM:
        values = literal(list(f.values))
        return f"choice({values}, {options})" if options else f"choice({values})"
    return f"{_BUILDERS[f.type]}({options})"


def _bounds(f: Field) -> list[str]:
    out = []
    for bound, plain, exclusive, length in (
        (f.minimum, "min", "above", "minLength"),
        (f.maximum, "max", "below", "maxLength"),
    ):
        if bound is None:
            continue
        name = length if f.type.is_textual else (exclusive if bound.exclusive else plain)
        out.append(f"{name}: {literal(_normal(f, bound))}")
    return out


def _normal(f: Field, bound: Bound) -> object:
    """Bounds of moments in the form that is stored."""
    if f.type is FieldType.TIME and isinstance(bound.value, str) and len(bound.value) == 5:
        return f"{bound.value}:00"
    if f.type is FieldType.DATETIME and isinstance(bound.value, str):
        from datetime import UTC, datetime

        moment = datetime.fromisoformat(bound.value)
        moment = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
        return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
    return bound.value


def _computed(f: Field, entity: Entity, b: Blueprint) -> str:
    assert f.computed is not None
    decode = "(value) => value"
    if f.type is FieldType.MONEY:
        decode = "(value) => (value === null ? null : Math.round((value as number) * 100) / 100)"
    elif f.type is FieldType.BOOLEAN:
        decode = "(value) => (value === null ? null : value === 1)"
    elif f.type is FieldType.INTEGER:
        decode = "(value) => (value === null ? null : Math.round(value as number))"
    return f"{{ sql: {literal(computed_sql(f.computed, entity, b))}, decode: {decode} }}"


def entities_index(plan: Plan) -> str:
    """``src/entities/index.ts``: all entities, for what looks across them."""
    entities = plan.blueprint.entities
    imports = [f'import {{ {entity_const(e)} }} from "./{entity_module(e)}";' for e in entities]
    names = ", ".join(entity_const(e) for e in entities)
    return "\n".join(
        [
            'import type { Entity } from "../lib/entity";',
            *imports,
            "",
            f"export const entities: readonly Entity[] = [{names}];",
            "",
            "const byName = new Map(entities.map((entity) => [entity.name, entity]));",
            "",
            "export const entityByName = (name: string): Entity | undefined => byName.get(name);",
            "",
        ]
    )
