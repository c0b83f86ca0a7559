"""The outbox of notices: triggers that fill it, and the handlers that empty it."""

from __future__ import annotations

from collections.abc import Iterator

from clodo.blueprint.formulas import Scope
from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Blueprint, Entity, Expression, Operand, Path
from clodo.bricks.notices.language import ADMIN, OWNER, Notice, subject_of
from clodo.bricks.schedules.language import MailReport, Schedule
from clodo.emit.brick import Brick, Import, Parts, Stage
from clodo.emit.expressions import Place, constant, sql

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
A notice is put into the table `notice__outbox` together with the change that it tells of, and handed as JSON (`id`, `to`, `subject`, `entity`, `data`, `report`) to
the address in the secret `MAIL_WEBHOOK_URL` (`npx wrangler secret put MAIL_WEBHOOK_URL`), whose service writes and sends the mail; what it does not take is
tried again for a day. Without one nothing is sent, and `npx wrangler d1 execute DB --local --command 'SELECT * FROM "notice__outbox"'` shows what would have been.
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
    told += [f"- {work.to}: the report {work.report}\n" for work in mailed_reports(b)]
    return Parts(
        imports=(Import("sendNotices", "./lib/notices"), Import("sweepNotices", "./lib/notices")),
        middleware=((Stage.INNER, "app.use(sendNotices);"),),
        handlers={"scheduled": "sweepNotices"},
        # No secret of the manifest: without it the service works, and mails nothing.
        env={"MAIL_WEBHOOK_URL": "string | undefined"},
        secrets=("ADMIN_EMAIL",) if b.users is None else (),
        wrangler={"triggers": {"crons": ["*/5 * * * *"]}},
        sql=(_SQL, *_triggers(b)),
        readme=_README.format(lines="".join(told)),
    )


def _triggers(b: Blueprint) -> Iterator[str]:
    numbers: dict[str, int] = {}
    for e, notice in notices(b):
        numbers[e.name] = number = numbers.get(e.name, 0) + 1
        to = recipient(b, e, notice)
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


def recipient(b: Blueprint, e: Entity, notice: Notice) -> str:
    """SQL for the address that a notice of a new or changed row goes to."""
    if notice.is_address or notice.to == ADMIN:
        return constant(notice.to)
    if notice.to == OWNER:
        return '(SELECT "email" FROM "user" WHERE "id" = NEW."owner_id")'
    names = tuple(notice.to.split("."))
    path: Expression = Path(names) if len(names) > 1 else Operand(names[0], is_field=True)
    return sql(path, Place(Scope(b, e), "NEW.", "NEW."))


BRICK = Brick("notices", "clodo.bricks.notices", lambda plan: bool(notices(plan.blueprint) or mailed_reports(plan.blueprint)), _parts, order=61)
