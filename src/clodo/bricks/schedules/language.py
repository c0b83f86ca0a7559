"""``every day at "03:00" { update …, delete …, run … }`` in the service."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lark import Token, Tree

from clodo.blueprint.constructs import Construct, path_of, place_name
from clodo.blueprint.formulas import Scope, condition_problems, parts
from clodo.blueprint.plan import is_owned
from clodo.blueprint.problems import Problem
from clodo.blueprint.syntax import expression_of, text_of
from clodo.blueprint.text import expression_text, quote
from clodo.blueprint.values import Blueprint, Expression, Operand, Path
from clodo.bricks.actions.assigned import assigned_in
from clodo.bricks.actions.language import effect_of, effect_text
from clodo.bricks.actions.problems import effect_problems
from clodo.bricks.actions.values import Action, CreateRow, DeleteRows, UpdateRows
from clodo.bricks.notices.language import is_address
from clodo.bricks.reports.language import Report

_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
#: Steps that divide an hour, so that the times are evenly apart.
_STEPS = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)


@dataclass(frozen=True, slots=True)
class RunAction:
    """Calls an action on every row of an entity that meets a condition; rows whose guards do not hold stay as they are."""

    action: str
    entity: str
    where: Expression


@dataclass(frozen=True, slots=True)
class MailReport:
    """Mails a report to an address."""

    report: str
    to: str


Work = UpdateRows | DeleteRows | RunAction | MailReport


@dataclass(frozen=True, slots=True)
class Schedule:
    """Work that is done at times: every ``step`` minutes, or each hour, day, day of the week or month, at ``at`` (UTC)."""

    unit: str
    step: int = 1
    at: str = ""
    work: tuple[Work, ...] = ()


def cron(s: Schedule) -> str:
    """The times as a line of cron. Days of the week are named: their numbers are others in Cloudflare than elsewhere."""
    hour, minute = (int(part) for part in (s.at or "00:00").split(":"))
    if s.unit in ("minute", "minutes"):
        return f"*/{s.step} * * * *" if s.step > 1 else "* * * * *"
    if s.unit == "hour":
        return "0 * * * *"
    day = "1" if s.unit == "month" else "*"
    weekday = s.unit[:3].upper() if s.unit in _DAYS else "*"
    return f"{minute} {hour} {day} * {weekday}"


def _build(tree: Tree[Any]) -> Schedule:
    unit, step, at = "", 1, ""
    work: list[Work] = []
    for part in tree.children:
        if isinstance(part, Token):
            if part.type == "NUMBER":
                step = int(float(part)) if float(part).is_integer() else 0
            elif part.type == "STRING":
                at = text_of(part)
            else:
                unit = str(part)
        elif part.data == "schedule_mail":
            work.append(MailReport(str(part.children[0]), text_of(part.children[1])))
        elif part.data == "schedule_run":
            work.append(RunAction(str(part.children[0]), str(part.children[1]), expression_of(part.children[2])))
        else:
            work.append(effect_of(part))  # type: ignore[arg-type]
    return Schedule(unit, step, at, tuple(work))


def _lines(s: Schedule) -> Iterator[str]:
    step = f"{s.step} " if s.unit == "minutes" else ""
    yield f"every {step}{s.unit}{f' at {quote(s.at)}' if s.at else ''} {{"
    for one in s.work:
        if isinstance(one, RunAction):
            yield f"  run {one.action} on {one.entity} where {expression_text(one.where)}"
        elif isinstance(one, MailReport):
            yield f"  mail report {one.report} to {quote(one.to)}"
        else:
            yield f"  {effect_text(one)}"
    yield "}"


def _problems(b: Blueprint, owner: None, s: Schedule) -> Iterator[Problem]:
    path = path_of(b, s)
    if s.unit == "minutes" and s.step not in _STEPS:
        yield Problem("These times are not evenly apart.", f"Choose one of {', '.join(map(str, _STEPS))} minutes.", path)
    if s.unit not in ("minute", "minutes", "hour") and not _TIME.fullmatch(s.at):
        yield Problem(f"'every {s.unit}' wants a time of day in UTC.", f'Write every {s.unit} at "03:00", say.', path)
    if s.unit != "minutes" and s.step != 1:
        yield Problem(f"'every {s.step} {s.unit}' is no time of a schedule.", f"Write every {s.unit}, or every 30 minutes, say.", path)
    if s.unit in ("minute", "minutes", "hour") and s.at:
        yield Problem(f"'every {s.unit}' takes no time of day.", "Remove it.", path)
    if not s.work:
        yield Problem("This schedule does nothing.", "Add a line such as 'delete session where expires_at < now'.", path)
    for n, one in enumerate(s.work):
        line = f"{path}.{place_name('work', n)}"
        if isinstance(one, RunAction):
            yield from _run(b, one, line)
        elif isinstance(one, MailReport):
            yield from _mail(b, one, line)
        elif (e := b.entity(one.entity)) is None:
            yield Problem(f"There is no entity {one.entity!r}.", "Name one of the service.", line)
        else:
            yield from effect_problems(b, e, one, Scope(b, e), line)


def _run(b: Blueprint, run: RunAction, path: str) -> Iterator[Problem]:
    e = b.entity(run.entity)
    action = next((a for a in e.parts_of(Action) if a.name == run.action), None) if e is not None else None
    if e is None or action is None:
        yield Problem(f"There is no action {run.action!r} of {run.entity!r}.", "Name an action of an entity.", path)
        return
    if any(p.required for p in action.parameters):
        yield Problem(f"{run.action!r} has required parameters, which a schedule cannot give.", "Give them defaults.", path)
    made = [b.entity(effect.entity) for effect in action.effects if isinstance(effect, CreateRow)]
    if any(x is not None and is_owned(b, x) for x in made):
        yield Problem(f"{run.action!r} makes rows that have an owner, and a schedule is nobody.", "Run another action.", path)
    if _asks_caller(action):
        yield Problem(f"{run.action!r} asks who calls, and a schedule is nobody.", "Run another action.", path)
    yield from (Problem(m, "Mend the condition.", path) for m in condition_problems(run.where, Scope(b, e)))


def _mail(b: Blueprint, mail: MailReport, path: str) -> Iterator[Problem]:
    if all(r.name != mail.report for r in b.parts_of(Report)):
        yield Problem(f"There is no report {mail.report!r}.", "Name a report of the service.", path)
    if not is_address(mail.to):
        yield Problem(f"{mail.to!r} is no address.", 'Write "team@example.com", say.', path)


def _asks_caller(action: Action) -> bool:
    found = [guard.condition for guard in action.guards]
    for effect in action.effects:
        if not isinstance(effect, DeleteRows):
            found += [a.value for a in effect.assignments]
        if isinstance(effect, UpdateRows | DeleteRows):
            found.append(effect.where)
    every = [part for e in found for part in parts(e)]
    return any(isinstance(p, Operand) and p.is_field and p.value == "caller" or isinstance(p, Path) and p.names[0] == "caller" for p in every)


_GRAMMAR = """
schedule: "every" NUMBER? SCHEDULE_UNIT ("at" STRING)? "{" _NL schedule_work* "}" _NL
?schedule_work: action_update | action_delete | schedule_run | schedule_mail
schedule_mail: "mail" "report" NAME "to" STRING _NL
schedule_run: "run" NAME "on" NAME "where" expression _NL
SCHEDULE_UNIT: "minutes" | "minute" | "hour" | "day" | "month" | "monday" | "tuesday" | "wednesday" | "thursday" | "friday" | "saturday" | "sunday"
"""

def _assigned(b: Blueprint, owner: None, s: Schedule) -> Iterator[tuple[str, str]]:
    """The fields that the work of a schedule fills itself; actions that it runs tell of theirs."""
    for one in s.work:
        if isinstance(one, UpdateRows) and (e := b.entity(one.entity)) is not None:
            yield from assigned_in(b, e, one.assignments, ())


def _together(b: Blueprint, owner: None, s: Schedule) -> Iterator[str]:
    """The entities of the rows that it changes itself, which may be several each time."""
    for one in s.work:
        if isinstance(one, UpdateRows | DeleteRows):
            yield from (one.entity, one.entity)


CONSTRUCTS = (
    Construct(
        name="schedule",
        place="service",
        value=Schedule,
        grammar=_GRAMMAR.strip(),
        build=_build,
        lines=_lines,
        check=_problems,
        places={
            **dict.fromkeys(("action_update", "action_delete", "schedule_run", "schedule_mail"), "work"),
            "assignment": "value",
        },
        assigns=_assigned,
        together=_together,
    ),
)
