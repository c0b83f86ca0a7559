"""Whether an answer is one that the service's own OpenAPI document describes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend

from clodo.blueprint.patterns import PatternError, matches

#: The content type of what another server says, passed on as it is.
ANYTHING = "*/*"
_METHODS = ("get", "put", "post", "delete", "patch")
_REF = Draft202012Validator.VALIDATORS["$ref"]
_PATTERN = Draft202012Validator.VALIDATORS["pattern"]


def _remembering_ref(
    validator: Validator, ref: str, instance: Any, schema: Any
) -> Iterator[ValidationError]:
    """``$ref``, but a value that was found valid once is not looked at again: the same row comes
    back in many answers. The memory lives in the document, that is, for one proof."""
    known: set[tuple[str, str]] = schema["x-known"]
    key = (ref, json.dumps(instance, sort_keys=True))
    if key in known:
        return
    errors = list(_REF(validator, ref, instance, schema) or ())
    if not errors:
        known.add(key)
    yield from errors


def _javascript_pattern(validator: Validator, pattern: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """``pattern`` as JavaScript reads it, which is what the document means."""
    try:
        found = not isinstance(instance, str) or matches(pattern, instance)
    except PatternError:  # a person wrote another one into the document
        yield from _PATTERN(validator, pattern, instance, schema) or ()
        return
    if not found:
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


_Validator = extend(Draft202012Validator, {"$ref": _remembering_ref, "pattern": _javascript_pattern})


@dataclass
class _Operation:
    method: str
    pattern: re.Pattern[str]
    responses: dict[str, Any]
    literals: int
    rest: bool = False
    validators: dict[str, Validator] = field(default_factory=dict)


class Conformance:
    """Holds answers against one OpenAPI document."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._known: set[tuple[str, str]] = set()
        self._components = self._marked(document.get("components", {}))
        self._operations = [
            _Operation(method.upper(), _pattern(path, item[method]), item[method]["responses"], _literals(path), _is_rest(item[method]))
            for path, item in document["paths"].items()
            for method in _METHODS
            if method in item
        ]

    def fault(self, method: str, path: str, status: int, kind: str, text: str, body: Any) -> str:
        """What the document says otherwise; empty where it agrees. ``kind`` is the content type."""
        if method == "OPTIONS" and status == 204 and not text:
            return ""  # a preflight is a matter of browsers, not of the interface
        same, operation = self._operation(method, path)
        if operation is None:
            # Below a path that stands for all others there need not be anything.
            unknown = (405, 404) if same == "rest" else (405,) if same else (404,)
            return "" if status in unknown else f"{method} is not in the document"
        response = operation.responses.get(str(status), operation.responses.get("default"))
        if response is None:
            return f"{status} is not in the document"
        content = response.get("content", {})
        if method == "HEAD" or (not content and not text):
            return ""
        if kind not in content and ANYTHING not in content:
            return f"the content type {kind!r} is not in the document"
        return self._body_fault(operation, str(status), content[kind], body) if "json" in kind and kind in content else ""

    def kinds(self, method: str, path: str, status: int) -> frozenset[str]:
        """The content types that the document has for an answer."""
        _, operation = self._operation(method, path)
        responses = operation.responses if operation is not None else {}
        return frozenset(responses.get(str(status), responses.get("default", {})).get("content", {}))

    def _operation(self, method: str, path: str) -> tuple[str, _Operation | None]:
        """What kind of path of the document it is (none, one, or one of ``x-rest``), and its operation of that method."""
        found = [o for o in self._operations if o.pattern.fullmatch(path)]
        best = max((o.literals for o in found), default=0)
        same = [o for o in found if o.literals == best]
        wanted = "GET" if method == "HEAD" else method
        kind = "" if not same else "rest" if all(o.rest for o in same) else "one"
        return kind, next((o for o in same if o.method == wanted), None)

    def _body_fault(self, operation: _Operation, status: str, media: Any, body: Any) -> str:
        if status not in operation.validators:
            schema = {**self._marked(media.get("schema", {})), "components": self._components}
            operation.validators[status] = _Validator(schema)
        error = next(iter(operation.validators[status].iter_errors(body)), None)
        if error is None:
            return ""
        where = "/".join(str(p) for p in error.absolute_path)
        return f"{where or 'the body'}: {error.message[:160]}"

    def _marked(self, schema: Any) -> Any:
        """The schema, with the memory beside each ``$ref``."""
        if isinstance(schema, list):
            return [self._marked(s) for s in schema]
        if not isinstance(schema, dict):
            return schema
        marked = {k: self._marked(v) for k, v in schema.items()}
        return {**marked, "x-known": self._known} if isinstance(schema.get("$ref"), str) else marked


