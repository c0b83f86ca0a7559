"""Text → blueprint. The grammar stands in ``grammar.lark``; this gives it meaning."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import lark
from lark import Lark, Token, Tree
from lark.exceptions import LarkError, UnexpectedInput

from clodo.blueprint import values as v
from clodo.blueprint.constructs import (
    Construct,
    construct_named,
    constructs,
    constructs_of,
    packages,
    path_of,
    places_of,
)
from clodo.blueprint.hints import syntax_problem
from clodo.blueprint.problems import InvalidBlueprint, Problem, unique_path
from clodo.cache import cache_folder
from clodo.errors import PluginError

#: Where each part stands in the text: path (``book``, ``book.isbn``) → (line, column).
Positions = dict[str, tuple[int, int]]

#: D1 allows expressions of a depth of a hundred, and each operand may add a function around it.
_MOST_OPERANDS = 50
#: Expressions are looked at by functions that call themselves; what their SQL may hold is looked at later.
_MOST_NESTED = 85
_OWN_BRICKS = "clodo.bricks."
_JOINTS = frozenset({"operation", "either", "both", "equal", "compared", "negated", "empty", "filled", "among", "call"})


@cache
def grammar_source() -> str:
    """The text of the grammar."""
    return files("clodo.blueprint").joinpath("grammar.lark").read_text("utf-8")


@cache
def parser() -> Lark:
    """The parser of the language (LALR). Its tables take half a second to work out, so they are kept; where that is not
    possible they are worked out each time."""
    grammar = whole_grammar()
    key = sha256(f"{grammar} {lark.__version__} {sys.version_info[:2]}".encode()).hexdigest()[:24]
    kept = cache_folder() / "grammars" / f"{key}.lark"
    with suppress(Exception), kept.open("rb") as tables:  # what cannot be read, for whatever reason, is worked out again
        return Lark.load(tables)
    made = _made(grammar)
    with suppress(OSError):
        kept.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=kept.parent, delete=False) as file:
            made.save(file)
        Path(file.name).replace(kept)
    return made


def _made(grammar: str) -> Lark:
    try:
        return Lark(grammar, parser="lalr", propagate_positions=True)
    except LarkError as error:
        at_fault = next((package for package in packages() if not _fits(package)), None)
        what = "The grammars of the plug-ins do not go together" if at_fault is None else f"The grammar of the brick {at_fault!r} cannot be used"
        raise PluginError(f"{what}: {str(error).strip().splitlines()[0]}", hint="Uninstall or mend the plug-in that brings it.") from error


def _fits(package: str) -> bool:
    """Whether the language can have what this brick brings, beside Clodo's own: it may name no rule, or one that there is."""
    if package.startswith(_OWN_BRICKS):
        return True
    own = [c for name in packages() if name.startswith(_OWN_BRICKS) for c in constructs_of(name)]
    try:
        Lark(_grammar_of([*own, *constructs_of(package)]), parser="lalr")
    except LarkError:
        return False
    return True


@cache
def whole_grammar() -> str:
    """The grammar with the constructs that bricks bring."""
    return _grammar_of(constructs())


def _grammar_of(constructs: Iterable[Construct]) -> str:
    parts = [grammar_source()]
    for construct in constructs:
        rule = {"service": "section", "entity": "member", "users": "users_member"}[construct.place]
        parts += [construct.grammar, f"%extend {rule}: {construct.name}"]
    return "\n".join(parts) + "\n"


def read(text: str) -> tuple[v.Blueprint, Positions]:
    """The blueprint of a text and where its parts stand, not yet checked for sense.

    Raises:
        InvalidBlueprint: the text does not follow the grammar, or says a thing twice.
    """
    # Editors of Windows begin a file with a byte order mark.
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    try:
        tree = parser().parse(text.rstrip("\n") + "\n")
    except UnexpectedInput as error:
        raise InvalidBlueprint((syntax_problem(error, text, parser()),)) from None
    unfit = tuple(_unfit(tree))
    if unfit:
        raise InvalidBlueprint(unfit)
    builder = _Builder()
    blueprint = builder.blueprint(tree)
    if builder.problems:
        raise InvalidBlueprint(tuple(builder.problems))
    return blueprint, builder.positions


