"""Rules as triggers of the database: whatever changes a row, and however many callers do it at once, a rule that
would be broken undoes the whole change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from clodo.blueprint.constructs import construct_of
from clodo.blueprint.formulas import Kind, Scope, member, type_of
from clodo.blueprint.reads import AFAR, COUNTED, OWN, Counting, Looked, Read, reads
from clodo.blueprint.values import (
    Blueprint,
    Call,
    Entity,
    Expression,
    OnDelete,
    Operand,
    Operation,
    Path,
    Reference,
)
from clodo.bricks.rules.language import (
    CheckRule,
    NoOverlap,
    Rule,
    is_kept_in_order,
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
#: While a step of several statements runs, this table holds a row without a rule, and the rows of which some rules are to hold
#: when all is done.
_WAITING = '"_rules_waiting"'
_WAITS = f"EXISTS (SELECT 1 FROM {_WAITING} WHERE \"rule\" = '')"
#: The statements around those of such a step. The second fails where a rule does not hold.
PUT_OFF = f"INSERT INTO {_WAITING} (\"rule\", \"id\") VALUES ('', '')"
HOLD = f"DELETE FROM {_WAITING} WHERE \"rule\" = ''"


def triggers(b: Blueprint) -> Iterator[str]:
    """The triggers of all rules, and the table of those that are put off."""
    waiting = []
    for e in b.entities:
        yield from _transition_triggers(e)
        for number, rule in enumerate(rules_of(e), 1):
            later = f"{e.name}__rule_{number}" if _is_put_off(b, e, rule) else ""
            if later:
                waiting.append((e, rule, later))
            for suffix, when, on, body in _of_rule(b, e, rule, later):
                name = f"{e.name}__rule_{number}__{suffix}"
                yield f'CREATE TRIGGER "{name}" AFTER {when} ON "{on}"\nBEGIN\n  {body}\nEND;'
    if waiting:
        yield f'CREATE TABLE {_WAITING} ("rule" TEXT NOT NULL, "id" TEXT NOT NULL, PRIMARY KEY ("rule", "id")) WITHOUT ROWID;'
        ends = "".join(f"  {_at_the_end(b, e, rule, later)}\n" for e, rule, later in waiting)
        yield f"CREATE TRIGGER \"_rules_waiting__end\" AFTER DELETE ON {_WAITING} WHEN OLD.\"rule\" = ''\nBEGIN\n{ends}  DELETE FROM {_WAITING};\nEND;"


def _is_put_off(b: Blueprint, e: Entity, rule: Rule) -> bool:
    """Whether some step changes what a rule counts or holds it against by more than one row, so that the rule can only hold
    when all is done."""
    return any(_waits_for(b, e, rule, owner, part) for owner in (None, *b.entities) for part in (b if owner is None else owner).parts)


def _waits_for(b: Blueprint, e: Entity, rule: Rule, owner: Entity | None, part: object) -> bool:
    if not isinstance(rule, CheckRule) or not any(isinstance(r, Counting) for r in _looked_at(b, e, rule)):
        return False
    changed = list(construct_of(part).together(b, owner, part))
    watched = {on for _, _, on, _ in _of_rule(b, e, rule)} if len(changed) > 1 else set()
    return sum(name in watched for name in changed) > 1


def puts_off(b: Blueprint, owner: Entity | None, part: object) -> bool:
    """Whether rules wait for the end of a step."""
    return any(_waits_for(b, e, rule, owner, part) for e in b.entities for rule in rules_of(e))


def _at_the_end(b: Blueprint, e: Entity, rule: Rule, later: str) -> str:
    rows = f'SELECT "id" FROM {_WAITING} WHERE "rule" = {constant(later)}'
    refuse = f"SELECT RAISE(ABORT, {constant(_text(b, e, rule))})"
    found = (f'SELECT 1 FROM "{e.name}" WHERE "{e.name}"."id" IN ({rows}) AND {broken}' for broken in _broken(b, e, rule, f'"{e.name}".'))
    return "\n  ".join(f"{refuse} WHERE EXISTS ({one});" for one in found)


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
    """The key that a refusal names: one that a body may have, or none."""
    keys = {f.name for f in e.fields if f.computed is None and not f.read_only} | {f"{r.name}_id" for r in e.references}
    return next((key for key in tied(e, rule) if key in keys), "")


#: The ending of a trigger's name, its event, its table and its statement.
_Trigger = tuple[str, str, str, str]


def _of_rule(b: Blueprint, e: Entity, rule: Rule, later: str = "") -> Iterator[_Trigger]:
    """``later`` is what the rule is called where it waits for the end of steps."""
    broken = _broken(b, e, rule, "NEW.")
    found = _looked_at(b, e, rule)
    keys = list(dict.fromkeys([*_named(e, rule), *(r.column for r in found if isinstance(r, Read) and r.whose == OWN and not r.is_computed)]))
    columns = ", ".join(f'"{key}"' for key in [*keys, *(["deleted_at"] if e.soft_delete else [])])
    text = _text(b, e, rule)
    body = _refusing(text, broken, later)
    yield "insert", "INSERT", e.name, body
    if columns:
        yield "update", f"UPDATE OF {columns}", e.name, body
    if isinstance(rule, NoOverlap) and not is_kept_in_order(e, rule):
        ends = ", ".join(f'"{key}"' for key in [rule.start, rule.end, *(["deleted_at"] if e.soft_delete else [])])
        turned = _turned(b, e, rule)
        yield "order_insert", "INSERT", e.name, turned
        yield "order_update", f"UPDATE OF {ends if rule.where is None else columns}", e.name, turned
    yield from _from_afar(b, e, rule, found, text, later)


def _refusing(text: str, broken: list[str], later: str, e: Entity | None = None, near: str = "") -> str:
    """The body of a trigger that refuses what breaks a rule in one of some ways."""
    return "\n  ".join(_refusing_one(text, one, later, e, near) for one in broken)


def _refusing_one(text: str, broken: str, later: str, e: Entity | None, near: str) -> str:
    """The statements that refuse a broken rule, of a trigger's own row or of rows of ``e``; of one that waits, notes the rows."""
    which = f'FROM "{e.name}" WHERE ' if e is not None else "WHERE "
    refuse = f"SELECT RAISE(ABORT, {constant(text)})"
    refuse += f" WHERE EXISTS (SELECT 1 {which}{near}{broken})" if e is not None else f" WHERE {broken}"
    if not later:
        return f"{refuse};"
    id = f'"{e.name}"."id"' if e is not None else 'NEW."id"'
    note = f"INSERT OR IGNORE INTO {_WAITING} (\"rule\", \"id\") SELECT {constant(later)}, {id} {which}{_WAITS} AND {near}{broken};"
    now = refuse.replace(" WHERE ", f" WHERE NOT {_WAITS} AND ", 1)
    return f"{note}\n  {now};"


