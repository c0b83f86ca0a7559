"""Who takes mails: the webhook or the mail binding, and what a mail looks like on the line."""

from __future__ import annotations

import asyncio
import email.policy
import json
import subprocess
from collections.abc import Callable, Iterator
from email import message_from_bytes
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clodo.blueprint import InvalidBlueprint, format_blueprint, parse
from clodo.bricks.registry import service_tree
from clodo.proof.host import Host
from clodo.proof.session import Session
from clodo.toolchain import Toolchain
from tests.bricks.live import live
from tests.bricks.proving import BRICKS, Fault, example_of, expect_caught, proof

MIME, SENDER, OUTBOX = "src/lib/mime.ts", "src/lib/sender.ts", "src/lib/outbox.ts"
OUTGOING = "src/lib/outgoing.ts"
LINE = '\nmail from "club@example.com"\n'


def test_the_line_is_kept_as_it_is_and_stands_once() -> None:
    source = example_of("sender")
    assert format_blueprint(parse(source)) == source
    with pytest.raises(InvalidBlueprint, match="said twice"):
        parse(source + LINE)


@pytest.mark.parametrize("address", ["nobody", "a@b", "a@example.com\\r\\nBcc: b@example.com", "A <a@example.com>", "a@example.com,b@example.com", "ä@example.com", ""])
def test_what_is_no_address_is_told(address: str) -> None:
    with pytest.raises(InvalidBlueprint, match="is no e-mail address"):
        parse(example_of("sender").replace("club@example.com", address))


def test_a_service_that_mails_nothing_has_no_sender() -> None:
    with pytest.raises(InvalidBlueprint, match="Nothing is mailed"):
        parse(example_of("sender").replace("  confirm email\n  reset password\n", ""))


def test_the_binding_stands_only_where_it_is_chosen() -> None:
    source = example_of("sender")
    chosen, other = (service_tree(parse(s), s) for s in (source, source.replace(LINE, "")))
    assert json.loads(chosen["wrangler.jsonc"].split("\n", 1)[1])["send_email"] == [{"name": "MAIL"}]
    assert "send_email" not in other["wrangler.jsonc"] and MIME not in other and "MAIL_WEBHOOK_URL" in other["src/env.ts"]
    assert "MAIL_WEBHOOK_URL" not in "".join(chosen.values())


