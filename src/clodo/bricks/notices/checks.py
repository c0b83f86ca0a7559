"""Checks of notices: what the outbox holds for rows that meet a condition, and what the sender of mails is given."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Entity, Not
from clodo.bricks.mail.brick import confirms, resets
from clodo.bricks.notices.brick import notices
from clodo.bricks.notices.language import Notice, subject_of
from clodo.bricks.notices.reminders import recipient, reminders
from clodo.bricks.notices.reminding import reminded
from clodo.bricks.rules.placing import bring, keep_out, meets
from clodo.bricks.rules.samples import conjuncts, satisfying
from clodo.bricks.schedules.language import MailReport, Schedule
from clodo.bricks.schedules.ringing import line_of
from clodo.bricks.sender.language import MailFrom
from clodo.proof.check import Check
from clodo.proof.session import Fault, Row, Session, TooFewValues


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan."""
    desk = Desk()
    found: list[Check] = []
    for e, notice in notices(plan.blueprint):
        why = "once it meets its condition, and not again" if notice.condition is not None else "once"
        found.append(Check("notices.told", f"a {e.name} is told of to {notice.to}, {why}", partial(_told, e, notice)))
    for e, reminder in reminders(plan.blueprint):
        rule = f"{reminder.to} is reminded of a {e.name} {reminder.when}, once for each value"
        # Cron looks at every row, those of other checks too.
        found.append(Check("notices.reminded", rule, partial(reminded, e, reminder), alone=True))
    for s in plan.blueprint.parts_of(Schedule):
        for work in s.work:
            if isinstance(work, MailReport):
                found.append(Check("notices.report", f"the report {work.report} is mailed", partial(_reported, s, work), alone=True))
    # The tokens of other mails are read in their outbox, which nobody empties while they are.
    if not (confirms(plan) or resets(plan) or plan.blueprint.parts_of(MailFrom)) and found:
        found.append(Check("notices.sent", "a notice is handed to the sender of mails, again if it is not taken", partial(_sent, desk), alone=True))
        found[0] = replace(found[0], beside=desk.running)
    yield from found


@dataclass
class Desk:
    """The sender of mails, as the proof has it: it refuses each notice once, then takes it."""

    seen: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def answer(self, notice: dict[str, Any]) -> int:
        """The status for a notice that comes in."""
        told = self.seen.setdefault(str(notice.get("id")), [])
        told.append(notice)
        return 503 if len(told) == 1 else 202

    @contextlib.contextmanager
    def running(self) -> Iterator[Mapping[str, str]]:
        """Runs it; gives the variable that leads the service here."""
        desk = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                self.send_response(desk.answer(json.loads(body)))
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield {"MAIL_WEBHOOK_URL": f"http://127.0.0.1:{server.server_address[1]}/mails"}
        finally:
            server.shutdown()
            server.server_close()


async def _outbox(s: Session, e: Entity, notice: Notice, id: str) -> list[Row]:
    # The ids of reminders are paths.
    sql = """SELECT * FROM "notice__outbox" WHERE "entity" = ? AND "row_id" = ? AND "subject" = ? AND instr("id", '/') = 0 ORDER BY rowid"""
    return [dict(row) for row in await s.query(sql, e.name, id, subject_of(e, notice))]


async def _told(e: Entity, notice: Notice, s: Session) -> None:
    row = await s.create(e, apart=True)
    id = str(row["id"])
    if notice.condition is None:
        await _expect(s, e, notice, id, 1, "a new row")
        await _touch(s, e, id)
        await _expect(s, e, notice, id, 1, "a row that changed")
        return
    begun = await meets(s, e, notice.condition, id)
    if begun:
        await _unmet(s, e, notice)
    await _expect(s, e, notice, id, int(begun), "a new row that meets the condition" if begun else "a new row that does not meet it")
    if begun and not await keep_out(s, e, notice.condition, id):
        return
    count = int(begun)
    await _expect(s, e, notice, id, count, "a row that no longer meets the condition")
    await bring(s, e, notice.condition, {**row, "id": id})
    if not await meets(s, e, notice.condition, id):
        if not begun:
            raise TooFewValues("no row was found that meets the condition")
        return
    count += 1
    await _expect(s, e, notice, id, count, "a row that meets the condition now")
    await _touch(s, e, id)
    await _expect(s, e, notice, id, count, "a row that meets the condition still")