def _pattern(path: str, operation: dict[str, Any]) -> re.Pattern[str]:
    """The paths of an operation. A parameter marked ``x-rest`` stands for all that follows, slashes too."""
    return re.compile(re.sub(r"\\\{[^}]*\\\}", ".+" if _is_rest(operation) else "[^/]+", re.escape(path)))


def _is_rest(operation: dict[str, Any]) -> bool:
    return any(p.get("x-rest") for p in operation.get("parameters", ()))


def _literals(path: str) -> int:
    return sum(not segment.startswith("{") for segment in path.split("/"))


def document_faults(document: dict[str, Any]) -> Iterator[str]:
    """What makes a document no valid OpenAPI 3.1: structure, references, parameters, schemas."""
    if not re.fullmatch(r"3\.1\.\d+", str(document.get("openapi"))):
        yield "'openapi' is not 3.1"
    info = document.get("info", {})
    if not all(isinstance(info.get(k), str) and info[k] for k in ("title", "version")):
        yield "'info' lacks title or version"
    names = set()
    for path, item in document.get("paths", {}).items():
        if not path.startswith("/"):
            yield f"the path {path!r} does not start with a slash"
        shared = item.get("parameters", [])
        for method in (m for m in item if m in _METHODS):
            operation = item[method]
            yield from _operation_faults(f"{method.upper()} {path}", path, operation, shared)
            if operation.get("operationId") in names:
                yield f"operationId {operation['operationId']!r} is used twice"
            names.add(operation.get("operationId"))
    yield from _reference_faults(document, document)
    for name, schema in document.get("components", {}).get("schemas", {}).items():
        try:
            Draft202012Validator.check_schema(schema)
        except Exception as error:
            yield f"the schema {name} is none: {str(error)[:100]}"


def _operation_faults(
    where: str, path: str, operation: dict[str, Any], shared: list[Any]
) -> Iterator[str]:
    parameters = [*shared, *operation.get("parameters", [])]
    declared = {p["name"] for p in parameters if p["in"] == "path" and p.get("required") is True}
    if declared != set(re.findall(r"\{([^}]*)\}", path)):
        yield f"{where}: the path's parameters are not those that are declared"
    keys = [(p["in"], p["name"]) for p in parameters]
    if len(keys) != len(set(keys)):
        yield f"{where}: a parameter is declared twice"
    if not operation.get("responses"):
        yield f"{where}: no responses"
    for status, response in operation.get("responses", {}).items():
        if not re.fullmatch(r"[1-5]\d\d|default", status) or not response.get("description"):
            yield f"{where}: the response {status} is malformed or not described"


def _reference_faults(node: Any, document: dict[str, Any]) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _reference_faults(item, document)
    elif isinstance(node, dict):
        ref = node.get("$ref")
        if isinstance(ref, str):
            found: Any = document
            for part in ref.removeprefix("#/").split("/"):
                found = found.get(part) if isinstance(found, dict) else None
            if found is None or not ref.startswith("#/"):
                yield f"{ref} refers to nothing"
        for value in node.values():
            yield from _reference_faults(value, document)
