"""Rules as triggers of the database: whatever changes a row, and however many callers do it at once, a rule that
would be broken undoes the whole change."""

from __future__ import annotations

from collections.abc import Iterator

from clodo.blueprint.formulas import Scope, member
from clodo.blueprint.reads import AFAR, COUNTED, OWN, Counting, Looked, Read, reads
from clodo.blueprint.values import (
    Blueprint,
    Call,
    Entity,
    OnDelete,
    Operand,
    Operation,
    Path,
    Reference,
)
from clodo.bricks.rules.language import (
    MAKER,
    CheckRule,
    NoOverlap,
    Rule,
    key_of,
    named,
    rules_of,
    said,
    tied,
)
from clodo.bricks.rules.samples import conjuncts
from clodo.bricks.rules.transitions import Transitions, initial, refusal
from clodo.emit.expressions import Place, constant, sql

_SHOWN = '"deleted_at" IS NULL'


def triggers(b: Blueprint) -> Iterator[str]:
    """The triggers of all rules."""
    for e in b.entities:
        yield from _transition_triggers(e)
        for number, rule in enumerate(rules_of(e), 1):
            for suffix, when, on, body in _of_rule(b, e, rule):
                name = f"{e.name}__rule_{number}__{suffix}"
                yield f'CREATE TRIGGER "{name}" AFTER {when} ON "{on}"\nBEGIN\n  {body}\nEND;'


def watched(b: Blueprint) -> set[str]:
    """The entities whose changes may break a rule, and those whose rows take such rows along where they go."""
    found = {on for e in b.entities for rule in rules_of(e) for _, _, on, _ in _of_rule(b, e, rule)}
    found |= {e.name for e in b.entities if e.parts_of(Transitions)}
    fresh = set(found)
    while fresh:
        children = [e for e in b.entities if e.name in fresh]
        fresh = {r.target for e in children for r in e.references if not r.required or r.on_delete is not OnDelete.RESTRICT}
        fresh = {name for name in fresh - found if b.entity(name) is not None}
        found |= fresh
    return found


def status_of(b: Blueprint, e: Entity, rule: Rule) -> int:
    """422 where a body contradicts itself, 409 where other rows have a say."""
    alone = isinstance(rule, CheckRule) and not _others(b, e, rule)
    return 422 if alone else 409


def path_shown(e: Entity, rule: Rule) -> str:
    """The key that a refusal names."""
    owner = f"{MAKER}_id"
    return next((key for key in tied(e, rule) if key != owner), "")


#: The ending of a trigger's name, its event, its table and its statement.
_Trigger = tuple[str, str, str, str]


def _of_rule(b: Blueprint, e: Entity, rule: Rule) -> Iterator[_Trigger]:
    broken = _broken(b, e, rule, "NEW.")
    found = _looked_at(b, e, rule)
    keys = list(dict.fromkeys([*_named(e, rule), *(r.column for r in found if isinstance(r, Read) and r.whose == OWN and not r.is_computed)]))
    columns = ", ".join(f'"{key}"' for key in [*keys, *(["deleted_at"] if e.soft_delete else [])])
    refuse = f"SELECT RAISE(ABORT, {constant(_text(b, e, rule))})"
    yield "insert", "INSERT", e.name, f"{refuse} WHERE {broken};"
    if columns:
        yield "update", f"UPDATE OF {columns}", e.name, f"{refuse} WHERE {broken};"
    yield from _from_afar(b, e, rule, found, refuse)


def _looked_at(b: Blueprint, e: Entity, rule: Rule) -> list[Looked]:
    condition = rule.condition if isinstance(rule, CheckRule) else rule.where
    return reads(condition, Scope(b, e)) if condition is not None else []


def _named(e: Entity, rule: Rule) -> list[str]:
    """The columns that a rule names beside its condition."""
    return [] if isinstance(rule, CheckRule) else [key_of(e, name) for name in named(e, rule)]


def _text(b: Blueprint, e: Entity, rule: Rule) -> str:
    return f"{{{{{status_of(b, e, rule)}|{path_shown(e, rule)}|{said(rule)}}}}}"


