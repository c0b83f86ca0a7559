"""Rules as triggers of the database: whatever changes a row, and however many callers do it at once, a rule that
would be broken undoes the whole change."""

from __future__ import annotations

from collections.abc import Iterator

from clodo.blueprint.formulas import AGGREGATES, Scope, member, parts, target_of
from clodo.blueprint.values import (
    Blueprint,
    Call,
    Entity,
    Expression,
    Operand,
    Operation,
    Path,
    Reference,
)
from clodo.bricks.rules.language import (
    CheckRule,
    NoOverlap,
    Rule,
    key_of,
    rules_of,
    said,
    tied,
)
from clodo.bricks.rules.samples import conjuncts
from clodo.bricks.rules.transitions import Transitions, transition_triggers
from clodo.emit.expressions import Place, constant, sql

_SHOWN = '"deleted_at" IS NULL'


def triggers(b: Blueprint) -> Iterator[str]:
    """The triggers of all rules."""
    for e in b.entities:
        yield from transition_triggers(e)
        for number, rule in enumerate(rules_of(e), 1):
            for suffix, when, on, body in _of_rule(b, e, rule):
                name = f"{e.name}__rule_{number}__{suffix}"
                yield f'CREATE TRIGGER "{name}" AFTER {when} ON "{on}"\nBEGIN\n  {body}\nEND;'


def watched(b: Blueprint) -> set[str]:
    """The entities whose changes may break a rule."""
    found = {on for e in b.entities for rule in rules_of(e) for _, _, on, _ in _of_rule(b, e, rule)}
    return found | {e.name for e in b.entities if e.parts_of(Transitions)}


def status_of(b: Blueprint, e: Entity, rule: Rule) -> int:
    """422 where a body contradicts itself, 409 where other rows have a say."""
    alone = isinstance(rule, CheckRule) and not _others(b, e, rule.condition)
    return 422 if alone else 409


def path_shown(e: Entity, rule: Rule) -> str:
    """The key that a refusal names."""
    return next(iter(tied(e, rule)), "")


#: The ending of a trigger's name, its event, its table and its statement.
_Trigger = tuple[str, str, str, str]


def _of_rule(b: Blueprint, e: Entity, rule: Rule) -> Iterator[_Trigger]:
    broken = _broken(b, e, rule)
    keys = list(dict.fromkeys(key for key in tied(e, rule) if "." not in key))
    columns = ", ".join(f'"{key}"' for key in [*keys, *(["deleted_at"] if e.soft_delete else [])])
    refuse = f"SELECT RAISE(ABORT, {constant(_text(b, e, rule))})"
    yield "insert", "INSERT", e.name, f"{refuse} WHERE {broken};"
    if columns:
        yield "update", f"UPDATE OF {columns}", e.name, f"{refuse} WHERE {broken};"
    if isinstance(rule, CheckRule):
        yield from _from_afar(b, e, rule.condition, refuse)


def _text(b: Blueprint, e: Entity, rule: Rule) -> str:
    return f"{{{{{status_of(b, e, rule)}|{path_shown(e, rule)}|{said(rule)}}}}}"


def _broken(b: Blueprint, e: Entity, rule: Rule) -> str:
    """The condition that the new row breaks the rule."""
    scope = Scope(b, e)
    shown = [f"NEW.{_SHOWN}"] if e.soft_delete else []
    if isinstance(rule, CheckRule):
        return " AND ".join([*shown, f"NOT {sql(rule.condition, Place(scope, 'NEW.', 'NEW.'))}"])
    mine = [sql(rule.where, Place(scope, "NEW.", "NEW."))] if rule.where is not None else []
    theirs = [sql(rule.where, Place(scope, '"o".', "NEW."))] if rule.where is not None else []
    theirs += [f'"o".{_SHOWN}'] if e.soft_delete else []
    theirs += [f'"o"."{key_of(e, name)}" = NEW."{key_of(e, name)}"' for name in rule.per]
    if isinstance(rule, NoOverlap):
        theirs += ['"o"."id" <> NEW."id"', f'"o"."{rule.start}" < NEW."{rule.end}"', f'NEW."{rule.start}" < "o"."{rule.end}"']
        found = f'EXISTS (SELECT 1 FROM "{e.name}" AS "o" WHERE {" AND ".join(theirs)})'
    else:
        found = f'(SELECT COUNT(*) FROM "{e.name}" AS "o" WHERE {" AND ".join(theirs)}) > {rule.number}'
    return " AND ".join([*shown, *mine, found])


