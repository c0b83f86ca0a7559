"""What is wrong with a text that the grammar does not admit, and what was probably meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from lark import Lark
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, UnexpectedToken

from clodo.blueprint.misplaced import misplaced
from clodo.blueprint.problems import Problem
from clodo.blueprint.values import FieldType

_KEYWORDS = ["service", "type", "read", "write", "create", "users", "entity", "roles", "unique", "search", "soft", "delete", "no", "timestamps", "required", "default", "min", "above", "max", "below", "pattern", "read-only", "write-only", "role", "or", "public", "key", "user", "owner", "enum", "on", "text", "longtext", "integer", "decimal", "money", "boolean", "date", "datetime", "time", "email", "url", "uuid", "json", "list", "restrict", "cascade"]

#: Words that people try first, and what the language says instead.
_FAMILIAR = {
    "string": "text",
    "str": "text",
    "varchar": "text",
    "int": "integer",
    "number": "integer or decimal",
    "float": "decimal",
    "double": "decimal",
    "bool": "boolean",
    "timestamp": "datetime",
    "long": "longtext",
    "array": "list",
    "model": "entity",
    "table": "entity",
    "nullable": "nothing: fields are optional unless they say required",
    "optional": "nothing: fields are optional unless they say required",
    "notnull": "required",
    "minimum": "min",
    "maximum": "max",
}

_TYPES = "|".join(t.value for t in FieldType)
_FIELD = re.compile(rf"\s*(?P<name>[a-z]\w*)\s+(?P<type>(?:{_TYPES}|->|<->)(?!\w).*)", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(T[\d:.]*(Z|[+-]\d\d:\d\d)?)?|\d\d?:\d\d(:\d\d)?")


def syntax_problem(error: UnexpectedInput, text: str, parser: Lark) -> Problem:
    """The problem that a parser's error stands for, with its place in the text."""
    if not re.sub(r"#[^\n]*", "", text).strip():
        return Problem("There is no blueprint here.", "Begin with 'service bookshop', say.", "", 1, 1)
    line, column = getattr(error, "line", 0) or 0, getattr(error, "column", 0) or 0
    lines = text.split("\n")
    if isinstance(error, UnexpectedEOF) or line < 1 or line > len(lines):
        return _end_problem(lines)
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        return _end_problem(lines)
    elsewhere = misplaced(lines, line, column)
    if elsewhere is not None:
        return elsewhere
    for start, word, suggestion in _meant(lines[line - 1], column - 1):
        return Problem(f"{word!r} is not expected here.", suggestion, "", line, start + 1)
    before, rest = lines[line - 1][: max(column - 1, 0)], lines[line - 1][max(column - 1, 0) :]
    if before.rstrip().endswith("{") and rest.strip():
        return Problem(f"{rest.split()[0]!r} is not expected here.", "Begin a new line behind '{', and give '}' a line of its own.", "", line, column)
    word = rest.split()[0].rstrip(":(){}") if rest.split() else ""
    if isinstance(error, UnexpectedToken) and error.token.type == "_NL" or not word:
        return Problem("The line ends too early.", _expected(error, parser), "", line, column)
    return Problem(f"{word!r} is not expected here.", _suggest(word, error, parser), "", line, column)


def _meant(line: str, at: int) -> Iterator[tuple[int, str, str]]:
    """What people write who know other languages: where it starts, the word and the mend."""
    field = _FIELD.match(line)
    if field is not None and field.start("name") <= at <= field.end("name"):
        yield field.start("name"), field["name"], f"A field's name ends in a colon: write '{field['name']}: {field['type'].strip()}'."
    for found in _MOMENT.finditer(line):
        if found.start() <= at < found.end():
            yield found.start(), found[0], f'Dates and times stand in quotes: write "{found[0]}".'
    for found in re.finditer(r"[a-zA-Z]\w*(-\w+)+", line, re.ASCII):
        if found.start() <= at < found.end() and not line.lstrip().startswith("type "):
            name = _snake(found[0].replace("-", "_"))
            quoted = f', or "{found[0]}" in quotes' if re.search(r"enum\s*\([^)]*$", line[:at]) else ""
            yield found.start(), found[0], f"Names are in snake_case: write {name}{quoted}."
    if re.search(r"\b(min|max|above|below)\s+$", line[:at]) and line[at:].startswith("now"):
        yield at, "now", 'Bounds are fixed moments in quotes: write "2020-01-31", say.'
    if line[at : at + 1] == "'":
        yield at, line[at:].split()[0], "Texts stand in double quotes."
    if line[at : at + 1] in (",", ";"):
        yield at, line[at], "Leave it out: what a line says is separated by spaces."


def _end_problem(lines: list[str]) -> Problem:
    return Problem(
        "The text ends before the blueprint is complete.",
        "Is a closing '}' missing?",
        "",
        len(lines),
        len(lines[-1]) + 1,
    )


def _suggest(word: str, error: UnexpectedInput, parser: Lark) -> str:
    if word.lower() in _FAMILIAR:
        return f"Write {_FAMILIAR[word.lower()]}."
    if word != word.lower() and word.isidentifier() and _names(error) & {"NAME", "KEY"}:
        return f"Names are in snake_case: write {_snake(word)}."
    near = difflib.get_close_matches(word, _KEYWORDS, n=1, cutoff=0.75)
    if near and near[0] != word:
        return f"Did you mean {near[0]}?"
    return _expected(error, parser)


def _snake(word: str) -> str:
    out = "".join(f"_{c.lower()}" if c.isupper() else c for c in word)
    return out.strip("_").replace("__", "_")


def _names(error: UnexpectedInput) -> set[str]:
    """The terminals that could stand there."""
    if isinstance(error, UnexpectedToken):
        return set(error.accepts or error.expected)
    return set(error.allowed or ()) if isinstance(error, UnexpectedCharacters) else set()


def _expected(error: UnexpectedInput, parser: Lark) -> str:
    shown = sorted({_terminal(n, parser) for n in _names(error)} - {""})
    return f"Expected {', '.join(shown[:9])}." if shown else ""


_NAMED_TERMINALS = {
    "KEY": "a line such as 'title: text'",
    "NAME": "a name",
    "STRING": "a text in quotes",
    "NUMBER": "a number",
    "_NL": "the end of the line",
    "PLAIN_TYPE": "a type such as text or integer",
    "WHO": "public, key, user or owner",
    "DELETE_RULE": "restrict, cascade or set null",
    "BOOLEAN": "true or false",
    "SERVICE_TYPE": "a service type such as data-service",
}


def _terminal(name: str, parser: Lark) -> str:
    if name in _NAMED_TERMINALS:
        return _NAMED_TERMINALS[name]
    found = [t for t in parser.terminals if t.name == name]
    if not found:
        return ""
    value = found[0].pattern.value
    if found[0].pattern.type == "str":
        return f"'{value}'"
    # A terminal of a few words is a pattern of them.
    words = re.fullmatch(r"\(\?:(\w+(?:\|\w+)*)\)", value)
    return ", ".join(f"'{word}'" for word in words[1].split("|")) if words else ""
