"""Incoming events: their words, the faults that their checks find, and what becomes of events whose handler fails."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from clodo.blueprint import InvalidBlueprint, format_blueprint, parse
from clodo.blueprint.values import KEY, Access, Who
from clodo.bricks.incoming.language import Incoming
from clodo.bricks.incoming.signing import signed
from clodo.bricks.registry import service_secrets, service_tree
from clodo.proof.check import Check
from clodo.proof.client import Answer
from clodo.proof.host import Host
from clodo.proof.session import Session, expect
from clodo.proof.verify import verify
from clodo.toolchain import Toolchain
from tests.bricks.proving import Fault, checks_of, example_of, expect_caught, made, proof

START = """service shop

users {
  roles clerk
}

entity sale {
  name: text required
}

"""
RUN = Callable[[Session], Awaitable[None]]


def test_its_words() -> None:
    text = START + (
        'incoming a from stripe\nincoming big_b from hmac in "X-Mark" read role clerk\nincoming c from hmac\n'
        'incoming d from hmac known by event_no\nincoming e from hmac in "X-Mark" known by "X-Event-Id" read user\n'
    )
    assert parse(text).parts_of(Incoming) == (
        Incoming("a", "stripe"),
        Incoming("big_b", "hmac", "X-Mark", parse(text).parts_of(Incoming)[1].access),
        Incoming("c", "hmac", "", KEY),
        Incoming("d", "hmac", field="event_no"),
        Incoming("e", "hmac", "X-Mark", Access(Who.USER), id_header="X-Event-Id"),
    )
    assert str(parse(text).parts_of(Incoming)[1].access) == "role clerk"
    assert {"INCOMING_A_SECRET", "INCOMING_BIG_B_SECRET", "INCOMING_C_SECRET", "API_KEY"} <= set(service_secrets(parse(text)))


@pytest.mark.parametrize(
    "line",
    ["incoming a from stripe", 'incoming b from hmac in "X-Mark"', "incoming c from github read user", "incoming e from hmac known by id", 'incoming f from hmac in "X-Mark" known by "X-Event-Id" read user', 'incoming d from hmac in "X-M" read role clerk'],
)
def test_its_text_is_canonical(line: str) -> None:
    text = format_blueprint(parse(f"{START}{line}\n"))
    assert line in text.splitlines()
    assert format_blueprint(parse(text)) == text


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("incoming a from stripe read public\n", "is not for everybody"),
        ("incoming a from stripe read owner\n", "is not for everybody"),
        ("incoming a from stripe read role boss\n", "No role 'boss' is declared"),
        ('incoming a from stripe in "X-Mark"\n', "stripe has a header of its own"),
        ('incoming a from hmac in "X Mark"\n', "'X Mark' cannot be the header of a signature"),
        ('incoming a from hmac in "Authorization"\n', "'Authorization' cannot be the header of a signature"),
        ('incoming a from hmac in "X-A\\r\\nX-B"\n', "cannot be the header of a signature"),
        ("incoming a from stripe known by id\n", "stripe says itself what its events are known by"),
        ('incoming a from hmac known by "X Id"\n', "'X Id' cannot be the header of an id"),
        ('incoming a from hmac known by "Cookie"\n', "'Cookie' cannot be the header of an id"),
        ('incoming a from hmac in "X-M" known by "x-m"\n', "'x-m' cannot be the header of an id"),
        ("incoming a from stripe\nincoming a from github\n", "incoming a is said twice"),
    ],
)
def test_what_makes_no_sense_is_told(lines: str, said: str) -> None:
    with pytest.raises(InvalidBlueprint) as found:
        parse(START + lines)
    assert said in str(found.value)


def test_a_rule_for_users_needs_users() -> None:
    with pytest.raises(InvalidBlueprint, match="The rule 'user' needs users"):
        parse("service x\n\nentity a {\n  b: text\n}\n\nincoming c from stripe read user\n")


def test_nobody_of_one_tenant_reads_what_is_meant_for_others() -> None:
    start = "service x\nread user\nwrite user\n\nusers {\n  roles clerk\n}\n\nentity firm {\n  name: text required\n}\n\ntenants firm\n\n"
    assert parse(f"{start}incoming c from stripe\n").parts_of(Incoming)
    for who in ("user", "role clerk", "role admin"):
        with pytest.raises(InvalidBlueprint, match="what comes in names no firm"):
            parse(f"{start}incoming c from stripe read {who}\n")


def test_signatures_are_compared_in_constant_time() -> None:
    """No request shows how long a comparison takes."""
    text = example_of("incoming")
    senders = service_tree(parse(text), text)["src/lib/incoming-senders.ts"]
    assert 'crypto.subtle.verify("HMAC", key, mark, message)' in senders
    assert "=== mark" not in senders and "mark ===" not in senders


# -- planted faults ---------------------------------------------------------------------------

SENDERS, MAIN = "src/lib/incoming-senders.ts", "src/lib/incoming.ts"
FAULTS = (
    Fault("an old signature is good for ever", SENDERS, "return fresh(moment) && authentic(", "return authentic(", "incoming.signature"),
    Fault("a time to come is good", SENDERS, "Math.abs(Date.now() / 1000 - Number(moment))", "Date.now() / 1000 - Number(moment)", "incoming.signature"),
    Fault("without a signature it is let in", SENDERS, "  return false;\n}\n\n/** Whether a moment", "  return marks.length === 0 || marks[0] === undefined;\n}\n\n/** Whether a moment", "incoming.signature"),
    Fault("the time is not signed", SENDERS, "`${moment}.`, body, marks", '"", body, marks', "incoming.stored"),
    Fault("the id is not signed", SENDERS, "`${id}.${moment}.`", "`${moment}.`", "incoming.stored"),
    Fault("any hash will do", SENDERS, 'return kind === "sha256" && authentic', 'if (headers.has("x-hub-signature")) return true;\n    return kind === "sha256" && authentic', "incoming.signature"),
    Fault("the signature is never looked at", MAIN, "if (!(await hook.sender.signed(request, secret)))", "if (false)", "incoming.signature"),
    Fault("the body is signed as it is parsed", MAIN, "await hook.sender.signed(request, secret)", "await hook.sender.signed({ ...request, body: new TextEncoder().encode(JSON.stringify(JSON.parse(new TextDecoder().decode(request.body)))) }, secret)", "incoming.stored"),
    Fault("an event that comes again is new", MAIN, "duplicate: claim === undefined", "duplicate: false", "incoming.once"),
    Fault("an event that another request is at counts as done", MAIN, "else if (!isHandled) throw", "else if (false) throw", "incoming.held"),
    Fault("the claim of a Worker that died is for ever", MAIN, '"claimed_until" <= ? RETURNING', 'length("claimed_until") = 0 AND length(?) > 0 RETURNING', "incoming.held"),
    Fault("nothing is forgotten", MAIN, '"handled_at" < ? LIMIT ?', '"handled_at" < ? AND ? < 0', "incoming.forgotten"),
    Fault("what was never handled is forgotten too", MAIN, '"handled_at" < ? LIMIT ?', '"received_at" < ? LIMIT ?', "incoming.forgotten"),
    Fault("it is forgotten too soon", MAIN, "30 * 24 * 60", "28 * 24 * 60", "incoming.forgotten"),
    Fault("an event is known by what it is about", SENDERS, "if (known === undefined) return hashOf(body);", 'if (known === undefined) return idIn(body, content["id"], "id");', "incoming.objects"),
    Fault("large numbers are one", SENDERS, "Number.isSafeInteger(value)", "Number.isInteger(value)", "incoming.numbers"),
    Fault("every number has an id of its own", SENDERS, "Number.isSafeInteger(value)", "value < 0", "incoming.numbers"),
    Fault("events that come at once are all handled", MAIN, '"handled_at" IS NULL AND "claimed_until" <= ?', '"handled_at" IS NULL AND ? <> 1', "incoming.once"),
    Fault("all hooks have one list", MAIN, """[condition('"hook" = ?', name)]""", "[]", "incoming.apart"),
    Fault("an event is found in every hook", MAIN, 'if (row["hook"] !== name) throw notFound();', "", "incoming.apart"),
    Fault("what came is there for all", MAIN, "const caller = await admit(c, hook.read);\n      return listRows", "const caller = {};\n      return listRows", "incoming.needed"),
    Fault("anything is taken for JSON", MAIN, '!== "application/json") {', '=== "") {', "incoming.body"),
    Fault("a list is taken for an event", MAIN, "value === null || Array.isArray(value)", "value === null", "incoming.body"),
    Fault("nobody notes that it is handled", MAIN, 'SET "handled_at" = ? WHERE', 'SET "type" = coalesce("type", ?) WHERE', "incoming.stored"),
)  # fmt: skip


of_this_brick = checks_of("incoming")


@pytest.mark.workerd
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
def test_a_planted_fault_is_found(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(example_of("incoming"), tmp_path / "s", toolchain, host, fault, checks=of_this_brick)


@pytest.mark.workerd
def test_a_service_with_users_is_proven(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    source = START + (
        "incoming a from github read role clerk\n\nincoming delete from hmac read user\n\n"
        'incoming b from hmac known by event_no\n\nincoming c from hmac in "X-Mark" known by "X-Event-Id"\n'
    )
    report = proof(source, tmp_path / "s", toolchain, host, types=True, checks=of_this_brick)
    assert report.proven, report.summary()


# -- own code -------------------------------------------------------------------------------------

ONE = "service x\n\nentity note {\n  text: text required\n}\n\nincoming notes from hmac known by id\n"
#: Notes each event, slowly, and fails the first time for those that say so.
OWN = """notes: async (event, env) => {
    const tries = Number((await env.DB.prepare("SELECT count(*) AS n FROM note WHERE text = ?").bind(event.eventId).first("n")) ?? 0);
    await env.DB.prepare("INSERT INTO note (id, text, created_at, updated_at) VALUES (?, ?, '', '')").bind(crypto.randomUUID(), event.eventId).run();
    await scheduler.wait(150);
    if (event.payload["fail"] === true && tries === 0) throw new Error("no");
  },"""


def own(folder: Path) -> Path:
    """A service in which somebody has written what is done with an event."""
    return made(ONE, folder, Fault("own", "src/custom/incoming.ts", "notes: async (_event, _env) => {},", OWN, ""))


def ran(run: RUN, folder: Path, toolchain: Toolchain, host: Host) -> None:
    """Carries out requests that are no part of the proof."""
    report = verify(folder, lambda plan: [Check("incoming.more", "more", run)], toolchain, host, types=True)
    assert report.proven, report.summary()


async def send(s: Session, body: bytes) -> Answer:
    """Sends an event as its sender does."""
    [hook] = s.blueprint.parts_of(Incoming)
    return await s.client.send("POST", hook.path, headers=signed(hook, s.secrets[hook.secret], body, ""), content=body)


async def handled(s: Session, id: str) -> int:
    """How often an event was handled."""
    return len(await s.query("SELECT id FROM note WHERE text = ?", id))


@pytest.mark.workerd
def test_events_at_once_are_handled_once(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    async def run(s: Session) -> None:
        bodies = [json.dumps({"id": f"e{i % 3}"}).encode() for i in range(18)]
        answers = await asyncio.gather(*(send(s, body) for body in bodies))
        # While one is at it, the others are asked to come again.
        assert {a.status for a in answers} == {200, 503}
        assert all(1 <= int(a.headers["retry-after"]) <= 60 for a in answers if a.status == 503)
        s.client.disagreements.clear()
        assert sum(not a.body["duplicate"] for a in answers if a.status == 200) == 3
        assert all([expect(await send(s, body), 200).body["duplicate"] for body in bodies])
        assert [await handled(s, f"e{i}") for i in range(3)] == [1, 1, 1]
        assert len(await s.query('SELECT id FROM "incoming__event"')) == 3

    ran(run, own(tmp_path / "s"), toolchain, host)


@pytest.mark.workerd
def test_an_event_whose_handler_fails_is_handled_when_it_comes_again(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    async def run(s: Session) -> None:
        body = b'{"id": "f", "fail": true}'
        first = await send(s, body)
        assert first.status == 503 and first.headers["retry-after"] == "60" and "no" not in first.body["detail"].split()
        s.client.disagreements.clear()  # that the service fails here is what was asked of it
        second = expect(await send(s, body), 200)
        assert second.body["duplicate"] is False and await handled(s, "f") == 2
        assert expect(await send(s, body), 200).body["duplicate"] is True and await handled(s, "f") == 2

    ran(run, own(tmp_path / "s"), toolchain, host)


@pytest.mark.workerd
def test_events_without_an_id_are_known_by_their_body(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    async def run(s: Session) -> None:
        first, again, other = [await send(s, body) for body in (b'{"a": 1}', b'{"a": 1}', b'{"a": 2}')]
        assert (first.body["duplicate"], again.body["duplicate"], other.body["duplicate"]) == (False, True, False)
        assert first.body["id"] == again.body["id"] != other.body["id"]
        for odd in (b'{"id": ""}', b'{"id": {}}', b'{"id": 9007199254740993}', b'{"id": 9007199254740992}'):
            assert expect(await send(s, odd), 200).body["duplicate"] is False

    ran(run, made(ONE.replace(" known by id", ""), tmp_path / "s"), toolchain, host)


@pytest.mark.workerd
def test_a_retry_while_an_event_is_handled_does_not_lose_it(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    async def run(s: Session) -> None:
        body = b'{"id": "slow", "fail": true}'
        first = asyncio.create_task(send(s, body))
        await asyncio.sleep(0.05)
        second = await send(s, body)
        assert (await first).status == 503 and second.status in (200, 503)
        s.client.disagreements.clear()
        # Whichever of them came first: one has failed, and unless the other one was the second try, a third one is.
        third = expect(await send(s, body), 200)
        assert third.body["duplicate"] is (second.status == 200) and await handled(s, "slow") == 2

    ran(run, own(tmp_path / "s"), toolchain, host)


@pytest.mark.workerd
def test_the_id_of_an_event_stands_where_the_blueprint_says(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    async def run(s: Session) -> None:
        number = expect(await send(s, b'{"id": 7, "big": 12345678901234567890}'), 200)
        assert number.body["event_id"] == "7"
        [row] = await s.query('SELECT "payload" FROM "incoming__event" WHERE "event_id" = ?', "7")
        assert "12345678901234567890" in row["payload"]
        for bad in (b'{"id": ""}', b'{"id": {}}', b'{"id": "a\\u0000b"}', b'{"ID": "a"}', b'{"a": 1}'):
            expect(await send(s, bad), 422, str(bad))

    ran(run, made(ONE, tmp_path / "s"), toolchain, host)
