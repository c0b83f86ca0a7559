"""The OpenAPI 3.1 document: exactly what the service answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from clodo.blueprint.plan import Child, LinkTable, Plan, is_owned
from clodo.blueprint.values import Access, Blueprint, Entity, Field, FieldType, Who
from clodo.emit.schemas import (
    Schema,
    body_schema,
    child_schema,
    field_schema,
    profile_schemas,
    row_schema,
)
from clodo.errors import BlueprintError

_TITLES = {
    400: "A query parameter or the JSON makes no sense",
    401: "No credential, or one that is not valid",
    403: "The credential may not do this",
    404: "There is no such row",
    409: "The state of other rows forbids it",
    413: "The body is larger than 1 MiB",
    415: "The body is not application/json",
    422: "The body has invalid fields",
}
_BODY = (400, 413, 415, 422)


def document(plan: Plan, amendments: Sequence[Callable[[dict[str, Any]], None]] = ()) -> dict[str, Any]:
    """The whole document, with what bricks amend, one after the other."""
    b = plan.blueprint
    paths: dict[str, Any] = {
        "/health": {"get": operation("health", "Whether the service is up", "service", {200: json_answer({"type": "object", "properties": {"status": {"const": "ok"}}, "required": ["status"]}, "It is")})},
        "/openapi.json": {"get": operation("openapi", "This document", "service", {200: json_answer({"type": "object"}, "The document")})},
        "/docs": {"get": operation("docs", "This document as a page", "service", {200: {"description": "The page", "content": {"text/html": {"schema": {"type": "string"}}}}})},
    }  # fmt: skip
    schemas: dict[str, Schema] = {"Problem": _problem()}
    if b.users is not None:
        shown, given = profile_schemas(b.users.fields)
        schemas |= {"User": shown, "Registration": given}
        paths |= _auth_paths()
    for e in b.entities:
        schemas |= {
            plan.schemas.row(e): row_schema(b, e),
            plan.schemas.body(e): body_schema(e, change=False),
            plan.schemas.change(e): body_schema(e, change=True),
        }
        paths |= _entity_paths(plan, e)
    for child in plan.children:
        name = plan.schemas.child(child.child, child.reference)
        schemas[name] = child_schema(child.child, f"{child.reference.name}_id")
        paths |= _child_paths(b, plan, child)
    for link in plan.links:
        paths |= _link_paths(b, plan, link)
    out: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": b.title or b.name.replace("_", " ").capitalize(), "version": "1.0.0"},
        "paths": paths,
        "components": {"schemas": schemas},
    }
    security = _schemes(plan)
    if security:
        out["components"]["securitySchemes"] = security
    for amend in amendments:
        known = [(path, method, made) for path, item in paths.items() for method, made in item.items() if method != "parameters"]
        amend(out)
        for path, method, made in known:
            if out["paths"].get(path, {}).get(method) is not made:
                raise BlueprintError(
                    f"Two bricks answer {method.upper()} {path}: {made['summary']!r}, and one that claims no paths in its language.",
                    hint="Rename what answers there; the second brick should say its 'claims'.",
                )
    _number_twins(out["paths"])
    return out


def _number_twins(paths: Schema) -> None:
    """Names of operations are made from names of entities, which may meet (``a`` with ``b_c``, ``a_b`` with
    ``c``): the later of two gets a number."""
    taken: set[str] = set()
    for item in paths.values():
        for operation in item.values():
            if not isinstance(operation, dict):
                continue
            name = plain = operation["operationId"]
            while name in taken:
                name = f"{plain}_{len(taken)}"
            operation["operationId"] = name
            taken.add(name)


def ref(name: str) -> Schema:
    """A schema of the document, by name."""
    return {"$ref": f"#/components/schemas/{name}"}


def json_answer(schema: Schema, description: str) -> Schema:
    """An answer in JSON."""
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _problem() -> Schema:
    entry = {
        "type": "object",
        "properties": {"path": {"type": "string"}, "message": {"type": "string"}},
        "required": ["path", "message"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "errors": {"type": "array", "items": entry},
        },
        "required": ["type", "title", "status", "detail"],
        "additionalProperties": False,
    }


def _schemes(plan: Plan) -> Schema:
    out: Schema = {}
    if plan.uses_key:
        out["apiKey"] = {"type": "apiKey", "in": "header", "name": "X-API-Key"}
    if plan.blueprint.users is not None:
        out["bearer"] = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    return out


def operation(
    name: str,
    summary: str,
    tag: str,
    responses: dict[int, Schema],
    *,
    rules: tuple[Access, ...] = (),
    problems: tuple[int, ...] = (),
    parameters: list[Schema] | None = None,
    body: Schema | None = None,
) -> Schema:
    """One operation. ``problems`` are the statuses it may refuse with, beside those that its ``rules`` (who may) and its
    ``body`` bring."""
    codes = set(problems)
    guarded = [a for a in rules if a.who is not Who.PUBLIC]
    if guarded:
        codes.add(401)
    if any(a.who is not Who.PUBLIC for a in guarded):
        codes.add(403)
    out: Schema = {"operationId": name, "summary": summary, "tags": [tag]}
    if parameters:
        out["parameters"] = parameters
    if body is not None:
        out["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
        codes |= set(_BODY)
    out["responses"] = {str(code): r for code, r in responses.items()}
    for code in sorted(codes):
        out["responses"][str(code)] = problem_answer(code)
    if guarded:
        out["security"] = _security(guarded)
    return out


def problem_answer(code: int) -> Schema:
    """A refusal with a status."""
    content = {"application/problem+json": {"schema": ref("Problem")}}
    return {"description": _TITLES[code], "content": content}


def _security(rules: list[Access]) -> list[Schema]:
    """One requirement that names every credential: where two rules hold, both are needed."""
    kinds = ["apiKey" if a.who is Who.KEY else "bearer" for a in rules]
    return [{kind: [] for kind in kinds}]


def path_parameter(name: str) -> Schema:
    """A parameter in the path."""
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def list_parameters(b: Blueprint, e: Entity) -> list[Schema]:
    """The query parameters of a list of an entity's rows."""
    def query(name: str, schema: Schema, description: str = "") -> Schema:
        made = {"name": name, "in": "query", "required": False, "schema": schema}
        return made | ({"description": description} if description else {})

    columns = sort_columns(b, e)
    out = [
        query("limit", {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}),
        query("cursor", {"type": "string", "minLength": 1}, "The next_cursor of the page before."),
        query("sort", {"type": "string", "enum": [s for c in columns for s in (c, f"-{c}")]}),
    ]
    if e.search:
        out.append(query("q", {"type": "string"}, f"Words to find in {', '.join(e.search)}."))
    out.append(query("id", {"type": "string"}))
    for f in e.fields:
        if f.name not in columns:
            continue
        schema = _filter_schema(field_schema(f))
        out.append(query(f.name, schema))
        if f.type.is_number or f.type.is_temporal:
            # A field that is itself called ``price_min`` is filtered by its own value.
            out += [query(n, schema) for n in (f"{f.name}_min", f"{f.name}_max") if n not in columns]
    for r in e.references:
        out.append(query(f"{r.name}_id", {"type": "string"}))
    if is_owned(b, e):
        out.append(query("owner_id", {"type": "string"}))
    if e.timestamps:
        moment = {"type": "string", "format": "date-time"}
        for name in ("created_at", "updated_at"):
            out += [query(n, moment) for n in (name, f"{name}_min", f"{name}_max")]
    return out


