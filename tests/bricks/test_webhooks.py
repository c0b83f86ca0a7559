"""Webhooks: their words, the faults that their checks find, and what no request of the proof shows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from clodo.blueprint import InvalidBlueprint, format_blueprint, parse
from clodo.blueprint.plan import make_plan
from clodo.blueprint.values import KEY
from clodo.bricks.registry import bricks, service_checks, service_secrets, service_tree
from clodo.bricks.webhooks.checks import VARIABLES
from clodo.bricks.webhooks.language import Watched, Webhook
from clodo.bricks.webhooks.receiver import Receiver
from clodo.bricks.webhooks.sending import PATH, manager, subscriber
from clodo.emit import Brick, emit
from clodo.emit.brick import Import, Parts
from clodo.emit.tree import write_tree
from clodo.proof.check import Check
from clodo.proof.host import Host
from clodo.proof.session import Session, expect
from clodo.proof.verify import verify
from clodo.toolchain import Toolchain
from tests.bricks.proving import Fault, checks_of, example_of, expect_caught, made, proof

START = """service shop

users {
  roles manager, clerk
}

entity sale {
  name: text required
  read role manager
}

entity note {
  body: text required
  read owner
  write owner
}

"""
RUN = Callable[[Session], Awaitable[None]]


def webhooks_of(lines: str) -> tuple[Webhook, ...]:
    return parse(START + lines).parts_of(Webhook)


def problems_of(lines: str, start: str = START) -> str:
    with pytest.raises(InvalidBlueprint) as found:
        parse(start + lines)
    return "\n".join(f"{p.message} {p.suggestion}" for p in found.value.problems)


def test_its_words() -> None:
    first, second = webhooks_of("webhook sales on sale created, deleted and note updated\nwebhook more on sale updated for key\n")
    assert first.watched == (Watched("sale", ("created", "deleted")), Watched("note", ("updated",)))
    assert second.types == ("sale.updated",) and first.access == second.access == KEY
    [third] = webhooks_of("webhook more on sale updated for role manager, admin\n")
    assert str(third.access) == "role manager, admin"


@pytest.mark.parametrize(
    "line",
    [
        "webhook sales on sale created",
        "webhook sales on sale created, updated, deleted and note created",
        "webhook sales on sale updated for role manager",
    ],
)
def test_its_text_is_canonical(line: str) -> None:
    text = format_blueprint(parse(f"{START}{line}\n"))
    assert line in text.splitlines()
    assert format_blueprint(parse(text)) == text


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("webhook a on sales created\n", "'sales', which does not exist. Did you mean sale?"),
        ("webhook a on thing created\n", "Name an entity of this service."),
        ("webhook a on sale created, created\n", "says 'sale created' twice"),
        ("webhook a on sale created and sale deleted\n", "'sale' is named twice"),
        ("webhook a on sale created\nwebhook a on sale deleted\n", "webhook a is said twice"),
        ("webhook a on sale created for public\n", "would let too many see them"),
        ("webhook a on sale created for user\n", "would let too many see them"),
        ("webhook a on sale created for role boss\n", "No role 'boss' is declared"),
        ("webhook a on note created for role manager\n", "'read owner' keeps from some of them"),
        ("webhook a on sale created for role clerk\n", "would show every row of 'sale' to 'role clerk'"),
        ("webhook a on sale created\nwebhook b on sale deleted for role manager\n", "there is one list of subscriptions"),
    ],
)
def test_what_makes_no_sense_is_told(lines: str, said: str) -> None:
    assert said in problems_of(lines)


PRESS = """service press
read public
write key

users {{
  roles editor, reviewer
}}

entity article {{
  title: text required
  publish
  write {write}
}}

webhook a on article updated for role {role}
"""


@pytest.mark.parametrize(
    ("write", "role", "refused"),
    [
        ("role editor", "reviewer", True),
        ("role editor", "editor, reviewer", True),
        ("role editor", "editor", False),
        ("role editor", "admin", False),
        ("role editor, reviewer", "reviewer", False),
        ("owner", "reviewer", True),
        ("owner or role reviewer", "reviewer", False),
        ("user", "reviewer", False),
        ("key", "admin", True),
    ],
)
def test_only_who_may_write_them_hears_of_drafts(write: str, role: str, refused: bool) -> None:
    text = PRESS.format(write=write, role=role)
    if refused:
        assert f"would show rows of 'article' that are not out yet to 'role {role}'" in problems_of("", text)
    else:
        assert parse(text).parts_of(Webhook)
    # Where nothing is hidden, all may hear of it.
    assert parse(text.replace("  publish\n", "")).parts_of(Webhook)


@pytest.mark.parametrize(("role", "refused"), [("doctor", False), ("admin", False), ("nurse", True), ("doctor, nurse", True)])
def test_roles_beside_the_owner_see_every_row(role: str, refused: bool) -> None:
    text = START.replace("manager, clerk", "manager, doctor, nurse").replace("read owner", "read owner or role doctor")
    line = f"webhook a on note created for role {role}\n"
    if refused:
        assert f"to 'role {role}', which the rule 'read owner or role doctor' keeps from some of them" in problems_of(line, text)
    else:
        assert parse(text + line).parts_of(Webhook)


FIRMS = """service tent
read user
write user