def _unfit(tree: Tree[Any]) -> Iterator[Problem]:
    """What is well-formed and yet too odd or too large to be kept."""
    for token in _tokens(tree, "STRING"):
        if any(c == "\0" or "\ud800" <= c <= "\udfff" for c in text_of(token)):
            yield _at(token, "This text holds a sign that cannot be stored.", "Remove its escapes of \\u0000 and \\ud800 to \\udfff.")
    for expression in _expressions(tree):
        operands = _tokens(expression, "NUMBER", "STRING", "NAME")
        if len(operands) > _MOST_OPERANDS:
            yield _at(
                operands[0],
                f"This expression has {len(operands):,} parts, and {_MOST_OPERANDS} are possible.",
                "Shorten it.",
            )
        elif (deep := _depth(expression)) > _MOST_NESTED:
            yield _at(
                operands[0],
                f"This expression is {deep:,} steps deep, and {_MOST_NESTED} are possible.",
                "Take a 'not' away where there are two, or put halves of it in brackets.",
            )


def _expressions(tree: Tree[Any]) -> Iterator[Tree[Any]]:
    """The trees of whole expressions that have several parts."""
    left = [tree]
    while left:
        for child in left.pop().children:
            if isinstance(child, Tree):
                if child.data in _JOINTS:
                    yield child
                else:
                    left.append(child)


def _depth(tree: Tree[Any]) -> int:
    """How deep an expression is nested. (It may be too deep to recurse into.)"""
    deepest, left = 0, [(tree, 1)]
    while left:
        one, depth = left.pop()
        deepest = max(deepest, depth)
        left += [(child, depth + 1) for child in one.children if isinstance(child, Tree)]
    return deepest


def _tokens(tree: Tree[Any], *types: str) -> list[Token]:
    """The tokens of these types, in the order of the text. (Lark's own search recurses, and a sum of a
    thousand parts is a thousand trees deep.)"""
    found, left = [], [tree]
    while left:
        for child in left.pop().children:
            if isinstance(child, Token):
                found += [child] if child.type in types else []
            else:
                left.append(child)
    return sorted(found, key=lambda t: t.start_pos or 0)


def _at(token: Any, message: str, suggestion: str) -> Problem:
    return Problem(message, suggestion, "", token.line or 0, token.column or 0)


