"""Checks of rules: that they are kept by every way of changing a row, and by many callers at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial

from clodo.blueprint.evaluation import Unknowable, moved, value_of
from clodo.blueprint.plan import Plan
from clodo.blueprint.samples import sample
from clodo.blueprint.values import (
    Entity,
    Expression,
    Not,
    Operand,
    Operation,
)
from clodo.bricks.rules.among import check_among
from clodo.bricks.rules.language import (
    DAYS,
    AtMost,
    CheckRule,
    NoOverlap,
    Rule,
    is_maker,
    key_of,
    named,
    rules_of,
    said,
)
from clodo.bricks.rules.samples import (
    OPPOSITE,
    clocked,
    conjuncts,
    made_to_hold,
    ranged,
    satisfying,
    stepped,
)
from clodo.bricks.rules.themselves import check_apart
from clodo.bricks.rules.transitions import Transitions, initial, refusal, way
from clodo.bricks.rules.triggers import status_of
from clodo.proof.check import Check
from clodo.proof.client import Answer
from clodo.proof.session import Fault, Row, Session, TooFewValues, expect

_AT_ONCE = 8
#: A user to whom none of the rows belongs.
_OTHER = "other"
_MOST_ROWS = 12
#: The minute and second after which an hour is about to end.
_LATE = "5940"


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan."""
    for e in plan.blueprint.entities:
        # A state that is read-only is changed by actions, and their checks see to that.
        for t in (t for t in e.parts_of(Transitions) if not _is_read_only(e, t)):
            yield Check("rules.transitions", f"{e.name}.{t.field}: changes as it may", partial(_transitions, e, t))
        for rule in rules_of(e):
            words = f"{e.name}: {said(rule)}"
            if isinstance(rule, AtMost):
                yield Check("rules.at-most", words, partial(_at_most, e, rule))
            elif isinstance(rule, NoOverlap):
                yield Check("rules.no-overlap", words, partial(_no_overlap, e, rule))
                if _is_open(e, rule.end):
                    yield Check("rules.no-overlap", f"{words} What has no {rule.end} does not end", partial(_no_end, e, rule), alone=True)
            elif status_of(plan.blueprint, e, rule) == 422:
                yield Check("rules.check", words, partial(_check_alone, e, rule))
            else:
                yield Check("rules.check", words, partial(check_among, e, rule))


def _says(rule: Rule, answer: Answer) -> Answer:
    """A fault unless a refusal tells the rule in its own words."""
    if said(rule) != answer.body.get("detail"):
        raise Fault(f"the refusal does not say {said(rule)!r}", answer)
    return answer


async def _check_alone(e: Entity, rule: CheckRule, s: Session) -> None:
    """A rule on the fields of one row: a body that breaks it is refused, as a creation and as a change."""
    apart = await check_apart(e, rule, s)
    body = await s.body(e)
    bad = _breaking(e, rule.condition, body)
    if bad is None and apart:
        return
    if bad is None:
        raise TooFewValues("no values were found that break this rule")
    _says(rule, expect(await s.post(e, {**body, **bad}), 422, "a body that breaks the rule"))
    made = expect(await s.post(e, body), 201, "a body that keeps the rule").body
    changes = {k: v for k, v in {**body, **bad}.items() if v != made.get(k)}
    _says(rule, expect(await s.patch(e, made["id"], changes), 422, "a change that breaks the rule"))
    kept = expect(await s.get(e, made["id"]), 200)
    if any(kept.body.get(k) != made.get(k) for k in changes):
        raise Fault("a refused change changed the row", kept)


def _breaking(e: Entity, condition: Expression, body: Row) -> Row | None:
    """Values with which the condition is false: of one field, or of two that change places."""
    tries: list[Row] = []
    for part in conjuncts(condition):
        tries += [{name: value} for name, value in satisfying(e, Not(part), body)]
        if isinstance(part, Operation) and part.operator in OPPOSITE:
            names = [str(o.value) for o in (part.left, part.right) if isinstance(o, Operand) and o.is_field]
            if len(names) == 2:
                tries.append({names[0]: body.get(names[1]), names[1]: body.get(names[0])})
    tries += [{f.name: sample(f, n)} for f in e.fields if f.name in body for n in range(1, 40, 3)]
    for changes in tries:
        try:
            if all(v is not None for v in changes.values()) and value_of(condition, clocked(e, body | changes)) is False:
                return changes
        except (Unknowable, TypeError):
            continue
    return None


def _is_read_only(e: Entity, t: Transitions) -> bool:
    f = e.field(t.field)
    return f is not None and f.read_only


async def _transitions(e: Entity, t: Transitions, s: Session) -> None:
    """Every change from every state is tried; rows are brought into a state along the allowed changes only."""
    f = e.field(t.field)
    assert f is not None
    first = initial(e, t)
    row = await s.create(e)
    if row[t.field] != first:
        raise Fault(f"a new row begins as {row[t.field]!r}, not as {first!r}")
    for value in f.values:
        if value != first:
            expect(await s.post(e, {**await s.body(e), t.field: value}), 422, f"a new row that begins as {value!r}")
    for state in f.values:
        steps = way(t, first, state)
        for value in f.values if steps is not None else ():
            if value == state:
                continue
            row = await s.create(e)
            for step in steps or ():
                expect(await s.patch(e, row["id"], {t.field: step}), 200, f"the change to {step!r}")
            answer = await s.patch(e, row["id"], {t.field: value})
            if (state, value) in t.pairs:
                s.settled(e, answer, 200, [t.field] if answer.body.get("detail") != refusal(e, t) else [], f"from {state!r} to {value!r}")
            elif expect(answer, 409, f"from {state!r} to {value!r}").body.get("detail") != refusal(e, t):
                raise Fault("the refusal does not say why", answer)