users {
  roles broker
}

entity firm {
  name: text required
}

entity lead {
  note: text required
}

entity town {
  name: text required
  shared
}

tenants firm

"""


@pytest.mark.parametrize("entity", ["lead", "firm"])
def test_no_role_subscribes_to_the_rows_of_every_tenant(entity: str) -> None:
    said = problems_of(f"webhook a on {entity} created, updated for role broker\n", FIRMS)
    assert "would show the rows of every firm to 'role broker'" in said and "needs the API key" in said
    with pytest.raises(InvalidBlueprint):
        parse(f"{FIRMS}webhook a on town created and {entity} created for role admin\n")


def test_what_is_shared_and_the_api_key_know_no_tenant() -> None:
    assert parse(f"{FIRMS}webhook a on town created for role broker\n").parts_of(Webhook)
    text = f"{FIRMS}webhook a on lead created\n"
    assert parse(text).parts_of(Webhook)
    paths = json.loads(service_tree(parse(text), text)["openapi.json"])["paths"]
    assert not any(p["name"] == "X-Tenant-Id" for p in paths["/api/webhooks"]["get"].get("parameters", []))
    assert any(p["name"] == "X-Tenant-Id" for p in paths["/api/leads"]["get"]["parameters"])


def test_an_entity_cannot_take_its_path() -> None:
    start = "service x\n\nentity webhook {\n  name: text\n}\n\n"
    assert "The entity 'webhook' would answer at /api/webhooks, and so would the webhook 'a'. Rename the entity." in problems_of("webhook a on webhook created\n", start)


def test_a_role_needs_users() -> None:
    start = "service x\n\nentity sale {\n  name: text\n}\n\n"
    assert "The rule 'role boss' needs users" in problems_of("webhook a on sale created for role boss\n", start)


def test_the_api_key_comes_along() -> None:
    text = "service x\n\nentity sale {\n  name: text\n}\n\nwebhook a on sale created\n"
    assert "API_KEY" in service_secrets(parse(text)) and "WEBHOOK_KEY" in service_secrets(parse(text))
    assert make_plan(parse(text)).uses_key


def test_several_bricks_answer_one_event() -> None:
    other = Parts(handlers={"scheduled": "tick"}, wrangler={"triggers": {"crons": ["0 0 * * *"]}}, imports=(Import("tick", "./tick"),))
    text = example_of("webhooks")
    tree = emit(parse(text), text, [*bricks(), Brick("other", "clodo.bricks.core", lambda plan: True, lambda plan: other)])
    index = tree["src/index.ts"]
    assert "(sweepWebhooks, tick)," in index or "(tick, sweepWebhooks)," in index
    assert "  queue: deliverWebhooks," in index
    assert "const each" not in service_tree(parse(text), text)["src/index.ts"]


# -- planted faults ---------------------------------------------------------------------------

LIB = "src/lib/"
EARLY = """const fan = outbox(c, its, kind, names).at(-1);
        const told = its.map((change) =>
          c.env.DB.prepare('INSERT INTO "webhook__event" ("id", "type", "row", "created_at") VALUES (?, ?, ?, ?)')
            .bind(events.get(change), `${change.entity.name}.${kind}`, JSON.stringify({ ...change.before, ...change.after }), new Date().toISOString()));
        const ids = its.map((change) => events.get(change) ?? "");
        if (fan !== undefined) inBackground(c, c.env.DB.batch([...told, fan]).then(() => announceEach(c.env, ids)));
        return [];"""
FAULTS = (
    Fault("the timestamp is not signed", f"{LIB}webhook-signature.ts", "${eventId}.${timestamp}.${body}", "${eventId}.${body}", "webhooks.delivered"),
    Fault("the body is signed anew, not as it is sent", f"{LIB}webhook-delivery.ts", "headers, body, signal", "headers, body: `${body}\\n`, signal", "webhooks.delivered"),
    Fault("every event goes to everybody", f"{LIB}webhook-hook.ts", 's ON ${WANTED} WHERE', 's ON (1 = 1 OR ${WANTED}) WHERE', "webhooks.delivered"),
    Fault("what is stored is sent as it is", f"{LIB}webhook-delivery.ts", "whole ? toJson(entity, row) : row", "row", "webhooks.delivered"),
    Fault("an event is told before its change is stored", f"{LIB}webhook-hook.ts", "return outbox(c, its, kind, names);", EARLY, "webhooks.refused"),
    Fault("redirects are followed", f"{LIB}webhook-delivery.ts", 'redirect: "manual"', 'redirect: "follow"', "webhooks.dead"),
    Fault("it never gives up", f"{LIB}webhook-delivery.ts", "due.attempts >= most", "false", "webhooks.dead"),
    Fault("it gives up at once", f"{LIB}webhook-delivery.ts", "due.attempts >= most", "true", "webhooks.retried"),
    Fault("each attempt has an id of its own", f"{LIB}webhook-signature.ts", '"webhook-id": eventId,', '"webhook-id": `${eventId}${timestamp}${Math.random()}`,', "webhooks.retried"),
    Fault("what is under way can be sent again", f"{LIB}webhooks.ts", """ AND "status" <> 'pending' RETURNING""", " RETURNING", "webhooks.redelivered"),
    Fault("cron does nothing", f"{LIB}webhook-delivery.ts", ".bind(iso(now), SWEPT_AT_ONCE)", ".bind(iso(now), 0)", "webhooks.swept"),
    Fault("an attempt has its delivery not to itself", f"{LIB}webhook-delivery.ts", ".bind(iso(now + LEASE_MS), id, iso(now))", ".bind(iso(now), id, iso(now))", "webhooks.redelivered"),
    Fault("addresses are not looked at", f"{LIB}webhook-url.ts", 'return "must name a host, not an address"', "void 0", "webhooks.address"),
    Fault("any name is a public one", f"{LIB}webhook-url.ts", '!host.includes(".") || LOCAL.test(host)', 'host === "localhost"', "webhooks.address"),
    Fault("http is good enough", f"{LIB}webhook-url.ts", 'if (url.protocol !== "https:") ', "if (false) ", "webhooks.address"),
    Fault("deliveries are there for all", f"{LIB}webhooks.ts", "listRows(c, delivery, await admit(c, rule))", "listRows(c, delivery, {})", "webhooks.needed"),
    Fault("the secret is shown again", f"{LIB}webhooks.ts", "GET: async (c) => c.json(toJson(subscription, (await one(c, subscription))[0])),", "GET: async (c) => { const [row] = await one(c, subscription); return c.json({ ...toJson(subscription, row), signing_secret: await shownSecret(c.env, String(row[\"id\"])) }); },", "webhooks.subscribe"),
    Fault("all subscriptions have one secret", f"{LIB}webhook-signature.ts", "`webhook ${webhookId}`", "`webhook`", "webhooks.subscribe"),
)  # fmt: skip


of_this_brick = checks_of("webhooks")


@pytest.mark.workerd
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
def test_a_planted_fault_is_found(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(example_of("webhooks"), tmp_path / "s", toolchain, host, fault, checks=of_this_brick)


# -- other services, and what takes more than the proof's requests --------------------------------

ROLES = START + "webhook sales on sale created, updated, deleted for role manager\n"
#: Everything that a row can hold, in more columns than a function of SQL takes.
WIDE = (
    "service wide\n\nentity shelf {\n  name: text\n}\n\nentity thing {\n  tags: list\n  extra: json\n  day: date\n  at: datetime\n  secret: text write-only\n"
    + "".join(f"  text_{i}: text\n  amount_{i}: money\n  ratio_{i}: decimal\n  done_{i}: boolean\n" for i in range(8))
    + "  twice: money = amount_1 * 2\n  label: text = text_1 & \"}\"\n  shelf: -> shelf\n  soft delete\n}\n\nwebhook all on thing created, updated, deleted\n"
)


@pytest.mark.workerd
@pytest.mark.parametrize("source", [ROLES, WIDE], ids=["roles", "wide"])
def test_services_of_other_kinds_are_proven(source: str, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    report = proof(source, tmp_path / "s", toolchain, host, types=True, checks=of_this_brick)
    assert report.proven, report.summary()


def ran(run: RUN, folder: Path, toolchain: Toolchain, host: Host) -> None:
    """Carries out requests that are no part of the proof."""
    report = verify(folder, lambda plan: [Check("webhooks.more", "more", run, VARIABLES, alone=True)], toolchain, host, types=False)
    assert report.proven, report.summary()


@pytest.mark.workerd
def test_changes_at_once_are_told_as_they_are_stored(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    """Each event holds the row as it was in its own transaction, whatever else is going on."""

    async def run(s: Session) -> None:
        [e, _] = s.blueprint.entities
        async with subscriber(s, "sale.updated") as to:
            row = await s.create(e)
            changes = [{"customer": f"c{i}"} if i % 2 else {"note": f"n{i}"} for i in range(24)]
            answers = await asyncio.gather(*(s.patch(e, row["id"], change) for change in changes))
            arrivals = await to.wait(row["id"], "sale.updated", len(changes))
            assert len({a.headers["webhook-id"] for a in arrivals}) == len(arrivals) == len(changes)
            told = [a.content["data"] for a in arrivals]
            assert sorted(map(str, told)) == sorted(str(a.body) for a in answers)
            assert expect(await s.get(e, row["id"]), 200).body in told

    ran(run, made(example_of("webhooks"), tmp_path / "s"), toolchain, host)


@pytest.mark.workerd
def test_of_requests_at_once_one_sends_again(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    async def run(s: Session) -> None:
        [e, _] = s.blueprint.entities
        async with subscriber(s, "sale.created") as to:
            row = await s.create(e)
            [arrival] = await to.wait(row["id"], "sale.created")
            headers, params = await manager(s), {"event_id": arrival.headers["webhook-id"]}
            for _ in range(100):
                listed = await s.client.send("GET", f"{PATH}/deliveries", headers=headers, params=params)
                if listed.body["items"][0]["status"] == "delivered":
                    break
            to.receiver.open.clear()
            path = f"{PATH}/deliveries/{listed.body['items'][0]['id']}/retry"
            answers = await asyncio.gather(*(s.client.send("POST", path, headers=headers) for _ in range(10)))
            assert sorted(a.status for a in answers) == [202] + [409] * 9
            to.receiver.open.set()
            await to.wait(row["id"], "sale.created", 2)
            await s.scheduled("* * * * *")
            assert len(to.told(row["id"], "sale.created")) == 2

    ran(run, made(example_of("webhooks"), tmp_path / "s"), toolchain, host)


@pytest.mark.workerd
def test_a_receiver_that_never_answers_is_left(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    short = Fault("impatient", f"{LIB}webhook-delivery.ts", "TIMEOUT_MS = 10_000", "TIMEOUT_MS = 200", "")

    async def run(s: Session) -> None:
        [e, _] = s.blueprint.entities
        async with subscriber(s, "sale.created") as to:
            to.receiver.open.clear()
            row = await s.create(e)
            arrivals = await to.wait(row["id"], "sale.created", 3)
            params = {"event_id": arrivals[0].headers["webhook-id"], "status": "dead"}
            for _ in range(100):
                listed = await s.client.send("GET", f"{PATH}/deliveries", headers=await manager(s), params=params)
                if listed.body["items"]:
                    break
                await asyncio.sleep(0.05)
            assert listed.body["items"][0]["error"] == "the receiver did not answer in time"
            assert listed.body["items"][0]["response_status"] is None

    ran(run, made(example_of("webhooks"), tmp_path / "s", short), toolchain, host)


@pytest.mark.workerd
def test_a_large_row_is_told_by_its_id(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    source = "service x\n\nentity page {\n  a: longtext\n  b: longtext\n  c: longtext\n  d: json\n}\n\nwebhook w on page created, deleted\n"

    async def run(s: Session) -> None:
        [e] = s.blueprint.entities
        async with subscriber(s, "w") as to:
            texts = dict.fromkeys("abc", '"\\' * 50000)
            row = await s.create(e, texts)
            [arrival] = await to.wait(row["id"], "page.created")
            assert arrival.content["data"] == {"id": row["id"]}
            expect(await s.delete(e, row["id"]), 204)
            assert (await to.wait(row["id"], "page.deleted"))[0].content["data"] == {"id": row["id"]}
            small = await s.create(e, {"a": '"\\' * 50_000})
            assert (await to.wait(small["id"], "page.created"))[0].content["data"] == small

    ran(run, made(source, tmp_path / "s"), toolchain, host)


@pytest.mark.workerd
def test_what_cascades_is_told_and_old_deliveries_are_forgotten(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    source = (
        "service x\n\nentity box {\n  name: text\n}\n\nentity item {\n  name: text\n  box: -> box required on delete cascade\n}\n\n"
        "webhook w on item deleted and box created\n"
    )

    async def run(s: Session) -> None:
        box, item = s.blueprint.entities
        async with subscriber(s, "item.deleted") as to:
            parent = await s.create(box)
            items = [await s.create(item, {"box_id": parent["id"]}) for _ in range(3)]
            expect(await s.delete(box, parent["id"]), 204)
            for row in items:
                assert (await to.wait(row["id"], "item.deleted"))[0].content["data"] == row
            for table in ("delivery", "event"):
                await s.query(f"""UPDATE "webhook__{table}" SET "created_at" = '2020-01-01T00:00:00.000Z'""")
            pending = "SELECT 1 FROM \"webhook__delivery\" WHERE \"status\" = 'pending'"
            while await s.query(pending):
                await asyncio.sleep(0.02)
            await s.scheduled("* * * * *")
            assert await s.query('SELECT "id" FROM "webhook__delivery"') == []
            assert await s.query('SELECT "id" FROM "webhook__event"') == []

    ran(run, made(source, tmp_path / "s"), toolchain, host)


@pytest.mark.workerd
def test_another_brick_has_its_cron_too(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    """Both handlers run at each tick, and one that fails keeps no other from its work."""
    tick = """import type { AppEnv } from "./env";

