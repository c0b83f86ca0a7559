"""``change when status = "draft" except role manager "Only drafts can be changed."`` and ``delete when …`` in entities."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from lark import Tree

from clodo.blueprint.checks import access_problems
from clodo.blueprint.constructs import Construct, path_of
from clodo.blueprint.formulas import Scope, condition_problems, names_in
from clodo.blueprint.problems import Problem
from clodo.blueprint.syntax import expression_of, text_of
from clodo.blueprint.text import expression_text, quote
from clodo.blueprint.values import Access, Blueprint, Entity, Expression, FieldType, Who
from clodo.bricks.rules.language import key_of
from clodo.bricks.rules.samples import made_to_hold
from clodo.bricks.rules.transitions import Transitions


@dataclass(frozen=True, slots=True)
class ChangeWhen:
    """A request may change a row only while the row meets the condition, but for those of ``free``, roles that it does not hold up;
    ``message`` may be empty."""

    condition: Expression
    message: str = ""
    free: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeleteWhen:
    """The same for deleting it."""

    condition: Expression
    message: str = ""
    free: tuple[str, ...] = ()


Lock = ChangeWhen | DeleteWhen
LOCKS = (ChangeWhen, DeleteWhen)
_VERBS = {ChangeWhen: "change", DeleteWhen: "delete"}


def verb_of(lock: Lock) -> str:
    """``change`` or ``delete``: what the lock is about."""
    return _VERBS[type(lock)]


def locks_of(e: Entity) -> tuple[Lock, ...]:
    """The locks of an entity, in their order."""
    return tuple(p for p in e.parts if isinstance(p, LOCKS))


def free_fields(e: Entity) -> tuple[str, ...]:
    """Fields that go on changing: those with rules of their own on how they do, and the state that the lock itself speaks of."""
    named = {name for k in e.parts_of(ChangeWhen) for name in names_in(k.condition)}
    states = [f.name for f in e.fields if f.type is FieldType.ENUM and f.name in named]
    return tuple(dict.fromkeys([*(t.field for t in e.parts_of(Transitions)), *states]))


def said(lock: Lock) -> str:
    """What the service says where the condition does not hold."""
    return lock.message or f"This can be {verb_of(lock)}d only while this holds: {expression_text(lock.condition)}."


def _build(kind: type[Lock]) -> Any:
    def build(tree: Tree[Any]) -> Lock:
        condition, *rest = tree.children
        free = tuple(str(name) for part in rest if isinstance(part, Tree) for name in part.children)
        message = [text_of(part) for part in rest if not isinstance(part, Tree)]
        return kind(expression_of(condition), message[0] if message else "", free)

    return build


def _lines(lock: Lock) -> list[str]:
    free = f" except role {', '.join(lock.free)}" if lock.free else ""
    message = f" {quote(lock.message)}" if lock.message else ""
    return [f"{verb_of(lock)} when {expression_text(lock.condition)}{free}{message}"]


def rule_of(b: Blueprint, e: Entity, lock: Lock) -> Access:
    """Who may do at all what a lock is about."""
    return b.write_access(e) if isinstance(lock, ChangeWhen) else b.delete_access(e)


def _problems(b: Blueprint, e: Entity, lock: Lock) -> Iterator[Problem]:
    path = path_of(e, lock)
    yield from (Problem(message, "Mend the condition.", path) for message in condition_problems(lock.condition, Scope(b, e)))
    yield from _on_free(b, e, lock, path)
    if len(lock.message) > 200 or "\n" in lock.message:
        yield Problem("The message of a lock is one short line.", "Shorten it.", path)


def _on_free(b: Blueprint, e: Entity, lock: Lock, path: str) -> Iterator[Problem]:
    """What is wrong with the roles that a lock does not hold up."""
    if not lock.free:
        return
    yield from access_problems(b, Access(Who.ROLE, lock.free), path)
    rule = rule_of(b, e, lock)
    named = {*rule.roles, *(("admin",) if rule.roles else ())}
    if rule.who is Who.KEY or (rule.who in (Who.ROLE, Who.OWNER) and not named.issuperset(lock.free)):
        yield Problem(f"A lock of {e.name} is not to hold up some who may not {verb_of(lock)} it.", f"Let them: '{rule}' is who may.", path)
    if rule.who is Who.ROLE and {*lock.free, "admin"} >= named:
        yield Problem(f"A lock of {e.name} holds up nobody.", f"Leave out of 'except' some of those who may: '{rule}'.", path)


def _fit(e: Entity, lock: Lock, body: dict[str, Any], number: int) -> None:
    made_to_hold(e, lock.condition, body)


def _entangled(e: Entity, lock: Lock) -> Iterable[str]:
    return [key_of(e, name) for name in names_in(lock.condition)]


def _construct(name: str, kind: type[Lock]) -> Construct:
    grammar = f'{name}: "{_VERBS[kind]}" "when" expression lock_free? STRING? _NL'
    if kind is ChangeWhen:
        grammar += '\nlock_free: "except" "role" NAME ("," NAME)*'
    return Construct(name, "entity", kind, grammar, _build(kind), _lines, check=_problems, fit=_fit, entangled=_entangled)


CONSTRUCTS = (_construct("change_when", ChangeWhen), _construct("delete_when", DeleteWhen))