def _turned(b: Blueprint, e: Entity, rule: NoOverlap) -> str:
    """Refuses a range whose end lies before its start, unless a rule of the row itself says so in its own words."""
    scope = Scope(b, e)
    parts = ['NEW."deleted_at" IS NULL'] if e.soft_delete else []
    parts += [sql(rule.where, Place(scope, "NEW.", "NEW."))] if rule.where is not None else []
    parts.append(f'NEW."{rule.end}" < NEW."{rule.start}"')
    for other in rules_of(e):
        if isinstance(other, CheckRule) and not _others(b, e, other) and {rule.start, rule.end} & {r.column for r in _looked_at(b, e, other) if isinstance(r, Read)}:
            parts.append(f"{sql(other.condition, Place(scope, 'NEW.', 'NEW.'))} IS NOT 0")
    words = f"The {rule.end} of this {e.name} lies before its {rule.start}.".replace("_", " ")
    return f"SELECT RAISE(ABORT, {constant(f'{{{{422|{rule.end}|{words}}}}}')}) WHERE {' AND '.join(parts)};"


def _looked_at(b: Blueprint, e: Entity, rule: Rule) -> list[Looked]:
    condition = rule.condition if isinstance(rule, CheckRule) else rule.where
    return reads(condition, Scope(b, e)) if condition is not None else []


def _named(e: Entity, rule: Rule) -> list[str]:
    """The columns that a rule names beside its condition."""
    return [] if isinstance(rule, CheckRule) else [key_of(e, name) for name in named(e, rule)]


def _text(b: Blueprint, e: Entity, rule: Rule) -> str:
    return f"{{{{{status_of(b, e, rule)}|{path_shown(e, rule)}|{said(rule)}}}}}"


def _broken(b: Blueprint, e: Entity, rule: Rule, row: str) -> list[str]:
    """The conditions that a row breaks the rule: as it is, and as it and others will be when their time has come. ``row`` is the prefix of
    its columns."""
    turned = {key: turn for key, turn in _turning(b).items() if any(isinstance(r, Read) and (r.entity.name, r.name) == key for r in _looked_at(b, e, rule))}
    return [_broken_where(b, e, rule, row, place) for place in (Place(Scope(b, e)), *([Place(Scope(b, e), turned=turned)] if turned else []))]


def _turning(b: Blueprint) -> dict[tuple[str, str], tuple[str, str]]:
    """The fields whose values change by themselves when their time comes, each with its entity: from what to what."""
    return {(e.name, turn[0]): turn[1:] for e in b.entities for part in e.parts if (turn := construct_of(part).turns) is not None}


