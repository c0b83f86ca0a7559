"""Checks of webhooks: who may subscribe, where to, and what arrives."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

from clodo.blueprint.plan import Plan
from clodo.blueprint.values import Access, Entity, Who
from clodo.bricks.webhooks import sending
from clodo.bricks.webhooks.brick import topics
from clodo.bricks.webhooks.language import Webhook
from clodo.bricks.webhooks.receiver import HOST
from clodo.proof.check import Check
from clodo.proof.session import Fault, Headers, Session, expect, expect_path

PATH = "/api/webhooks"
#: So that receivers on this machine are reached, and nothing takes long.
VARIABLES = {"WEBHOOK_ALLOW_LOCAL": HOST, "WEBHOOK_BACKOFF_SECONDS": "0", "WEBHOOK_MAX_ATTEMPTS": str(sending.ATTEMPTS)}

#: Addresses that a service must not be talked into calling.
_FORBIDDEN = (
    "http://example.com/hook", "ftp://example.com/", "javascript:alert(1)", "https://ann:secret@example.com/", "https://ann@example.com/",
    "https://localhost/", "https://localhost./", "https://api.localhost/", "https://printer.local/", "https://db.internal/",
    "https://metadata.google.internal/", "https://intranet/", "https://127.0.0.2/", "https://127.1.0.1:8080/", "https://2130706434/",
    "https://0x7f.0.0.2/", "https://0/", "https://10.0.0.1/", "https://172.16.0.1/", "https://192.168.1.1/", "https://169.254.169.254/latest",
    "https://100.64.0.1/", "https://[::1]/", "https://[::ffff:10.0.0.1]/", "https://[fd00::1]/", "https://[fe80::1]/", "https://8.8.8.8./",
    f"http://{HOST}@169.254.169.254/", f"https://{HOST}.internal/", "https://example.com/#part", "//example.com/hook", "example.com", "",
    " https://example.com/", "https://exa\nmple.com/", "https://example.com/\0", "https://example.com/\ud800",
    "https://example.com/" + "x" * 2000,
)  # fmt: skip


def checks(plan: Plan) -> Iterator[Check]:
    """The checks of a plan."""
    access = plan.blueprint.parts_of(Webhook)[0].access

    def check(id: str, rule: str, run: Callable[[Session], Awaitable[None]]) -> Check:
        # A tick of cron takes up what every check has under way, and `redelivered` holds an attempt back while it ticks:
        # with another check's tick at that attempt, each would wait for the other.
        return Check(f"webhooks.{id}", rule, run, VARIABLES, alone=id in ("redelivered", "swept"))

    yield check("subscribe", "a subscription is made, read and ended; its secret is shown once", _subscribe)
    yield check("body", "a subscription without a URL or with unknown events is refused", _bodies)
    yield check("address", "a subscription to a local, private or unsafe address is refused", _addresses)
    yield check("needed", f"subscriptions and deliveries need '{access}'", partial(_needed, access))
    yield check("secret", "no table holds the secret of a subscription", _stored)
    for entity, events in _watched(plan):
        rule = f"{entity.name}: {', '.join(events)} arrives, signed, once"
        yield check("delivered", rule, partial(sending.delivered, entity, events))
    entity, events = next(iter(_watched(plan)))
    alike = next((e for e, kinds in _watched(plan) if "created" in kinds and sending.unique_field(e)), None)
    if alike is not None:
        yield check("refused", f"{alike.name}: what the database refuses is not told", partial(sending.refused, alike))
    for kind in ("retried", "dead", "redelivered", "swept"):
        rule = sending.RULES[kind]
        yield check(kind, rule, partial(getattr(sending, kind), entity, events))


def _watched(plan: Plan) -> list[tuple[Entity, tuple[str, ...]]]:
    """The entities with the events that are told of them; those that are told when created come first."""
    known: dict[str, dict[str, None]] = {}
    for webhook in plan.blueprint.parts_of(Webhook):
        for watched in webhook.watched:
            known.setdefault(watched.entity, {}).update(dict.fromkeys(watched.events))
    found = [(e, tuple(known[e.name])) for e in plan.blueprint.entities if e.name in known]
    return sorted(found, key=lambda pair: "created" not in pair[1])


async def _subscribe(s: Session) -> None:
    headers = await sending.manager(s)
    # With one of them twice, and no more than there are.
    names = topics(s.plan)[: min(2, len(topics(s.plan)) - 1)]
    made = await sending.subscribe(s, "https://example.com/hook?a=b", [*names, names[0]])
    path = f"{PATH}/{made['id']}"
    if made["url"] != "https://example.com/hook?a=b" or made["events"] != names or not str(made["signing_secret"]).startswith("whsec_"):
        raise Fault("the subscription is not the one that was made")
    shown = {k: v for k, v in made.items() if k != "signing_secret"}
    one = expect(await s.client.send("GET", path, headers=headers), 200)
    if one.body != shown:
        raise Fault("reading the subscription gives another one, or its secret", one)
    listed = expect(await s.client.send("GET", PATH, headers=headers, params={"id": made["id"]}), 200)
    if listed.body["items"] != [shown]:
        raise Fault("the list does not hold the subscription, or holds its secret", listed)
    other = await sending.subscribe(s, "https://example.com/hook", names)
    if other["signing_secret"] == made["signing_secret"]:
        raise Fault("two subscriptions have one secret")
    for id in (made["id"], other["id"]):
        expect(await s.client.send("DELETE", f"{PATH}/{id}", headers=headers), 204)
    for method in ("GET", "DELETE"):
        expect(await s.client.send(method, path, headers=headers), 404, "it is ended")
    expect(await s.client.send("PATCH", path, {}, headers=headers), 405)


async def _bodies(s: Session) -> None:
    headers = await sending.manager(s)
    good: dict[str, Any] = {"url": "https://example.com/hook", "events": topics(s.plan)[:1]}
    for changes, path in (
        ({"events": None}, "events"), ({"events": []}, "events"), ({"events": ["no.such_event"]}, "events"), ({"events": "x"}, "events"),
        ({"events": ["*"]}, "events"), ({"url": None}, "url"), ({"url": 5}, "url"), ({"signing_secret": "whsec_mine"}, "signing_secret"), ({"id": "x"}, "id"),
    ):  # fmt: skip
        body = {k: v for k, v in {**good, **changes}.items() if v is not None}
        expect_path(expect(await s.client.send("POST", PATH, body, headers=headers), 422, str(changes)), path)
    for content, kind, status in ((b"{", "application/json", 400), (b"{}", "text/plain", 415), (b"[]", "application/json", 422)):
        typed = {**headers, "content-type": kind}
        expect(await s.client.send("POST", PATH, content=content, headers=typed), status, "a broken body")


async def _addresses(s: Session) -> None:
    headers = await sending.manager(s)

    async def refused(url: str) -> None:
        body = {"url": url, "events": topics(s.plan)[:1]}
        expect_path(expect(await s.client.send("POST", PATH, body, headers=headers), 422, url[:60]), "url")

    await asyncio.gather(*(refused(url) for url in _FORBIDDEN))


async def _needed(access: Access, s: Session) -> None:
    wrong: list[tuple[Headers, int]] = [({}, 401), ({"x-api-key": "wrong"}, 401), ({"authorization": "Bearer wrong"}, 401)]
    if s.blueprint.users is not None:
        wrong.append(((await s.account("ann")).headers, 403))
    body = {"url": "https://example.com/", "events": topics(s.plan)[:1]}
    id = "01890000-0000-7000-8000-000000000000"
    ways = (
        ("GET", PATH, None), ("POST", PATH, body), ("GET", f"{PATH}/{id}", None), ("DELETE", f"{PATH}/{id}", None),
        ("GET", f"{PATH}/deliveries", None), ("GET", f"{PATH}/deliveries/{id}", None), ("POST", f"{PATH}/deliveries/{id}/retry", None),
    )  # fmt: skip
    for method, path, sent in ways:
        for headers, status in wrong:
            expect(await s.client.send(method, path, sent, headers=headers), status, f"it needs '{access}'")
        if id in path:
            expect(await s.client.send(method, path, sent, headers=await sending.manager(s)), 404, "there is no such row")
    if access.who is Who.ROLE:
        named = (await s.account(f"role:{access.roles[0]}")).headers
        expect(await s.client.send("GET", PATH, headers=named), 200, f"{access} may")


async def _stored(s: Session) -> None:
    """No request shows what is stored, so this looks into the database."""
    made = await sending.subscribe(s, "https://example.com/hook", topics(s.plan)[:1])
    rows = await s.query('SELECT * FROM "webhook__subscription" WHERE "id" = ?', made["id"])
    await sending.unsubscribe(s, made)
    if len(rows) != 1:
        raise Fault("the subscription is not stored")
    if str(made["signing_secret"]).removeprefix("whsec_") in str(rows):
        raise Fault("the secret is stored as it is")
