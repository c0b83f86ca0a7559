"""The canonical text of a blueprint: ``format_blueprint`` is the inverse of ``parse``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from clodo.blueprint.constructs import construct_of
from clodo.blueprint.values import (
    PUBLIC,
    Blueprint,
    Bound,
    Call,
    Constant,
    Entity,
    Expression,
    Field,
    FieldType,
    IsEmpty,
    IsIn,
    Not,
    OnDelete,
    Operand,
    Operation,
    Path,
    Reference,
    ServiceType,
    Users,
)

_BARE = re.compile(r"[a-z][a-z0-9_]*")
_COMPARED = 4
_PRECEDENCE = {
    "or": 1, "and": 2, "=": _COMPARED, "!=": _COMPARED, "<": _COMPARED, "<=": _COMPARED, ">": _COMPARED, ">=": _COMPARED,
    "+": 5, "-": 5, "&": 5, "*": 6, "/": 6,
}  # fmt: skip
_NEGATED = 3


def format_blueprint(blueprint: Blueprint) -> str:
    """The canonical text, ending in a newline."""
    return "\n".join(_lines(blueprint)) + "\n"


def _lines(blueprint: Blueprint) -> Iterator[str]:
    title = f" {quote(blueprint.title)}" if blueprint.title else ""
    yield f"service {blueprint.name}{title}"
    if blueprint.type is not ServiceType.DATA:
        yield f"type {blueprint.type}"
    if (blueprint.read, blueprint.write) != (PUBLIC, PUBLIC):
        yield f"read {blueprint.read}"
        yield f"write {blueprint.write}"
    if blueprint.users is not None:
        yield ""
        yield from _users(blueprint.users)
    for entity in blueprint.entities:
        yield ""
        yield from _entity(entity)
    for part in blueprint.parts:
        yield ""
        yield from construct_of(part).lines(part)


def _users(users: Users) -> Iterator[str]:
    yield "users {"
    if users.roles:
        yield f"  roles {', '.join(users.roles)}"
    yield from (f"  {field_line(f)}" for f in users.fields)
    yield from _together(users)
    yield from _parts(users.parts)
    yield "}"


def _entity(entity: Entity) -> Iterator[str]:
    yield f"entity {entity.name} {{"
    yield from (f"  {field_line(f)}" for f in entity.fields)
    yield from (f"  {_reference(r)}" for r in entity.references)
    yield from (f"  {link.name}: <-> {link.target}" for link in entity.links)
    yield from _together(entity)
    if entity.read is not None:
        yield f"  read {entity.read}"
    if entity.write is not None:
        yield f"  write {entity.write}"
    if entity.create is not None:
        yield f"  create {entity.create}"
    if entity.delete is not None:
        yield f"  delete {entity.delete}"
    if entity.soft_delete:
        yield "  soft delete"
    if not entity.timestamps:
        yield "  no timestamps"
    yield from _parts(entity.parts)
    yield "}"


def _together(owner: Entity | Users) -> Iterator[str]:
    yield from (f"  unique ({', '.join(group)})" for group in owner.unique)
    if owner.search:
        yield f"  search {', '.join(owner.search)}"


def _parts(parts: tuple[Any, ...]) -> Iterator[str]:
    for part in parts:
        yield from (f"  {line}" for line in construct_of(part).lines(part))


def field_line(f: Field) -> str:
    """One field as its line in a blueprint, without indentation."""
    parts = [f"{f.name}: {_type(f)}"]
    if f.required:
        parts.append("required")
    if f.unique:
        parts.append("unique")
    if f.default is not None:
        parts.append(f"default {default_text(f)}")
    if f.minimum is not None:
        parts.append(f"{'above' if f.minimum.exclusive else 'min'} {_bound(f.minimum)}")
    if f.maximum is not None:
        parts.append(f"{'below' if f.maximum.exclusive else 'max'} {_bound(f.maximum)}")
    if f.pattern is not None:
        parts.append(f"pattern {quote(f.pattern)}")
    if f.read_only:
        parts.append("read-only")
    if f.write_only:
        parts.append("hashed" if f.hashed else "write-only")
    if f.computed is not None:
        parts.append(f"= {expression_text(f.computed)}")
    return " ".join(parts)


def _type(f: Field) -> str:
    if f.type is not FieldType.ENUM:
        return f.type.value
    return f"enum({', '.join(_constant(v, bare=True) for v in f.values)})"


def default_text(f: Field) -> str:
    """The default of a field, which has one, as a blueprint has it."""
    if f.worked_out is not None:
        # A comparison would be taken for what the field is computed from.
        return expression_text(f.worked_out, _COMPARED + 1)
    assert f.constant_default is not None
    bare = f.default in f.values or (f.default == "now" and f.type.is_temporal)
    return _constant(f.constant_default, bare=bare)


def _reference(r: Reference) -> str:
    parts = [f"{r.name}: -> {r.target}"]
    if r.required:
        parts.append("required")
    if r.unique:
        parts.append("unique")
    if r.on_delete is not OnDelete.RESTRICT:
        parts.append(f"on delete {r.on_delete}")
    return " ".join(parts)


def choice_text(value: str) -> str:
    """A value of an enum, bare where it can be."""
    return _constant(value, bare=True)


def quote(text: str) -> str:
    """A text as a string literal of the language."""
    return json.dumps(text, ensure_ascii=False)


def number(value: Decimal) -> str:
    """A number in plain notation, without needless zeros."""
    plain = format(value, "f")
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    return "0" if plain in ("-0", "") else plain


def _bound(bound: Bound) -> str:
    return number(bound.value) if isinstance(bound.value, Decimal) else quote(bound.value)


def _constant(value: Constant, *, bare: bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return number(value)
    if bare and _BARE.fullmatch(value) and value not in ("true", "false"):
        return value
    return quote(value)


def expression_text(e: Expression, outer: int = 0) -> str:
    """The canonical text of an expression that stands in one which binds ``outer``."""
    if isinstance(e, Operand):
        return str(e.value) if e.is_field else _constant(e.value, bare=False)
    if isinstance(e, Path):
        return ".".join(e.names)
    if isinstance(e, Call):
        where = f" where {expression_text(e.where)}" if e.where is not None else ""
        return f"{e.function}({expression_text(e.argument)}{where})"
    level, inner = _operated(e)
    return f"({inner})" if level < outer else inner


def _operated(e: Operation | Not | IsEmpty | IsIn) -> tuple[int, str]:
    """How strongly what is not a leaf binds, and its text."""
    if isinstance(e, Not):
        return _NEGATED, f"not {expression_text(e.inner, _NEGATED)}"
    if isinstance(e, IsEmpty):
        return _COMPARED, f"{expression_text(e.inner, _COMPARED + 1)} is {'not ' if e.negated else ''}empty"
    if isinstance(e, IsIn):
        values = ", ".join(_constant(value, bare=False) for value in e.values)
        return _COMPARED, f"{expression_text(e.inner, _COMPARED + 1)} in ({values})"
    level = _PRECEDENCE[e.operator]
    # The operators group to the left, so an equal level on the right needs its parentheses; comparisons do not group.
    left = level + 1 if level == _COMPARED else level
    return level, f"{expression_text(e.left, left)} {e.operator} {expression_text(e.right, level + 1)}"