def _filter_schema(schema: Schema) -> Schema:
    """What a filter takes: the type, not the limits of stored values."""
    return {k: v for k, v in schema.items() if k in ("type", "format", "enum")}


def sort_columns(b: Blueprint, e: Entity) -> list[str]:
    """The keys that lists can be sorted and filtered by."""
    out = ["id"]
    for f in e.fields:
        plain = f.type not in (FieldType.JSON, FieldType.LIST)
        if plain and f.computed is None and not f.write_only:
            out.append(f.name)
    out += [f"{r.name}_id" for r in e.references]
    if is_owned(b, e):
        out.append("owner_id")
    return out + (["created_at", "updated_at"] if e.timestamps else [])


def page_schema(name: str) -> Schema:
    """One page of the rows of a schema."""
    return {
        "type": "object",
        "properties": {
            "items": {"type": "array", "items": ref(name)},
            "next_cursor": {"type": ["string", "null"]},
        },
        "required": ["items", "next_cursor"],
        "additionalProperties": False,
    }


def _created(name: str) -> Schema:
    made = json_answer(ref(name), "The stored row")
    made["headers"] = {"Location": {"schema": {"type": "string"}}}
    return made


def _entity_paths(plan: Plan, e: Entity) -> Schema:
    b, name, path = plan.blueprint, plan.schemas.row(e), f"/api/{plan.path(e)}"
    body, change = ref(plan.schemas.body(e)), ref(plan.schemas.change(e))
    read, write, create, delete = (b.read_access(e),), (b.write_access(e),), (b.create_access(e),), (b.delete_access(e),)
    gone = {204: {"description": "Deleted"}}
    row = {200: json_answer(ref(name), "The row")}
    noun = e.name.replace("_", " ")
    return {
        path: {
            "get": operation(f"list_{e.name}", f"List {plan.path(e)}", e.name, {200: json_answer(page_schema(name), "A page")}, rules=read, problems=(400,), parameters=list_parameters(b, e)),
            "post": operation(f"create_{e.name}", f"Create one {noun}", e.name, {201: _created(name)}, rules=create, problems=(409,), body=body),
        },
        f"{path}/{{id}}": {
            "parameters": [path_parameter("id")],
            "get": operation(f"get_{e.name}", f"Read one {noun}", e.name, row, rules=read, problems=(404,)),
            "put": operation(f"replace_{e.name}", f"Replace one {noun}", e.name, row, rules=write, problems=(404, 409), body=body),
            "patch": operation(f"change_{e.name}", f"Change one {noun}", e.name, row, rules=write, problems=(404, 409), body=change),
            "delete": operation(f"delete_{e.name}", f"Delete one {noun}", e.name, gone, rules=delete, problems=(404, 409)),
        },
    }  # fmt: skip


