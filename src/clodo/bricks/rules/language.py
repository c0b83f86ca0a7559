"""``check …``, ``at most … per …``, ``no overlap (…)`` and ``transitions …`` in an entity."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lark import Token, Tree

from clodo.blueprint.constructs import Construct, path_of
from clodo.blueprint.evaluation import moved
from clodo.blueprint.formulas import (
    LINKED,
    MOST_DEPTH,
    PERIODS,
    Kind,
    Scope,
    condition_problems,
    heights,
    member,
    names_in,
    parts,
    target_of,
    too_deep,
    type_of,
    type_of_member,
)
from clodo.blueprint.plan import is_owned
from clodo.blueprint.problems import Problem
from clodo.blueprint.reads import OWN, LinkRead, Read, reads
from clodo.blueprint.syntax import expression_of, text_of
from clodo.blueprint.text import expression_text, number, quote
from clodo.blueprint.values import (
    Blueprint,
    Call,
    Entity,
    Expression,
    Field,
    FieldType,
    Operand,
    Operation,
    Path,
    Reference,
)
from clodo.bricks.rules import transitions
from clodo.bricks.rules.absent import shared_problems, unmet_problems
from clodo.bricks.rules.room import leanings
from clodo.bricks.rules.samples import conjuncts, made_to_hold, ranged

#: What rules call the user that a row belongs to.
MAKER = "owner"
#: Days after which another period has begun for sure.
DAYS = {"hour": 1 / 24, "day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}


@dataclass(frozen=True, slots=True)
class CheckRule:
    """A condition that holds of every row, whatever changes. ``message`` may be empty."""

    condition: Expression
    message: str = ""


@dataclass(frozen=True, slots=True)
class Period:
    """Rows whose ``moment`` (a field, or ``created_at``) lies in one hour, day, week (from Monday on), month, quarter or year."""

    unit: str
    moment: str

    @property
    def expression(self) -> Expression:
        """The period of a row, as a name of it that sorts."""
        return Call(self.unit, Operand(self.moment, is_field=True))


@dataclass(frozen=True, slots=True)
class AtMost:
    """No more than ``number`` rows that share what ``per`` names (fields, references, ``owner``), lie in one ``period`` and meet
    ``where``."""

    number: int
    per: tuple[str, ...]
    where: Expression | None = None
    message: str = ""
    period: Period | None = None


@dataclass(frozen=True, slots=True)
class NoOverlap:
    """The ranges from ``start`` (inclusive) to ``end`` (exclusive) of rows that share what ``per`` names and meet
    ``where`` do not overlap."""

    start: str
    end: str
    per: tuple[str, ...] = ()
    where: Expression | None = None
    message: str = ""


Rule = CheckRule | AtMost | NoOverlap
RULES = (CheckRule, AtMost, NoOverlap)


def rules_of(entity: Entity) -> tuple[Rule, ...]:
    """The rules of an entity, in their order."""
    return tuple(p for p in entity.parts if isinstance(p, RULES))


def said(rule: Rule) -> str:
    """What the service says where a rule is broken."""
    if rule.message:
        return rule.message
    if isinstance(rule, CheckRule):
        words = expression_text(rule.condition)
        # Braces end what the database says of a rule.
        return f"This must hold: {words}." if "}}" not in words and "{{" not in words else "This would break a rule."
    whose = f" for one {' and '.join(rule.per)}".replace("_", " ") if rule.per else ""
    if isinstance(rule, AtMost):
        within = f" in one {rule.period.unit}" if rule.period is not None else ""
        return f"There can be {rule.number} at most{whose}{within}."
    return f"This overlaps with another{whose}."


def _pieces(tree: Tree[Any]) -> tuple[list[str], Expression | None, str]:
    """The names, the condition and the message of a rule."""
    names = [str(t) for t in tree.children if isinstance(t, Token) and t.type == "NAME"]
    texts = [text_of(t) for t in tree.children if isinstance(t, Token) and t.type == "STRING"]
    trees = [expression_of(t) for t in tree.children if isinstance(t, Tree)]
    return names, trees[0] if trees else None, texts[0] if texts else ""


def _check_rule(tree: Tree[Any]) -> CheckRule:
    condition, message = tree.children[0], tree.children[1] if len(tree.children) > 1 else None
    return CheckRule(expression_of(condition), text_of(message) if message is not None else "")


def _at_most(tree: Tree[Any]) -> AtMost:
    periods = [Period(*map(str, t.children)) for t in tree.children if isinstance(t, Tree) and t.data == "period"]
    rest = [t for t in tree.children if not (isinstance(t, Tree) and t.data == "period")]
    names, where, message = _pieces(Tree(tree.data, rest))
    # A number of the language may have a fraction; ``check`` sees to it.
    given = Decimal(str(tree.children[0]))
    number = int(given) if given == given.to_integral_value() else -1
    return AtMost(number, tuple(names), where, message, periods[0] if periods else None)


def _no_overlap(tree: Tree[Any]) -> NoOverlap:
    (start, end, *per), where, message = _pieces(tree)
    return NoOverlap(start, end, tuple(per), where, message)


def _tail(rule: AtMost | NoOverlap) -> str:
    where = f" where {expression_text(rule.where)}" if rule.where is not None else ""
    return where + (f" {quote(rule.message)}" if rule.message else "")


def _check_lines(rule: CheckRule) -> list[str]:
    message = f" {quote(rule.message)}" if rule.message else ""
    return [f"check {expression_text(rule.condition)}{message}"]


def _at_most_lines(rule: AtMost) -> list[str]:
    per = f" per {', '.join(rule.per)}" if rule.per else ""
    period = f" per {rule.period.unit} of {rule.period.moment}" if rule.period is not None else ""
    return [f"at most {number(Decimal(rule.number))}{per}{period}{_tail(rule)}"]


def _no_overlap_lines(rule: NoOverlap) -> list[str]:
    per = f" per {', '.join(rule.per)}" if rule.per else ""
    return [f"no overlap ({rule.start}, {rule.end}){per}{_tail(rule)}"]


def _problems(b: Blueprint, e: Entity, rule: Rule) -> Iterator[Problem]:
    path = path_of(e, rule)
    condition = rule.condition if isinstance(rule, CheckRule) else rule.where
    if condition is not None:
        found = condition_problems(condition, Scope(b, e))
        height, beside = heights(condition, Scope(b, e)) if not found else (0, 0)
        afar = not isinstance(rule, CheckRule) or any(not isinstance(r, Read) or r.whose != OWN for r in reads(condition, Scope(b, e)))
        # What looks at other rows stands within a query of its own.
        if afar and 2 * height + beside > MOST_DEPTH:
            found = [too_deep(2 * height + beside, MOST_DEPTH)]
        yield from (Problem(message, "Mend the condition of the rule.", path) for message in found)
        if any(isinstance(r, LinkRead) for r in reads(condition, Scope(b, e))):
            yield Problem("A rule does not see when links change.", f"Ask for links where an action is called: when count(tag where {LINKED}(this)) > 2, say.", path)
    if len(rule.message) > 200 or any(sign in rule.message for sign in ("{{", "}}", "|", "\n")) or rule.message.endswith("}"):
        yield Problem("The message of a rule is one short line without braces or bars.", "Shorten it.", path)
    if isinstance(rule, CheckRule):
        yield from unmet_problems(e, rule.condition, path)
        return
    yield from shared_problems(e, rule.per, path)
    if e.name == "o":
        yield Problem("Such rules call other rows 'o' in the database, and the entity has that name.", "Rename it.", path)
    for name in rule.per:
        if is_maker(e, name) and not is_owned(b, e):
            yield Problem(f"The rows of {e.name} have no owner to count by.", "Say write owner in it.", path)
        elif member(e, name) is None and not is_maker(e, name):
            yield Problem(f"{e.name} has no {name!r} to count by.", "Name a field or reference of it, or its owner.", path)
    for name in named(e, rule):
        if (f := e.field(name)) is not None and f.computed is not None:
            yield Problem(f"{name!r} is computed, so the database cannot count by it.", "Name a stored field or a reference.", path)
    yield from _number(b, e, rule, path) if isinstance(rule, AtMost) else _range(e, rule, path)


def _number(b: Blueprint, e: Entity, rule: AtMost, path: str) -> Iterator[Problem]:
    if (period := rule.period) is not None:
        if period.unit not in PERIODS:
            yield Problem(f"There is no period {period.unit!r}.", f"Choose from {', '.join(PERIODS)}.", path)
        else:
            found: list[str] = []
            type_of(period.expression, Scope(b, e), found)
            for message in found:
                yield Problem(message, "Name a date or a moment, such as per day of starts_at.", path)
    if not 1 <= rule.number <= 1_000_000:
        yield Problem("'at most' wants a whole number from 1 on.", "Write at most 3 per member, say.", path)


def _range(e: Entity, rule: NoOverlap, path: str) -> Iterator[Problem]:
    ends = [member(e, name) for name in (rule.start, rule.end)]
    kinds = [type_of_member(m).kind if isinstance(m, Field) else None for m in ends]
    if rule.start == rule.end or kinds[0] is None or kinds[0] is not kinds[1] or kinds[0] not in (Kind.DATE, Kind.DATETIME, Kind.TIME, Kind.NUMBER):
        yield Problem(
            f"{rule.start!r} and {rule.end!r} are no range.", "Name two fields of one type: dates, moments, times or numbers.", path
        )


def tied(e: Entity, rule: Rule) -> Iterator[str]:
    """The keys of bodies whose values a rule ties to each other or to other rows; those of other entities as ``entity.key``."""
    if not isinstance(rule, CheckRule):
        yield from (key_of(e, name) for name in named(e, rule))
    condition = rule.condition if isinstance(rule, CheckRule) else rule.where
    for part in _parts(e, condition):
        if isinstance(part, Operand) and part.is_field and member(e, str(part.value)) is not None:
            yield key_of(e, str(part.value))
        if isinstance(part, Path):
            first = part.names[1] if part.names[0] == "this" else part.names[0]
            if member(e, first) is not None:
                yield key_of(e, first)
        if isinstance(part, Call) and part.where is not None and target_of(part)[0]:
            other, column = target_of(part)
            # Rows of the other entity count by what they refer to; which names are references is known there only.
            yield from (f"{other}.{name}{end}" for name in names_in(part.where) if name != "this" for end in ("_id", ""))
            if column:
                yield f"{other}.{column}"


def named(e: Entity, rule: AtMost | NoOverlap) -> tuple[str, ...]:
    """The fields and references that a rule names beside its condition."""
    if isinstance(rule, NoOverlap):
        return (*rule.per, rule.start, rule.end)
    moment = rule.period.moment if rule.period is not None else ""
    return (*rule.per, *([moment] if member(e, moment) is not None else []))


def is_kept_in_order(e: Entity, rule: NoOverlap) -> bool:
    """Whether another rule of the entity sees to it that a range does not end before it begins."""
    start, end = Operand(rule.start, is_field=True), Operand(rule.end, is_field=True)
    said = [Operation(sign, *ends) for signs, ends in (((">", ">="), (end, start)), (("<", "<="), (start, end))) for sign in signs]  # type: ignore[arg-type]
    return any(part in said for other in rules_of(e) if isinstance(other, CheckRule) for part in conjuncts(other.condition))


def _parts(e: Entity, condition: Expression | None) -> Iterator[Expression]:
    """The parts of a condition; in the place of a computed field are those that it is computed from."""
    for part in parts(condition) if condition is not None else ():
        f = e.field(str(part.value)) if isinstance(part, Operand) and part.is_field else None
        # A computed field is computed from no other.
        yield from parts(f.computed) if f is not None and f.computed is not None else (part,)


def key_of(e: Entity, name: str) -> str:
    """The key of a body, and the column, of a field or reference, or of the owner."""
    return f"{name}_id" if isinstance(member(e, name), Reference) or is_maker(e, name) else name


def is_maker(e: Entity, name: str) -> bool:
    """Whether a name of a rule is that of whoever a row belongs to, and of no field or reference."""
    return name == MAKER and member(e, name) is None


def _fit(e: Entity, rule: Rule, body: dict[str, Any], number: int) -> None:
    if isinstance(rule, CheckRule):
        made_to_hold(e, rule.condition, body)
    elif rule.where is not None:
        made_to_hold(e, rule.where, body)
    if isinstance(rule, AtMost) and rule.period is not None and not rule.per:
        # Each row lies in a period of its own; all moments of it move together, since other rules may compare them.
        for f in e.fields:
            if f.type in (FieldType.DATE, FieldType.DATETIME) and isinstance(body.get(f.name), str):
                body[f.name] = moved(body[f.name], number * DAYS[rule.period.unit])
    if isinstance(rule, NoOverlap):
        ranged(rule.start, rule.end, body)


def _few(rule: Rule) -> bool:
    """Whether it bounds all rows that somebody makes, in a period perhaps, whatever they are: ``at most 20 per day of created_at``,
    ``at most 5 per owner``."""
    if not isinstance(rule, AtMost) or set(rule.per) - {MAKER}:
        return False
    return rule.period.moment == "created_at" if rule.period is not None else True


def _room(b: Blueprint, e: Entity, rule: Rule) -> Iterator[tuple[str, str, bool]]:
    if isinstance(rule, CheckRule):
        yield from leanings(b, e, rule.condition)


def _construct(name: str, value: type, grammar: str, build: Any, lines: Any) -> Construct:
    return Construct(name, "entity", value, grammar, build, lines, check=_problems, fit=_fit, entangled=tied, room=_room, few=_few)


CONSTRUCTS = (
    _construct("check_rule", CheckRule, 'check_rule: "check" expression STRING? _NL', _check_rule, _check_lines),
    _construct(
        "at_most", AtMost,
        'at_most: "at" "most" NUMBER ("per" NAME ("," NAME)* ("per" period)? | "per" period) ("where" expression)? STRING? _NL\n'
        'period: NAME "of" NAME',
        _at_most, _at_most_lines,
    ),
    _construct(
        "no_overlap", NoOverlap,
        'no_overlap: "no" "overlap" "(" NAME "," NAME ")" ("per" NAME ("," NAME)*)? ("where" expression)? STRING? _NL',
        _no_overlap, _no_overlap_lines,
    ),
    transitions.CONSTRUCT,
)  # fmt: skip