async def _unmet(s: Session, e: Entity, notice: Notice) -> None:
    """A new row that does not meet the condition, where a body for one is found."""
    assert notice.condition is not None
    body = await s.body(e)
    for name, value in (pair for part in conjuncts(notice.condition) for pair in satisfying(e, Not(part), body)):
        made = await s.post(e, {**await s.body(e), name: value})
        if made.status == 201 and not await meets(s, e, notice.condition, str(made.body["id"])):
            await _expect(s, e, notice, str(made.body["id"]), 0, "a new row that does not meet the condition")
            return


async def _touch(s: Session, e: Entity, id: str) -> None:
    await s.query(f'UPDATE "{e.name}" SET "id" = "id" WHERE "id" = ?', id)


async def _expect(s: Session, e: Entity, notice: Notice, id: str, count: int, which: str) -> None:
    found = await _outbox(s, e, notice, id)
    wanted = recipient(s.blueprint, e, notice, f'"{e.name}".')
    address = (await s.query(f'SELECT {wanted} AS "to" FROM "{e.name}" WHERE "id" = ?', id))[0]["to"]
    if address is None:
        count = 0
    if len(found) != count:
        raise Fault(f"{which}: the outbox holds {len(found)} notices, not {count}")
    if found and found[-1]["recipient"] != address:
        raise Fault(f"{which}: the notice goes to {found[-1]['recipient']!r}, not to {address!r}")


async def _reported(schedule: Schedule, work: MailReport, s: Session) -> None:
    sql = 'SELECT "report" FROM "notice__outbox" WHERE "recipient" = ? AND "report" IS NOT NULL'
    before = len(await s.query(sql, work.to))
    await s.scheduled(line_of(s, schedule))
    found = await s.query(sql, work.to)
    if len(found) != before + 1:
        raise Fault(f"{len(found) - before} reports are in the outbox, not one")
    report = json.loads(str(found[-1]["report"]))
    if not isinstance(report.get("items"), list):
        raise Fault(f"the report holds {report}")


async def _sent(desk: Desk, s: Session) -> None:
    """All that is in the outbox, once it is due again."""
    for _ in range(3):
        waiting = await s.query('SELECT "id", "attempts" FROM "notice__outbox" WHERE "sent_at" IS NULL')
        # What is on its way, behind an answer that was given, is let arrive first.
        settled = [str(row["id"]) for row in waiting if len(desk.seen.get(str(row["id"]), [])) >= row["attempts"]]
        due = """UPDATE "notice__outbox" SET "next_attempt_at" = '2020-01-01T00:00:00.000Z' WHERE "id" IN (SELECT "value" FROM json_each(?))"""
        await s.query(due, json.dumps(settled))
        await s.scheduled("*/5 * * * *")
    rows = await s.query('SELECT * FROM "notice__outbox"')
    if not rows:
        raise TooFewValues("no row was found that is told of")
    # A tick sends some of what is due and leaves the rest to the next one.
    done = [row for row in rows if row["sent_at"] is not None]
    if not done:
        raise Fault("no notice is sent, though the sender takes what comes a second time")
    for row in done:
        told = desk.seen.get(str(row["id"]), [])
        if row["recipient"] == "admin" and not told:
            continue  # the proof's service has no administrator's address
        if len(told) != 2:
            raise Fault(f"a notice that was taken the second time was sent {len(told)} times")
        _judge(s, told[-1], row)


def _judge(s: Session, told: dict[str, Any], row: Row) -> None:
    if told.get("subject") != row["subject"] or (row["recipient"] != "admin" and told.get("to") != row["recipient"]):
        raise Fault(f"the sender is told {told}, and the outbox says {row}")
    e = s.blueprint.entity(str(row["entity"])) if row["entity"] else None
    data = told.get("data")
    if e is None or data is None:
        return
    hidden = [f.name for f in e.fields if f.write_only and f.name in data]
    if data.get("id") != row["row_id"] or hidden:
        raise Fault(f"the notice holds {data}" + (f", and nobody may read {hidden[0]}" if hidden else ""))
