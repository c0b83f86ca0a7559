"""Mail to users: its lines, faults that the proof finds, and the way to the sender."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from clodo.blueprint import InvalidBlueprint, format_blueprint, parse
from clodo.blueprint.plan import make_plan
from clodo.bricks.mail.language import CONFIRMED
from clodo.bricks.registry import service_secrets, service_tree
from clodo.proof.host import Host
from clodo.proof.session import Session, expect
from clodo.toolchain import Toolchain
from tests.bricks.live import live, users
from tests.bricks.proving import Fault, example_of, expect_caught, proof

FILE, OUTBOX = "src/lib/mailed.ts", "src/lib/outbox.ts"


@pytest.mark.parametrize("line", ["confirm email", "reset password"])
def test_a_line_is_kept_as_it_is(line: str) -> None:
    assert format_blueprint(parse(users(line))) == users(line)
    with pytest.raises(InvalidBlueprint, match="said twice"):
        parse(users(line, line))


def test_users_tell_whether_they_are_confirmed() -> None:
    plan = make_plan(parse(users("confirm email")))
    assert plan.blueprint.users is not None
    assert plan.blueprint.users.fields == (CONFIRMED,)


def test_a_field_of_that_name_is_told() -> None:
    with pytest.raises(InvalidBlueprint, match="'email_confirmed' itself"):
        parse(users("email_confirmed: date", "confirm email"))


def test_the_sender_is_no_secret_that_a_service_needs() -> None:
    source = example_of("mail")
    assert "MAIL_WEBHOOK_URL" not in service_secrets(parse(source))
    assert "MAIL_WEBHOOK_URL" in service_tree(parse(source), source)["README.md"]


OWNER = '"hash" = ? AND "purpose" = ? AND "expires_at" > ?'
FAULTS = [
    Fault("good for ever", FILE, OWNER, '"hash" = ? AND "purpose" = ? AND ? IS NOT NULL', "mail.expired|mail.confirm"),
    Fault("good for another purpose", FILE, OWNER, '"hash" = ? AND ? IS NOT NULL AND "expires_at" > ?', "mail.guess"),
    Fault("good more than once", FILE, "WHERE \"user_id\" = ? AND \"purpose\" = ?'", "WHERE \"user_id\" = ? AND \"purpose\" <> ?'", "mail.once"),
    Fault("confirmed more than once", FILE, 'DELETE FROM "user__token" WHERE "purpose" = ? AND', 'DELETE FROM "user__token" WHERE "purpose" <> ? AND', "mail.confirm"),
    Fault("whoever registers the administrator's address is admin", "src/lib/users.ts", " && !hooksOf(app).some((hook) => hook.confirms)", "", "mail.admin"),
    Fault("a token alone makes the administrator", FILE, ' OR "id" = ?)', ' OR ? IS NOT NULL)', "mail.admin"),
    Fault("a refused token is gone", FILE, " AND ${SHOWN}`", "`", "mail.admin"),
    Fault("the administrator never is", FILE, """THEN 'admin' ELSE""", """THEN 'user' ELSE""", "mail.admin"),
    Fault("everybody is admin", FILE, """AND "email" = ? THEN""", """AND ? <> '' THEN""", "mail.confirm"),
    Fault("sessions go on", FILE, "        ...ends,\n", "", "mail.reset"),
    Fault("unknown addresses are told", FILE, 'await c.env.DB.batch(await mailToken(c, "reset", values["email"] as string));', 'if (!(await c.env.DB.prepare(\'SELECT 1 FROM "user" WHERE "email" = ?\').bind(values["email"] as string).first())) throw badToken();', "mail.silent"),
    Fault("kept as it is", OUTBOX, "const hash = await hashSecret(token);", "const hash = token;", "mail.stored"),
    Fault("a mail makes others void", OUTBOX, 'DELETE FROM "user__token" WHERE "expires_at" <= ?\', moment', 'DELETE FROM "user__token" WHERE "user_id" = (SELECT "id" FROM "user" WHERE "email" = ?)\', address', "mail.confirm_again|mail.pause"),
    Fault("mail without end", OUTBOX, "INSERT OR IGNORE", "INSERT OR REPLACE", "mail.pause"),
    Fault("mail to nobody", OUTBOX, 'WHERE EXISTS (SELECT 1 FROM "user__token" WHERE "hash" = ?7)', "WHERE ?7 IS NOT NULL", "mail.silent"),
    Fault("good for a day", OUTBOX, "reset: 60 * 60 * 1000", "reset: 24 * 60 * 60 * 1000", "mail.expired"),
    Fault("whoever registers has the token", FILE, "      deliverSoon(c);\n      return {};", "      const { token } = (await c.env.DB.prepare('SELECT \"token\" FROM \"user__outbox\" ORDER BY \"id\" DESC').first<{ token: string }>()) ?? {};\n      return { confirm: token };", "core.openapi"),
]


@pytest.mark.workerd
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
def test_a_fault_is_found(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(example_of("mail"), tmp_path / "s", toolchain, host, fault)


@pytest.mark.workerd
def test_a_reset_ends_keys_and_needs_no_confirmation(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    report = proof(users("api keys", "reset password", "login limit 5 per minute"), tmp_path / "s", toolchain, host)
    assert report.proven, report.summary()


class Sender:
    """Takes mails as a webhook does; the first answers are those of ``statuses``, then 200."""

    def __init__(self, *statuses: int) -> None:
        self.got: list[dict[str, Any]] = []
        left = list(statuses)
        got, status = self.got, self.status

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                got.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                self.send_response(left.pop(0) if left else status(got[-1]))
                self.send_header("location", "/elsewhere")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/mail"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def status(self, mail: dict[str, Any]) -> int:
        """The status for a mail, once the first answers are given."""
        return 200


@pytest.fixture
def sender() -> Iterator[Sender]:
    made = Sender(503, 302)
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.mark.workerd
def test_what_is_mailed_reaches_the_sender(tmp_path: Path, host: Host, sender: Sender) -> None:
    """The third try gets through: a redirect is no answer, for nobody knows where it leads."""

    async def run(s: Session) -> None:
        ann = await s.account("ann")
        rows: list[dict[str, Any]] = []
        for _ in range(300):
            rows = await s.query('SELECT * FROM "user__outbox"')
            if rows[0]["sent_at"] is not None:
                break
            await asyncio.sleep(0.1)
        [row] = rows
        assert row["sent_at"] is not None
        assert row["token"] is None
        assert len(sender.got) == 3
        assert sender.got[0] == sender.got[2]
        mail = sender.got[0]
        assert mail | {"token": ""} == {
            "id": row["id"], "purpose": "confirm", "to": ann.email, "token": "", "expires_at": row["expires_at"],
        }  # fmt: skip
        expect(await s.client.send("POST", "/api/auth/confirm", {"token": mail["token"]}), 204)

    live(example_of("mail"), tmp_path / "s", host, run, {"MAIL_WEBHOOK_URL": sender.url})


class Picky(Sender):
    """Refuses the addresses that begin with ``bad``."""

    def status(self, mail: dict[str, Any]) -> int:
        return 422 if str(mail["to"]).startswith("bad") else 200


@pytest.mark.workerd
def test_an_address_that_the_sender_refuses_holds_up_nobody(tmp_path: Path, host: Host) -> None:
    sender = Picky()

    async def unsent(s: Session) -> list[str]:
        return [row["recipient"] for row in await s.query('SELECT "recipient" FROM "user__outbox" WHERE "sent_at" IS NULL')]

    async def run(s: Session) -> None:
        for name in ("bad1", "bad2", "bad3"):
            await s.account(name)
        await asyncio.sleep(1)
        await s.query('UPDATE "user__outbox" SET "next_attempt_at" = \'2020-01-01T00:00:00.000Z\'')
        ann = await s.account("ann")
        for _ in range(50):
            if ann.email not in await unsent(s):
                break
            await asyncio.sleep(0.1)
        assert len(await unsent(s)) == 3 and not any(email.startswith("ann") for email in await unsent(s))

    try:
        live(example_of("mail"), tmp_path / "s", host, run, {"MAIL_WEBHOOK_URL": sender.url})
    finally:
        sender.server.shutdown()
        sender.server.server_close()


@pytest.mark.workerd
def test_a_reset_confirms_the_administrator_once(tmp_path: Path, host: Host) -> None:
    """Whoever reads the mail to the administrator's address has it; whoever lost the role does not get it again."""

    async def run(s: Session) -> None:
        body = s.registration(s.secrets["ADMIN_EMAIL"])
        answer = expect(await s.client.send("POST", "/api/auth/register", body), 201)
        assert (answer.body["user"]["role"], answer.body["user"]["email_confirmed"]) == ("user", False)

        async def reset(password: str) -> str:
            await s.query('UPDATE "user__asked" SET "at" = 0')
            await s.query('DELETE FROM "user__outbox"')
            expect(await s.client.send("POST", "/api/auth/reset/request", {"email": body["email"]}), 202)
            [row] = await s.query('SELECT "token" FROM "user__outbox"')
            expect(await s.client.send("POST", "/api/auth/reset", {"token": row["token"], "password": password}), 204)
            login = expect(await s.client.send("POST", "/api/auth/login", {"email": body["email"], "password": password}), 200)
            return str(login.body["user"]["role"])

        assert await reset("another password") == "admin"
        await s.query('UPDATE "user" SET "role" = \'user\'')
        assert await reset("yet another password") == "user"

    live(example_of("mail"), tmp_path / "s", host, run)


@pytest.mark.workerd
def test_no_mail_goes_in_the_clear(tmp_path: Path, host: Host) -> None:
    async def run(s: Session) -> None:
        await s.account("ann")
        [row] = await s.query('SELECT * FROM "user__outbox"')
        assert row["attempts"] == 0

    live(example_of("mail"), tmp_path / "s", host, run, {"MAIL_WEBHOOK_URL": "http://mail.example/hook"})
