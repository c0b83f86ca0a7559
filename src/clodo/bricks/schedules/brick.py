"""The handler of cron."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from clodo.blueprint.formulas import Scope, condition_problems
from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Entity
from clodo.bricks.actions.brick import action_const, actions_of
from clodo.bricks.actions.statements import Statement, scheduled, statement
from clodo.bricks.actions.sums import added_to
from clodo.bricks.actions.touched import statements_of, touched_files, touched_sql, touches
from clodo.bricks.actions.values import Action
from clodo.bricks.files.language import FileField
from clodo.bricks.reports.brick import report_const
from clodo.bricks.reports.language import Report
from clodo.bricks.rules.triggers import HOLD, PUT_OFF, puts_off
from clodo.bricks.schedules.language import MailReport, RunAction, Schedule, cron
from clodo.emit.brick import Brick, Import, Parts
from clodo.emit.expressions import Place, sql
from clodo.emit.typescript import entity_const, literal

#: Where a run of an action goes on that did not come to all rows at once.
_SQL = 'CREATE TABLE "_run" (\n  "name" TEXT PRIMARY KEY NOT NULL,\n  "after" TEXT NOT NULL\n) WITHOUT ROWID;'


def _parts(plan: Plan) -> Parts:
    found = plan.blueprint.parts_of(Schedule)
    runs = [one for s in found for one in s.work if isinstance(one, RunAction)]
    imports = [Import("schedules", "./lib/schedules")]
    for run in runs:
        e, action = ran(plan, run)
        imports += [Import("carryOutAlone", "./lib/actions"), Import(action_const(e, action), "./actions")]
    mailed = list(dict.fromkeys(one.report for s in found for one in s.work if isinstance(one, MailReport)))
    imports += [Import("figures", "./lib/reports")] if mailed else []
    imports += [Import(report_const(r), "./reports") for r in plan.blueprint.parts_of(Report) if r.name in mailed]
    swept = any(e.parts_of(FileField) for e in plan.blueprint.entities)
    imports += [Import("sweepFiles", "./lib/file-store")] if swept else []
    numbers: Counter[str] = Counter()
    made = "".join(f"\n    {_schedule(plan, s, numbers)}," for s in found)
    lines = "".join(f"- `{cron(s)}`: {len(s.work)} {'piece' if len(s.work) == 1 else 'pieces'} of work\n" for s in found)
    return Parts(
        imports=tuple(imports),
        handlers={"scheduled": f"schedules([{made}\n  ]{', sweepFiles' if swept else ''})"},
        # Where there are actions, theirs is the table of what is touched.
        sql=(*((_SQL,) if runs else ()), *(() if any(actions_of(plan)) else touched_sql(plan))),
        files=touched_files(),
        wrangler={"triggers": {"crons": list(dict.fromkeys(cron(s) for s in found))}},
        readme=f"## Schedules\n\nTimes are UTC.\n\n{lines}",
    )


def ran(plan: Plan, run: RunAction) -> tuple[Entity, Action]:
    """The entity and the action of a run."""
    e = plan.blueprint.entity(run.entity)
    assert e is not None
    return e, next(a for a in e.parts_of(Action) if a.name == run.action)


def chosen(plan: Plan, run: RunAction) -> Statement:
    """The condition on the rows of a run: its own, and what the action's guards ask of a row, so that rows which they refuse keep none from
    their turn."""
    e, action = ran(plan, run)
    name = f'"{e.name}".'
    scope = Scope(plan.blueprint, e)
    # What names a parameter is left to the action, which knows what is not given.
    guards = [g.condition for g in action.guards if not condition_problems(g.condition, scope)]
    place = Place(scope, name, name, {"now": "?1", "today": "?2"})
    asked = [sql(run.where, place), *(sql(g, replace(place, zeros=added_to(plan.blueprint, e, action))) for g in guards)]
    where = " AND ".join(asked)
    return statement(where + (' AND "deleted_at" IS NULL' if e.soft_delete else ""))


def _schedule(plan: Plan, s: Schedule, numbers: Counter[str]) -> str:
    """A schedule as a literal; ``numbers`` counts the runs of each name in the service."""
    statements = [scheduled(plan.blueprint, one) for one in statements_of(s)]
    if puts_off(plan.blueprint, None, s):
        statements = [statement(PUT_OFF), *statements, statement(HOLD)]
    touched = literal(touches(plan.blueprint, statements_of(s)))
    mails = [_mailed(plan, one) for one in s.work if isinstance(one, MailReport)]
    runs = []
    for one in s.work:
        if isinstance(one, RunAction):
            e, action = ran(plan, one)
            carry = f"(c, row) => carryOutAlone(c, {entity_const(e)}, {action_const(e, action)}, row)"
            name = f"{action.name} on {e.name}"
            numbers[name] += 1
            runs.append(f"{{ name: {literal(name if numbers[name] == 1 else f'{name} {numbers[name]}')}, entity: {entity_const(e)}, where: {_timed(chosen(plan, one))}, carryOut: {carry} }}")
    done = ", ".join(_timed(x) for x in statements)
    return f"{{ cron: {literal(cron(s))}, statements: [{done}], runs: [{', '.join(runs)}], reports: [{', '.join(mails)}], touches: {touched} }}"


def _mailed(plan: Plan, mail: MailReport) -> str:
    report = next(r for r in plan.blueprint.parts_of(Report) if r.name == mail.report)
    e = plan.blueprint.entity(report.source)
    assert e is not None
    return f"{{ report: (env) => figures(env, {entity_const(e)}, {report_const(report)}), to: {literal(mail.to)}, subject: {literal(report.name.replace('_', ' ').capitalize())} }}"


def _timed(s: Statement) -> str:
    return f"{{ sql: {literal(s.sql)}, uses: {s.uses} }}"


BRICK = Brick("schedules", "clodo.bricks.schedules", lambda plan: bool(plan.blueprint.parts_of(Schedule)), _parts)