export async function tick(_: ScheduledController, env: AppEnv["Bindings"]): Promise<void> {
  await env.DB.prepare("CREATE TABLE IF NOT EXISTS ticks (n INTEGER)").run();
  await env.DB.prepare("INSERT INTO ticks VALUES (1)").run();
  const { n } = (await env.DB.prepare("SELECT count(*) AS n FROM ticks").first<{ n: number }>()) ?? { n: 0 };
  if (n > 1) throw new Error("no more");
}
"""
    other = Parts(handlers={"scheduled": "tick"}, wrangler={"triggers": {"crons": ["0 0 * * *"]}}, imports=(Import("tick", "./tick"),), files={"src/tick.ts": tick})
    text = example_of("webhooks")
    first = Brick("other", "clodo.bricks.core", lambda plan: True, lambda plan: other, order=1)
    write_tree(emit(parse(text), text, [first, *bricks()]), tmp_path / "s", service_secrets(parse(text)))

    async def run(s: Session) -> None:
        [swept] = [c for c in service_checks(s.plan) if c.id == "webhooks.swept"]
        assert await s.scheduled("0 0 * * *") == ""
        assert "exception" in await s.scheduled("0 0 * * *")
        assert len(await s.query("SELECT * FROM ticks")) == 2
        await s.query("DROP TABLE ticks")
        await swept.run(s)  # the second tick of the check fails for the other brick

    report = verify(tmp_path / "s", lambda plan: [Check("webhooks.more", "more", run, VARIABLES, alone=True)], toolchain, host, types=True)
    assert report.proven, report.summary()


@pytest.mark.workerd
def test_there_are_so_many_subscriptions_and_no_more(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    few = Fault("few", f"{LIB}webhooks.ts", "MAX_SUBSCRIPTIONS = 100", "MAX_SUBSCRIPTIONS = 3", "")

    async def run(s: Session) -> None:
        headers = await manager(s)
        body = {"url": "https://example.com/", "events": ["sale_events"]}
        answers = await asyncio.gather(*(s.client.send("POST", PATH, body, headers=headers) for _ in range(8)))
        assert sorted(a.status for a in answers) == [201] * 3 + [409] * 5

    ran(run, made(example_of("webhooks"), tmp_path / "s", few), toolchain, host)


@pytest.mark.workerd
def test_without_the_variable_no_local_address_is_reached(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    """Neither taken, nor sent to where one has got into the table."""

    async def run(s: Session) -> None:
        [e, _] = s.blueprint.entities
        headers = await manager(s)
        async with Receiver() as receiver:
            for url in (receiver.url(), "https://127.0.0.1/", "http://localhost/", "https://0x7f000001/"):
                answer = await s.client.send("POST", PATH, {"url": url, "events": ["sale_events"]}, headers=headers)
                expect(answer, 422, url)
            made = await s.client.send("POST", PATH, {"url": "https://example.com/", "events": ["sale_events"]}, headers=headers)
            await s.query('UPDATE "webhook__subscription" SET "url" = ? WHERE "id" = ?', receiver.url(), made.body["id"])
            await s.create(e)
            for _ in range(200):
                [sent] = await s.query('SELECT * FROM "webhook__delivery"')
                if sent["error"] is not None:
                    break
                await asyncio.sleep(0.03)
            assert sent["error"] == "the URL must begin with https://" and receiver.arrivals == []

    check = Check("webhooks.more", "more", run, alone=True)
    report = verify(made(example_of("webhooks"), tmp_path / "s"), lambda plan: [check], toolchain, host, types=False)
    assert report.proven, report.summary()