class _Builder:
    """Turns a parse tree into values, noting positions and what is said twice."""

    def __init__(self) -> None:
        self.positions: Positions = {}
        self.problems: list[Problem] = []

    def blueprint(self, tree: Tree[Any]) -> v.Blueprint:
        head, *sections = tree.children
        name, *title = head.children
        self._place("", name)
        blueprint = v.Blueprint(str(name), title=text_of(title[0]) if title else "")
        seen: set[str] = set()
        for section in sections:
            kind = section.data
            if kind == "entity":
                built = self._entity(section)
                blueprint = replace(blueprint, entities=(*blueprint.entities, built))
                continue
            if self._is_part(kind):
                blueprint = replace(blueprint, parts=(*blueprint.parts, self._part(blueprint, section)))
                continue
            if kind in seen:
                self._twice(str(kind).removesuffix("_line"), section)
            seen.add(kind)
            self._line("", section)
            if kind == "type_line":
                blueprint = replace(blueprint, type=v.ServiceType(str(section.children[0])))
            elif kind == "users":
                blueprint = replace(blueprint, users=self._users(section))
            elif kind == "read_line":
                blueprint = replace(blueprint, read=access_of(section.children[0]))
            else:
                blueprint = replace(blueprint, write=access_of(section.children[0]))
        return blueprint

    def _users(self, tree: Tree[Any]) -> v.Users:
        users = v.Users()
        seen: set[str] = set()
        for member in tree.children:
            kind = str(member.data)
            names = tuple(str(n) for n in member.children) if kind in ("roles_line", "search_line", "unique_line") else ()
            if kind in ("roles_line", "search_line"):
                if kind in seen:
                    self._twice(repr(kind.removesuffix("_line")), member)
                seen.add(kind)
                self._line("user.", member)
                users = replace(users, roles=names) if kind == "roles_line" else replace(users, search=names)
            elif kind == "unique_line":
                self._place(unique_path("user", names), member.meta)
                users = replace(users, unique=(*users.unique, names))
            elif self._is_part(kind):
                users = replace(users, parts=(*users.parts, self._part(users, member)))
            else:
                users = replace(users, fields=(*users.fields, self._field("user", member)))
        return users

    @staticmethod
    def _is_part(rule: Any) -> bool:
        return construct_named(str(rule)) is not None

    def _part(self, owner: v.Blueprint | v.Users | v.Entity, tree: Tree[Any]) -> Any:
        """The value of a construct that a brick brought."""
        construct = construct_named(str(tree.data))
        assert construct is not None
        value = construct.build(tree)
        path = path_of(owner, value)
        line, column = getattr(tree.meta, "line", 0), getattr(tree.meta, "column", 0)
        name = str(getattr(value, "name", ""))
        if path in self.positions and (construct.once or name):
            words = f"{construct.name.replace('_', ' ')} {name}".strip()
            self.problems.append(Problem(f"{words} is said twice.", "Rename or remove one.", path, line, column))
        if path not in self.positions:
            self.positions[path] = line, column
            seen: set[str] = set()
            for place, part in places_of(construct, tree, path):
                self._place(place, part.meta)
                if part.data in seen & construct.singles:
                    self._twice(repr(construct.places[str(part.data)]), part)
                seen.add(str(part.data))
        return value

    def _entity(self, tree: Tree[Any]) -> v.Entity:
        name, *members = tree.children
        path = str(name)
        if path in self.positions:
            self._twice(f"entity {path}", tree)
        self._place(path, name)
        entity = v.Entity(path)
        seen: set[str] = set()
        for member in members:
            kind = str(member.data)
            if kind == "field":
                entity = replace(entity, fields=(*entity.fields, self._field(path, member)))
            elif kind == "reference":
                made = self._reference(path, member)
                entity = replace(entity, references=(*entity.references, made))
            elif kind == "link":
                link = v.Link(self._key(path, member.children[0]), str(member.children[1]))
                entity = replace(entity, links=(*entity.links, link))
            elif kind == "unique_line":
                group = tuple(str(n) for n in member.children)
                self._place(unique_path(path, group), member.meta)
                entity = replace(entity, unique=(*entity.unique, group))
            elif self._is_part(kind):
                entity = replace(entity, parts=(*entity.parts, self._part(entity, member)))
            else:
                if kind in seen:
                    self._twice(f"{kind.removesuffix('_line').replace('_', ' ')!r}", member)
                seen.add(kind)
                self._line(f"{path}.", member)
                entity = _with_line(entity, kind, member)
        return entity

    def _field(self, path: str, tree: Tree[Any]) -> v.Field:
        name = self._key(path, tree.children[0])
        made, twice = field_of(tree)
        for modifier in twice:
            self._twice(str(modifier.data).replace("_", "-"), modifier, f"{path}.{name}")
        return made

    def _reference(self, path: str, tree: Tree[Any]) -> v.Reference:
        key, target, *modifiers = tree.children
        r = v.Reference(self._key(path, key), str(target))
        for modifier in modifiers:
            if modifier.data == "on_delete":
                r = replace(r, on_delete=v.OnDelete(str(modifier.children[0])))
            elif modifier.data == "required":
                r = replace(r, required=True)
            else:
                r = replace(r, unique=True)
        return r

    def _key(self, path: str, token: Any) -> str:
        name = str(token).rstrip(": \t")
        if f"{path}.{name}" in self.positions:
            self._problem(f"{path} has {name!r} twice.", "Rename or remove one.", token)
        self._place(f"{path}.{name}", token)
        return name

    def _line(self, front: str, tree: Tree[Any]) -> None:
        """Notes where a line stands that has no name of its own: ``(read)`` of the service, ``book.(search)``."""
        self._place(f"{front}({str(tree.data).removesuffix('_line')})", tree.meta)

    def _place(self, path: str, place: Any) -> None:
        """Notes where a token, or the meta of a tree, stands; that of a tree without tokens stands nowhere."""
        if line := getattr(place, "line", 0):
            self.positions.setdefault(path, (line, place.column or 0))

    def _twice(self, what: str, tree: Tree[Any], path: str = "") -> None:
        line, column = getattr(tree.meta, "line", 0), getattr(tree.meta, "column", 0)
        if not line and path:
            line, column = self.positions.get(path, (0, 0))
        self.problems.append(
            Problem(f"{what} is said twice.", "Remove one of the two.", path, line, column)
        )

    def _problem(self, message: str, suggestion: str, token: Token) -> None:
        self.problems.append(_at(token, message, suggestion))


def field_of(tree: Tree[Any]) -> tuple[v.Field, list[Tree[Any]]]:
    """The field of a key, a type and modifiers, and the modifiers that say again what was said."""
    key, type_, *modifiers = tree.children
    name = str(key).rstrip(": \t")
    if type_.data == "enum_type":
        f = v.Field(name, v.FieldType.ENUM, tuple(_choice(c) for c in type_.children))
    else:
        f = v.Field(name, v.FieldType(str(type_.children[0])))
    twice = []
    for modifier in modifiers:
        changed = _with_modifier(f, modifier)
        # What is hashed is write-only, and may be said to be.
        twice += [modifier] if changed == f and not (f.hashed and modifier.data == "write_only") else []
        f = changed
    return f, twice


def choice_of(tree: Tree[Any]) -> str:
    """The text of a tree of the rule ``choice``."""
    return _choice(tree)


