"""The outbox of notices: triggers and reminders that fill it, and the handlers that empty it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files

from clodo.blueprint.formulas import Scope
from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Blueprint, Entity
from clodo.bricks.notices.language import ADMIN, Notice, subject_of
from clodo.bricks.notices.reminders import LATE_HOURS, indexes, recipient, reminders, statement
from clodo.bricks.schedules.language import MailReport, Schedule
from clodo.emit.brick import Brick, Import, Parts, Stage
from clodo.emit.expressions import Place, constant, sql
from clodo.emit.typescript import literal

_PACKAGE = "clodo.bricks.notices"

_SQL = """CREATE TABLE "notice__outbox" (
  "id" TEXT PRIMARY KEY NOT NULL DEFAULT (lower(hex(randomblob(16)))),
  "recipient" TEXT NOT NULL,
  "subject" TEXT NOT NULL,
  "entity" TEXT,
  "row_id" TEXT,
  "report" TEXT,
  "attempts" INTEGER NOT NULL DEFAULT 0,
  "created_at" TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  "next_attempt_at" TEXT DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  "sent_at" TEXT
);
CREATE INDEX "notice__outbox__due" ON "notice__outbox" ("next_attempt_at") WHERE "sent_at" IS NULL;
CREATE INDEX "notice__outbox__created_at" ON "notice__outbox" ("created_at");"""

_README = """## Notices

{lines}
A notice is put into the table `notice__outbox` together with the change that it tells of, and handed over as `id`, `to`, `subject`, `entity`, `data`
and `report`; what is not taken is tried again for a day. `npx wrangler d1 execute DB --local --command 'SELECT * FROM "notice__outbox"'` shows what is not sent yet.
"""

_REMINDERS = f"""
Every five minutes cron puts reminders into that table, one for each row whose moment has come and each value of its date. Days begin at midnight, UTC. What is
past by more than {LATE_HOURS} hours is let go.
"""


def notices(b: Blueprint) -> list[tuple[Entity, Notice]]:
    """All notices of rows, with their entities."""
    return [(e, notice) for e in b.entities for notice in e.parts_of(Notice)]


def mailed_reports(b: Blueprint) -> list[MailReport]:
    """The reports that schedules mail."""
    return [work for s in b.parts_of(Schedule) for work in s.work if isinstance(work, MailReport)]


def _parts(plan: Plan) -> Parts:
    b = plan.blueprint
    told = [f"- {notice.to}: {subject_of(e, notice)}\n" for e, notice in notices(b)]
    told += [f"- {r.to}: {subject_of(e, r)}{f' ({r.when})' if r.subject else ''}\n" for e, r in reminders(b)]
    told += [f"- {work.to}: the report {work.report}\n" for work in mailed_reports(b)]
    due = "".join(f"\n    {literal(statement(b, e, r))}," for e, r in reminders(b))
    swept = Import("sweepReminders", "./lib/reminders") if due else Import("sweepNotices", "./lib/notices")
    return Parts(
        imports=(Import("sendNotices", "./lib/notices"), swept),
        middleware=((Stage.INNER, "app.use(sendNotices);"),),
        handlers={"scheduled": f"sweepReminders([{due}\n  ])" if due else swept.name},
        secrets=("ADMIN_EMAIL",) if b.users is None else (),
        wrangler={"triggers": {"crons": ["*/5 * * * *"]}},
        sql=(_SQL, *_triggers(b), *indexes(b)),
        files={"src/lib/reminders.ts": _source()} if due else {},
        readme=_README.format(lines="".join(told)) + (_REMINDERS if due else ""),
    )


@cache
def _source() -> str:
    """What only services with reminders have."""
    return files(_PACKAGE).joinpath("ts", "reminders", "reminders.ts").read_text("utf-8")


def _triggers(b: Blueprint) -> Iterator[str]:
    numbers: dict[str, int] = {}
    for e, notice in notices(b):
        numbers[e.name] = number = numbers.get(e.name, 0) + 1
        to = recipient(b, e, notice, "NEW.")
        known = [] if notice.is_address or notice.to == ADMIN else [f"{to} IS NOT NULL"]
        new = [*_holds(b, e, notice, "NEW."), *known]
        insert = f'INSERT INTO "notice__outbox" ("recipient", "subject", "entity", "row_id") SELECT {to}, {constant(subject_of(e, notice))}, {constant(e.name)}, NEW."id"'
        name = f"{e.name}__notice_{number}"
        yield f'CREATE TRIGGER "{name}__insert" AFTER INSERT ON "{e.name}"\nBEGIN\n  {insert}{_where(new)};\nEND;'
        if notice.condition is not None:
            old = " AND ".join(_holds(b, e, notice, "OLD."))
            yield f'CREATE TRIGGER "{name}__update" AFTER UPDATE ON "{e.name}"\nBEGIN\n  {insert}{_where([*new, f"({old}) IS NOT TRUE"])};\nEND;'


def _where(conditions: list[str]) -> str:
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def _holds(b: Blueprint, e: Entity, notice: Notice, row: str) -> list[str]:
    """What must hold of a row, all of it, for its notice."""
    shown = [f'{row}"deleted_at" IS NULL'] if e.soft_delete else []
    return shown if notice.condition is None else [*shown, sql(notice.condition, Place(Scope(b, e), row, row))]


def _applies(plan: Plan) -> bool:
    b = plan.blueprint
    return bool(notices(b) or reminders(b) or mailed_reports(b))


BRICK = Brick("notices", _PACKAGE, _applies, _parts, order=61)