def _broken(b: Blueprint, e: Entity, rule: Rule, row: str) -> str:
    """The condition that a row breaks the rule; ``row`` is the prefix of its columns."""
    scope = Scope(b, e)
    shown = [f"{row}{_SHOWN}"] if e.soft_delete else []
    if isinstance(rule, CheckRule):
        return " AND ".join([*shown, f"NOT {sql(rule.condition, Place(scope, row, row))}"])
    mine = [sql(rule.where, Place(scope, row, row))] if rule.where is not None else []
    theirs = [sql(rule.where, Place(scope, '"o".', '"o".'))] if rule.where is not None else []
    theirs += [f'"o".{_SHOWN}'] if e.soft_delete else []
    theirs += [f'"o"."{key}" = {row}"{key}"' for key in dict.fromkeys([*e.unique_within, *(key_of(e, name) for name in rule.per)])]
    if isinstance(rule, NoOverlap):
        theirs += [f'"o"."id" <> {row}"id"', f'"o"."{rule.start}" < {row}"{rule.end}"', f'{row}"{rule.start}" < "o"."{rule.end}"']
        found = f'EXISTS (SELECT 1 FROM "{e.name}" AS "o" WHERE {" AND ".join(theirs)})'
    else:
        if rule.period is not None:
            one, other = (sql(rule.period.expression, Place(scope, prefix, prefix)) for prefix in ('"o".', row))
            theirs.append(f"{one} = {other}")
        found = f'(SELECT COUNT(*) FROM "{e.name}" AS "o" WHERE {" AND ".join(theirs)}) > {rule.number}'
    return " AND ".join([*shown, *mine, found])


def _others(b: Blueprint, e: Entity, rule: CheckRule) -> bool:
    return any(not isinstance(r, Read) or r.whose != OWN for r in _looked_at(b, e, rule))


def _from_afar(b: Blueprint, e: Entity, rule: Rule, found: list[Looked], refuse: str) -> Iterator[_Trigger]:
    """Triggers of other tables whose changes may break the rule of rows of ``e``."""
    broken = _broken(b, e, rule, f'"{e.name}".')
    for number, counting in enumerate((r for r in found if isinstance(r, Counting)), 1):
        other = counting.entity
        for event, rows in (("INSERT", ("NEW",)), ("UPDATE", ("NEW", "OLD")), ("DELETE", ("OLD",))):
            near = _near(e, other, counting.call, rows) if counting.own else ""
            body = f'{refuse} WHERE EXISTS (SELECT 1 FROM "{e.name}" WHERE {near}{broken});'
            yield f"{number}_{event.lower()}_of_{other.name}", event, other.name, body
    columns: dict[tuple[str, str], list[str]] = {}
    for r in found:
        if isinstance(r, Read) and r.whose not in (OWN, COUNTED) and not r.is_computed:
            whose = columns.setdefault((r.entity.name, r.whose), [])
            whose += [r.column] if r.column not in whose else []
    for number, ((other_name, reference), names) in enumerate(columns.items(), 1):
        near = f'"{e.name}"."{reference}_id" = NEW."id" AND ' if reference != AFAR else ""
        body = f'{refuse} WHERE EXISTS (SELECT 1 FROM "{e.name}" WHERE {near}{broken});'
        yield f"through_{number}_of_{other_name}", f"UPDATE OF {', '.join(f'{chr(34)}{n}{chr(34)}' for n in names)}", other_name, body


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


def _transition_triggers(e: Entity) -> Iterator[str]:
    """The triggers that keep to the transitions of an entity."""
    for t in e.parts_of(Transitions):
        first = initial(e, t)
        words = f"A new {e.name} begins as {first}.".replace("_", " ")
        yield (
            f'CREATE TRIGGER "{e.name}__{t.field}__begins" AFTER INSERT ON "{e.name}"\nBEGIN\n'
            f"  SELECT RAISE(ABORT, {constant(f'{{{{422|{t.field}|{words}}}}}')}) WHERE NEW.\"{t.field}\" IS NOT {constant(first)};\nEND;"
        )
        allowed = " OR ".join(f'(OLD."{t.field}" = {constant(a)} AND NEW."{t.field}" = {constant(c)})' for a, c in t.pairs)
        refused = f"{{{{409|{t.field}|{refusal(e, t)}}}}}"
        yield (
            f'CREATE TRIGGER "{e.name}__{t.field}__changes" AFTER UPDATE OF "{t.field}" ON "{e.name}"\nBEGIN\n'
            f"  SELECT RAISE(ABORT, {constant(refused)}) WHERE OLD.\"{t.field}\" IS NOT NEW.\"{t.field}\" AND NOT ({allowed});\nEND;"
        )