_HARNESS = """
const { mime } = require("./mime.js");
require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  let answer;
  try { answer = { raw: mime(JSON.parse(line)) }; } catch (error) { answer = { error: error.message }; }
  console.log(JSON.stringify(answer));
});
"""
Write = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def write(toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Write]:
    folder = tmp_path_factory.mktemp("mime")
    source = BRICKS / "sender" / "ts" / "private" / "mime.ts"
    subprocess.run([str(toolchain.modules / ".bin" / "esbuild"), str(source), "--format=cjs", "--bundle", "--log-level=error", f"--outfile={folder / 'mime.js'}"], check=True)
    (folder / "run.js").write_text(_HARNESS)
    process = subprocess.Popen([str(toolchain.node), str(folder / "run.js")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None and process.stdout is not None
    stdin, stdout = process.stdin, process.stdout

    def one(**changes: str) -> dict[str, Any]:
        letter = {"id": "01-ab", "from": "club@example.com", "to": "ann@example.org", "subject": "Hello", "text": "Hi\n"}
        stdin.write(json.dumps(letter | changes) + "\n")
        stdin.flush()
        return dict(json.loads(stdout.readline()))

    yield one
    process.kill()
    process.communicate()


def parsed(raw: str) -> EmailMessage:
    message = message_from_bytes(raw.encode("ascii"), policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def test_a_mail_is_as_the_standards_say(write: Write) -> None:
    message = parsed(write(subject="Zoë's Café \U0001f600", text="Grüße\nzwei\r\n")["raw"])
    assert not message.defects and not any(value.defects for value in message.values())
    assert (message["from"], message["to"], message["subject"]) == ("club@example.com", "ann@example.org", "Zoë's Café \U0001f600")
    assert message["message-id"] == "<01-ab@example.com>" and message["date"].datetime is not None and message["mime-version"] == "1.0"
    assert message.get_content_type() == "text/plain" and message.get_content_charset() == "utf-8"
    assert message.get_payload(decode=True) == "Grüße\r\nzwei\r\n".encode()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(subject=st.text(max_size=200) | st.sampled_from(["a\r\nBcc: b@example.com", "\n\nbody", "=?UTF-8?B?YQ==?=", "x" * 2000, "\U0001f600" * 50, "\x00", "\u2028"]), text=st.text(max_size=200))
def test_no_text_gets_out_of_its_place(write: Write, subject: str, text: str) -> None:
    raw = write(subject=subject, text=text)["raw"]
    assert all(len(line) <= 76 for line in raw.split("\r\n")) and "\n" not in raw.replace("\r\n", "")
    message = parsed(raw)
    assert [name.lower() for name in message] == ["from", "to", "subject", "message-id", "date", "auto-submitted", "mime-version", "content-type", "content-transfer-encoding"]
    sent = message.get_payload(decode=True)
    assert isinstance(sent, bytes) and sent.decode() == "\r\n".join(text.encode("utf-8", "replace").decode().replace("\r\n", "\n").replace("\r", "\n").split("\n"))


@pytest.mark.parametrize("key", ["from", "to"])
@pytest.mark.parametrize("address", ["a@example.com\r\nBcc: b@example.com", "a@example.com>, <b@example.com", "nobody", "a b@example.com", f"{'a' * 250}@example.com", ""])
def test_an_address_that_is_none_is_refused(write: Write, key: str, address: str) -> None:
    assert write(**{key: address}) == {"error": "no e-mail address"}


FAULTS = [
    Fault("from another address", MIME, "From: <${address(from)}>", "From: <other@example.com>", "sender.taken"),
    Fault("without an id", MIME, "`Message-ID: <${id", "`X-Message-ID: <${id", "sender.taken"),
    Fault("taken and kept", OUTBOX, 'cleared: \'"token" = NULL\',', "", "sender.taken"),
    Fault("the first that is refused holds up the others", OUTGOING, "if (!taken) refused += 1;\n    await note(env, outbox, post, taken);", "if (!taken) return { tried, refused: 1 };\n    await note(env, outbox, post, taken);", "sender.taken"),
    Fault("what was refused stands before the others", OUTGOING, 'min("attempts", 1), "next_attempt_at"', '-"attempts", "next_attempt_at"', "sender.taken"),
    Fault("tried for ever", OUTGOING, "attempts >= MOST_ATTEMPTS", "attempts < 0", "sender.given_up"),
    Fault("nothing is handed over", SENDER, "return true;", "return false;", "sender.taken"),
    Fault("to the sender", SENDER, "new EmailMessage(env.MAIL_FROM, mail.to, raw)", "new EmailMessage(env.MAIL_FROM, env.MAIL_FROM, raw)", "sender.taken"),
    Fault("never handed over", SENDER, "env.MAIL.send(new EmailMessage(env.MAIL_FROM, mail.to, raw))", "Promise.resolve(new EmailMessage(env.MAIL_FROM, mail.to, raw))", "sender.refused"),
    Fault("no address is one", MIME, "!ADDRESS.test(text)", "ADDRESS.test(text)", "sender.taken"),
    Fault("a refusal counts as sent", SENDER, "return false;", "return true;", "sender.refused"),
]


@pytest.mark.workerd
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
def test_a_fault_is_found(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clodo.bricks.sender.checks._SECONDS", 10)
    expect_caught(example_of("sender"), tmp_path / "s", toolchain, host, fault)


@pytest.mark.workerd
def test_reminders_and_tokens_have_one_sender(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    source = example_of("notices").rstrip("\n") + "\n" + LINE
    report = proof(source, tmp_path / "s", toolchain, host, types=True, checks=lambda plan: iter(()))
    assert report.proven, report.summary()


@pytest.mark.workerd
def test_what_the_binding_refuses_stays_in_the_outbox(tmp_path: Path, host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """A binding that may write to one address only."""

    async def run(s: Session) -> None:
        await s.account("ann")
        for _ in range(100):
            [row] = await s.query('SELECT * FROM "user__outbox"')
            if row["attempts"] > 0:
                break
            await asyncio.sleep(0.1)
        await asyncio.sleep(1.5)
        [row] = await s.query('SELECT * FROM "user__outbox"')
        assert row["attempts"] > 0 and row["sent_at"] is None and row["token"] is not None

    def narrowed(blueprint: Any, text: str) -> Any:
        tree = service_tree(blueprint, text)
        tree["wrangler.jsonc"] = tree["wrangler.jsonc"].replace('"name": "MAIL"', '"name": "MAIL", "destination_address": "other@example.com"')
        return tree

    monkeypatch.setattr("tests.bricks.proving.service_tree", narrowed)
    live(example_of("sender"), tmp_path / "s", host, run)