def _child_paths(b: Blueprint, plan: Plan, c: Child) -> Schema:
    name, body = plan.schemas.row(c.child), ref(plan.schemas.child(c.child, c.reference))
    path = f"/api/{plan.path(c.parent)}/{{id}}/{c.path}"
    read = (b.read_access(c.parent), b.read_access(c.child))
    create = (b.read_access(c.parent), b.create_access(c.child))
    suffix = f"{c.parent.name}_{c.child.name}_by_{c.reference.name}"
    return {
        path: {
            "parameters": [path_parameter("id")],
            "get": operation(f"list_{suffix}", f"List the {c.path} of one {c.parent.name}", c.parent.name, {200: json_answer(page_schema(name), "A page")}, rules=read, problems=(400, 404), parameters=list_parameters(b, c.child)),
            "post": operation(f"create_{suffix}", f"Create one {c.child.name} of it", c.parent.name, {201: _created(name)}, rules=create, problems=(404, 409), body=body),
        }
    }  # fmt: skip


def _link_paths(b: Blueprint, plan: Plan, link: LinkTable) -> Schema:
    out: Schema = {}
    sides = [(link.source, link.target, link.source_path)]
    if not link.is_self:
        sides.append((link.target, link.source, link.target_path))
    for here, there, segment in sides:
        path = f"/api/{plan.path(here)}/{{id}}/{segment}"
        read = (b.read_access(here), b.read_access(there))
        # The side that declares the link decides over it, from whichever side it is reached.
        write = (b.write_access(link.source), b.read_access(here), b.read_access(there))
        done = {204: {"description": "Done; doing it again changes nothing"}}
        name = f"{here.name}_{segment.replace('-', '_')}"
        out[path] = {
            "parameters": [path_parameter("id")],
            "get": operation(f"linked_{name}", f"List the linked {segment}", here.name, {200: json_answer(page_schema(plan.schemas.row(there)), "A page")}, rules=read, problems=(400, 404), parameters=list_parameters(b, there)),
        }  # fmt: skip
        out[f"{path}/{{other_id}}"] = {
            "parameters": [path_parameter("id"), path_parameter("other_id")],
            "put": operation(f"link_{name}", "Link", here.name, done, rules=write, problems=(404,)),
            "delete": operation(f"unlink_{name}", "Unlink", here.name, done, rules=write, problems=(404,)),
        }
    return out


def _auth_paths() -> Schema:
    session = {
        "type": "object",
        "properties": {"user": ref("User"), "token": {"type": "string"}},
        "required": ["user", "token"],
        "additionalProperties": False,
    }
    login = {
        "type": "object",
        "properties": {"email": field_schema(Field("email", FieldType.EMAIL)), "password": {"type": "string"}},
        "required": ["email", "password"],
    }
    user = (Access(Who.USER),)
    return {
        "/api/auth/register": {"post": operation("register", "Create an account", "auth", {201: json_answer(session, "The account and a token")}, problems=(409,), body=ref("Registration"))},
        "/api/auth/login": {"post": operation("login", "Log in", "auth", {200: json_answer(session, "The account and a token")}, problems=(401,), body=login)},
        "/api/auth/me": {"get": operation("me", "The caller's account", "auth", {200: json_answer(ref("User"), "The account")}, rules=user)},
    }  # fmt: skip