def _others(b: Blueprint, e: Entity, condition: Expression) -> bool:
    return any(True for _ in _aggregates(condition)) or any(True for _ in _paths(b, e, condition))


def _aggregates(condition: Expression) -> Iterator[Call]:
    return (p for p in parts(condition) if isinstance(p, Call) and p.function in AGGREGATES)


def _paths(b: Blueprint, e: Entity, condition: Expression) -> Iterator[tuple[Reference, Entity, str]]:
    """The references that a condition looks through, the entities behind them and the names of what it looks at."""
    for part in parts(condition):
        if isinstance(part, Path):
            names = part.names[1:] if part.names[0] == "this" else part.names
            reference = member(e, names[0]) if len(names) > 1 else None
            target = b.entity(reference.target) if isinstance(reference, Reference) else None
            if isinstance(reference, Reference) and target is not None:
                yield reference, target, names[1]


def _from_afar(b: Blueprint, e: Entity, condition: Expression, refuse: str) -> Iterator[_Trigger]:
    """Triggers of other tables whose changes may break the rule of rows of ``e``."""
    holds = sql(condition, Place(Scope(b, e), f'"{e.name}".', f'"{e.name}".'))
    shown = f' AND "{e.name}".{_SHOWN}' if e.soft_delete else ""
    for number, call in enumerate(_aggregates(condition), 1):
        other = b.entity(target_of(call)[0])
        assert other is not None
        for event, rows in (("INSERT", ("NEW",)), ("UPDATE", ("NEW", "OLD")), ("DELETE", ("OLD",))):
            near = _near(e, other, call, rows)
            body = f'{refuse} WHERE EXISTS (SELECT 1 FROM "{e.name}" WHERE {near}NOT {holds}{shown});'
            yield f"{number}_{event.lower()}_of_{other.name}", event, other.name, body
    for number, (reference, target, name) in enumerate(_paths(b, e, condition), 1):
        column = key_of(target, name)
        if member(target, name) is None or (f := target.field(name)) is not None and f.computed is not None:
            continue
        near = f'"{e.name}"."{reference.name}_id" = NEW."id" AND '
        body = f'{refuse} WHERE EXISTS (SELECT 1 FROM "{e.name}" WHERE {near}NOT {holds}{shown});'
        yield f"through_{number}_of_{target.name}", f'UPDATE OF "{column}"', target.name, body


def _near(e: Entity, other: Entity, call: Call, rows: tuple[str, ...]) -> str:
    """The condition that narrows rows of ``e`` to those that a change of ``other`` can concern, where one is found."""
    for part in conjuncts(call.where) if call.where is not None else ():
        if not isinstance(part, Operation) or part.operator != "=":
            continue
        for theirs, mine in ((part.left, part.right), (part.right, part.left)):
            reference = member(other, str(theirs.value)) if isinstance(theirs, Operand) and theirs.is_field else None
            if not isinstance(reference, Reference):
                continue
            ids = ", ".join(f'{row}."{reference.name}_id"' for row in rows)
            if mine == Operand("this", is_field=True) and reference.target == e.name:
                return f'"{e.name}"."id" IN ({ids}) AND '
            if isinstance(mine, Path) and mine.names[0] == "this" and len(mine.names) == 2:
                return f'"{e.name}"."{key_of(e, mine.names[1])}" IN ({ids}) AND '
    return ""