async def _alike(e: Entity, names: tuple[str, ...], s: Session) -> Row:
    """Values that rows share: of a row that was just made, so that no other has them."""
    row = await s.create(e, apart=True)
    optional = [r for r in e.references if r.name in names and row.get(f"{r.name}_id") is None]
    # Whom a row belongs to no body says; all are made by one user.
    shared = {key_of(e, name): row[key_of(e, name)] for name in names if not is_maker(e, name)}
    for r in optional:
        target = s.blueprint.entity(r.target)
        shared[f"{r.name}_id"] = (await s.create(target))["id"] if target is not None else await s.spare_user()
    await s.delete(e, row["id"])
    return shared


async def _counted(e: Entity, rule: AtMost | NoOverlap, s: Session, shared: Row) -> Row:
    body = {**await s.body(e), **shared}
    if rule.where is not None:
        made_to_hold(e, rule.where, body)
    return body


async def _at_most(e: Entity, rule: AtMost, s: Session) -> None:
    if rule.number > _MOST_ROWS:
        raise TooFewValues(f"more than {_MOST_ROWS} rows would have to be made")
    if rule.period is not None and e.field(rule.period.moment) is None and datetime.now(UTC).strftime("%M%S") > _LATE:
        raise TooFewValues("the hour ends, and with it perhaps the period")
    shared = await _alike(e, named(e, rule), s)
    for _ in range(rule.number - 1):
        expect(await s.post(e, await _counted(e, rule, s, shared)), 201, "a row that is still allowed")
    bodies = [await _counted(e, rule, s, shared) for _ in range(_AT_ONCE)]
    await _one_wins(e, rule, s, bodies)
    if any(is_maker(e, name) for name in rule.per):
        other = await s.post(e, {**await s.body(e, shared, user=_OTHER), **await _counted(e, rule, s, shared)}, user=_OTHER)
        if other.status == 409 and other.body.get("detail") == said(rule):
            raise Fault("rows of another user count", other)
        s.settled(e, other, 201, shared, "a row of another user")
    if rule.period is not None and (f := e.field(rule.period.moment)) is not None:
        later = moved(str(shared[f.name]), DAYS[rule.period.unit])
        made = await s.post(e, {**await _counted(e, rule, s, shared), f.name: later})
        if made.status == 409 and made.body.get("detail") == said(rule):
            raise Fault(f"rows of another {rule.period.unit} count", made)
        s.settled(e, made, 201, [f.name], f"a row of another {rule.period.unit}")


async def _one_wins(e: Entity, rule: Rule, s: Session, bodies: list[Row]) -> None:
    """Of many creations at once, one is right, and the others are refused by the rule."""
    answers = await asyncio.gather(*(s.post(e, body) for body in bodies))
    won = [a for a in answers if a.status == 201]
    if len(won) != 1:
        raise Fault(f"of {len(bodies)} creations at once, {len(won)} were accepted, not one", answers[0])
    for answer in answers:
        if answer.status != 201:
            _says(rule, expect(answer, 409, "one too many"))


async def _no_overlap(e: Entity, rule: NoOverlap, s: Session) -> None:
    shared = await _alike(e, rule.per, s)
    body = await _counted(e, rule, s, shared)
    ranged(rule.start, rule.end, body)
    ends = {rule.start: body[rule.start], rule.end: body[rule.end]}
    bodies = [{**await _counted(e, rule, s, shared), **ends} for _ in range(_AT_ONCE)]
    await _one_wins(e, rule, s, bodies)
    await _not_turned(e, rule, s, {**await _counted(e, rule, s, shared), rule.start: ends[rule.end], rule.end: ends[rule.start]})
    f = e.field(rule.start)
    assert f is not None
    longer = stepped(f, body[rule.end], 1)
    if longer is None:
        return
    beside = {**await _counted(e, rule, s, shared), rule.start: body[rule.end], rule.end: longer}
    made = await s.post(e, beside)
    if made.status == 409 and made.body.get("detail") == said(rule):
        raise Fault("a range that begins where the other ends is taken for an overlap", made)
    if s.settled(e, made, 201, [rule.start, rule.end], "a range that begins where the other ends"):
        back = await s.patch(e, made.body["id"], {rule.start: body[rule.start]})
        expect(back, 409, "a change into the other range")


async def _not_turned(e: Entity, rule: NoOverlap, s: Session, body: Row) -> None:
    """A range whose end lies before its start is none."""
    answer = await s.post(e, body)
    if answer.status != 409 or answer.body.get("detail") == said(rule):  # else another rule was against it first
        expect(answer, 422, "a range whose end lies before its start")


def _is_open(e: Entity, name: str) -> bool:
    """Whether a body may leave an end of a range out."""
    f = e.field(name)
    return f is not None and not f.required and not f.read_only and f.default is None


async def _no_end(e: Entity, rule: NoOverlap, s: Session) -> None:
    shared = await _alike(e, rule.per, s)
    body = await _counted(e, rule, s, shared)
    ranged(rule.start, rule.end, body)
    f = e.field(rule.start)
    assert f is not None
    longer = stepped(f, body[rule.end], 1)
    open_ = await s.post(e, {k: v for k, v in body.items() if k != rule.end})
    if longer is None or open_.status != 201:
        raise TooFewValues("no row without an end was found that other rules allow")
    later = {**await _counted(e, rule, s, shared), rule.start: body[rule.end], rule.end: longer}
    _says(rule, expect(await s.post(e, later), 409, f"a range behind one that has no {rule.end}"))
    await s.delete(e, open_.body["id"])