def _broken_where(b: Blueprint, e: Entity, rule: Rule, row: str, place: Place) -> str:
    """One of these conditions; ``place`` says how columns count."""

    def made(expression: Expression, prefix: str) -> str:
        return sql(expression, replace(place, row=prefix, this=prefix))

    shown = [f"{row}{_SHOWN}"] if e.soft_delete else []
    if isinstance(rule, CheckRule):
        return " AND ".join([*shown, f"NOT {made(rule.condition, row)}"])
    mine = [made(rule.where, row)] if rule.where is not None else []
    theirs = [made(rule.where, '"o".')] if rule.where is not None else []
    theirs += [f'"o".{_SHOWN}'] if e.soft_delete else []
    theirs += [f'"o"."{key}" = {row}"{key}"' for key in dict.fromkeys([*e.unique_within, *(key_of(e, name) for name in rule.per)])]
    if isinstance(rule, NoOverlap):
        theirs += [f'"o"."id" <> {row}"id"', _before(e, rule, '"o".', row), _before(e, rule, row, '"o".')]
        found = f'EXISTS (SELECT 1 FROM "{e.name}" AS "o" WHERE {" AND ".join(theirs)})'
    else:
        if rule.period is not None:
            one, other = (made(rule.period.expression, prefix) for prefix in ('"o".', row))
            theirs.append(f"{one} = {other}")
        found = f'(SELECT COUNT(*) FROM "{e.name}" AS "o" WHERE {" AND ".join(theirs)}) > {rule.number}'
    return " AND ".join([*shown, *mine, found])


def _before(e: Entity, rule: NoOverlap, one: str, other: str) -> str:
    """The condition that one range begins before the other ends. What has no start has begun, what has no end does not end."""
    made = f'{one}"{rule.start}" < {other}"{rule.end}"'
    ends = [e.field(name) for name in (rule.start, rule.end)]
    return made if all(f is not None and f.required for f in ends) else f"COALESCE({made}, 1)"


def _others(b: Blueprint, e: Entity, rule: CheckRule) -> bool:
    return any(not isinstance(r, Read) or r.whose != OWN for r in _looked_at(b, e, rule))


def _from_afar(b: Blueprint, e: Entity, rule: Rule, found: list[Looked], text: str, later: str) -> Iterator[_Trigger]:
    """Triggers of other tables whose changes may break the rule of rows of ``e``."""
    broken = _broken(b, e, rule, f'"{e.name}".')
    for number, counting in enumerate((r for r in found if isinstance(r, Counting)), 1):
        other = counting.entity
        columns = _counted_columns(other, found)
        for event, rows in (("INSERT", ("NEW",)), ("UPDATE", ("NEW", "OLD")), ("DELETE", ("OLD",))):
            if event == "UPDATE" and not columns:
                continue
            near = _near(b, e, other, counting.call, rows) if counting.own else ""
            on = f"UPDATE OF {_quoted(columns)}" if event == "UPDATE" else event
            yield f"{number}_{event.lower()}_of_{other.name}", on, other.name, _refusing(text, broken, later, e, near)
    columns_of: dict[tuple[str, str], list[str]] = {}
    for r in found:
        if isinstance(r, Read) and r.whose not in (OWN, COUNTED) and not r.is_computed:
            whose = columns_of.setdefault((r.entity.name, r.whose), [])
            whose += [r.column] if r.column not in whose else []
    for number, ((other_name, reference), names) in enumerate(columns_of.items(), 1):
        near = f'"{e.name}"."{reference}_id" = NEW."id" AND ' if reference != AFAR else ""
        yield f"through_{number}_of_{other_name}", f"UPDATE OF {_quoted(names)}", other_name, _refusing(text, broken, later, e, near)


def _quoted(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _counted_columns(other: Entity, found: list[Looked]) -> list[str]:
    """The columns of rows that are counted of which it depends whether, and with what, they count."""
    looked = [r.column for r in found if isinstance(r, Read) and r.entity.name == other.name and r.whose == COUNTED and not r.is_computed]
    return list(dict.fromkeys([*looked, *other.unique_within, *(["deleted_at"] if other.soft_delete else [])]))


def _near(b: Blueprint, e: Entity, other: Entity, call: Call, rows: tuple[str, ...]) -> str:
    """The condition that narrows rows of ``e`` to those that a change of ``other`` can concern, where one is found: its row, and what
    that refers to, is asked for them."""
    scope = Scope(b, e).within(other)
    for part in conjuncts(call.where) if call.where is not None else ():
        if not isinstance(part, Operation) or part.operator != "=":
            continue
        for theirs, mine in ((part.left, part.right), (part.right, part.left)):
            if not _is_of_row(other, theirs) or type_of(theirs, scope, []).kind is not Kind.ROW:
                continue
            column = "id" if mine == Operand("this", is_field=True) else ""
            if isinstance(mine, Path) and mine.names[0] == "this" and len(mine.names) == 2 and member(other, "this") is None:
                column = key_of(e, mine.names[1])
            if column:
                ids = ", ".join(sql(theirs, Place(Scope(b, other), f"{row}.", f"{row}.")) for row in rows)
                return f'"{e.name}"."{column}" IN ({ids}) AND '
    return ""


def _is_of_row(other: Entity, side: Expression) -> bool:
    """Whether one side of a comparison is a reference of the row itself, or of a row that it leads to."""
    first = str(side.value) if isinstance(side, Operand) and side.is_field else side.names[0] if isinstance(side, Path) else ""
    return isinstance(member(other, first), Reference)


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