def _with_line(entity: v.Entity, kind: str, tree: Tree[Any]) -> v.Entity:
    if kind == "search_line":
        return replace(entity, search=tuple(str(n) for n in tree.children))
    if kind == "read_line":
        return replace(entity, read=access_of(tree.children[0]))
    if kind == "write_line":
        return replace(entity, write=access_of(tree.children[0]))
    if kind == "create_line":
        return replace(entity, create=access_of(tree.children[0]))
    if kind == "delete_line":
        return replace(entity, delete=access_of(tree.children[0]))
    if kind == "soft_delete":
        return replace(entity, soft_delete=True)
    return replace(entity, timestamps=False)


_MODIFIERS: dict[str, Callable[[list[Any]], dict[str, Any]]] = {
    "required": lambda c: {"required": True},
    "unique": lambda c: {"unique": True},
    "minimum": lambda c: {"minimum": v.Bound(_bound(c[0]))},
    "above": lambda c: {"minimum": v.Bound(_bound(c[0]), exclusive=True)},
    "maximum": lambda c: {"maximum": v.Bound(_bound(c[0]))},
    "below": lambda c: {"maximum": v.Bound(_bound(c[0]), exclusive=True)},
    "pattern": lambda c: {"pattern": text_of(c[0])},
    "read_only": lambda c: {"read_only": True},
    "write_only": lambda c: {"write_only": True},
    "hashed": lambda c: {"hashed": True},
    "computed": lambda c: {"computed": expression_of(c[0])},
}


def _with_modifier(f: v.Field, tree: Tree[Any]) -> v.Field:
    changes = (
        {"default": _default(f, tree.children[0])}
        if tree.data == "default"
        else _MODIFIERS[tree.data](tree.children)
    )
    # A second value for one slot counts as said twice, so it leaves the field as it was.
    if any(getattr(f, slot) not in (None, False) for slot in changes):
        return f
    return replace(f, **changes)


def _default(f: v.Field, tree: Tree[Any]) -> v.Constant | v.Expression:
    """A constant, the word ``now`` where it is one, or what is worked out for each row. A bare word is a value of an enum that has it."""
    e = expression_of(tree)
    if not isinstance(e, v.Operand):
        return e
    bare = e.value in f.values or (e.value == "now" and f.type.is_temporal)
    return e.value if bare or not e.is_field else e


def _bound(tree: Tree[Any]) -> Any:
    """A number or a text; the grammar has no other bounds."""
    return constant_of(tree)


def access_of(tree: Tree[Any]) -> v.Access:
    """The value of a tree of the rule ``access``."""
    names = tuple(str(t) for t in tree.children)
    if tree.data == "access_role":
        return v.Access(v.Who.ROLE, names)
    return v.Access(v.Who(names[0]), names[1:])


def text_of(token: Any) -> str:
    """The text of a token ``STRING``."""
    return str(json.loads(str(token)))


def _choice(tree: Tree[Any]) -> str:
    token = tree.children[0]
    return text_of(token) if tree.data == "quoted" else str(token)


def constant_of(tree: Tree[Any]) -> v.Constant:
    """The value of a tree of the rule ``constant``."""
    token = tree.children[0]
    if tree.data == "number":
        return Decimal(str(token))
    if tree.data == "boolean":
        return str(token) == "true"
    return _choice(tree)


_LEAVES: dict[str, Callable[[Any], v.Expression]] = {
    "number_operand": lambda token: v.Operand(Decimal(str(token))),
    "text_operand": lambda token: v.Operand(text_of(token)),
    "boolean_operand": lambda token: v.Operand(str(token) == "true"),
    "field_operand": lambda token: v.Operand(str(token), is_field=True),
}
_WORDS: dict[str, v.Operator] = {"either": "or", "both": "and", "equal": "="}


def expression_of(tree: Tree[Any]) -> v.Expression:
    """The value of a tree of the rule ``expression``."""
    kind, parts = str(tree.data), tree.children
    if kind in _LEAVES:
        return _LEAVES[kind](parts[0])
    if kind == "path":
        return v.Path(tuple(str(name) for name in parts))
    if kind == "call":
        where = expression_of(parts[2]) if len(parts) > 2 else None
        return v.Call(str(parts[0]), expression_of(parts[1]), where)
    if kind in ("empty", "filled"):
        return v.IsEmpty(expression_of(parts[0]), kind == "filled")
    if kind == "among":
        return v.IsIn(expression_of(parts[0]), tuple(constant_of(c) for c in parts[1:]))
    if kind == "negated":
        return v.Not(expression_of(parts[0]))
    if kind in _WORDS:
        return v.Operation(_WORDS[kind], expression_of(parts[0]), expression_of(parts[1]))
    left, operator, right = parts
    return v.Operation(str(operator), expression_of(left), expression_of(right))  # type: ignore[arg-type]
