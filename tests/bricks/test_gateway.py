"""Gateways: what their language says and refuses, and faults that their proof finds."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest

from clodo.blueprint import format_blueprint, parse
from clodo.blueprint.checks import check
from clodo.blueprint.plan import make_plan
from clodo.blueprint.problems import InvalidBlueprint
from clodo.blueprint.syntax import read
from clodo.bricks.gateway.attacks import attack_checks
from clodo.bricks.gateway.bench import FINE, Bench, Reply, problem
from clodo.bricks.gateway.values import Upstream
from clodo.bricks.registry import service_tree
from clodo.emit.openapi import document
from clodo.proof.client import Answer, Client
from clodo.proof.conformance import document_faults
from clodo.proof.host import Host
from clodo.toolchain import Toolchain
from tests.bricks.proving import Fault, example_of, expect_caught, made, proof

SMALL = """service front
type api-gateway

upstream shop "https://shop.internal.example/v1" {
  timeout 0.5 s
  retry 1 times
  break after 4 failures for 1 s
}

route "/shop/*" to shop {
  methods GET, POST
  strip "/shop"
  limit 20 per minute per address
  body max 0.01 MB
  cache 60 s
  set "Authorization" from secret shop_token
  set "X-Api-Version" "2"
  remove "X-Debug"
  answer set "X-Served-By" "front"
  answer remove "Server"
}

route "/shop/admin/*" to shop {
  allow key
}
"""

#: Answers that are kept for one caller each.
KEPT = """service front
type api-gateway

users {
  roles clerk
}

upstream shop "https://shop.internal.example"

route "/mine/*" to shop {
  allow user
  cache 60 s
}

route "/desk/*" to shop {
  allow role clerk
  cache 60 s
}

route "/stock/*" to shop {
  allow key
  cache 60 s
}
"""

#: Limits by the hour and the day, of single paths.
COUNTED = """service front
type api-gateway

users {
}

upstream shop "https://shop.internal.example"

route "/search/*" to shop {
  allow key
  limit 1000 per day per key
}

route "/maps/*" to shop {
  limit 100 per minute per address
  limit 50 per hour per address
  limit 200 per day per address
}

route "/mine/*" to shop {
  methods GET
  allow user
  limit 1 per hour per user
}

route "/open/*" to shop
"""

#: An identity server behind the gateway, which has keys of its own to show.
KNOWN = """service front
type api-gateway

users {
  cookies
  sessions 10 days
  api keys
  jwks
}

upstream identity "https://identity.internal.example"

route "/.well-known/*" to identity {
  methods GET
}

route "/.well-known/openid-configuration" to identity {
  methods GET
  cache 60 s
}

route "/oauth/*" to identity {
  allow user
}
"""

PLAIN = 'service front\ntype api-gateway\n\nupstream shop "https://shop.example" {\n%s}\n\nroute %s to shop {\n%s}\n'


def problems(options: str = "", *, upstream: str = "", path: str = '"/shop/*"', more: str = "") -> list[str]:
    blueprint, _ = read(PLAIN % (upstream, path, options) + more)
    return [p.message for p in check(blueprint) if p.severity == "error"]


@pytest.mark.parametrize("text", [SMALL, KEPT, COUNTED, KNOWN, example_of("gateway")], ids=["small", "kept", "counted", "known", "example"])
def test_its_text_is_canonical(text: str) -> None:
    assert format_blueprint(parse(text)) == text


def test_blocks_may_be_left_out() -> None:
    text = 'service front\ntype api-gateway\n\nupstream shop "https://shop.example"\n\nroute "/*" to shop\n'
    assert format_blueprint(parse(text)) == text


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("allow user\n", "needs users"),
        ("allow owner\n", "could have an owner"),
        ("limit 5 per minute per key\n", "counts for each key"),
        ("limit 0 per minute per address\n", "The limit must be"),
        ("limit 1.5 per minute per address\n", "The limit must be"),
        ("limit 5 per day per user\n", "counts for each user"),
        ("limit 2000000 per day per address\n", "The limit must be"),
        ("limit 5 per day per address\nlimit 6 per hour per address\nlimit 7 per day per address\n", "two limits per day"),
        ("limit 5 per minute per address\nlimit 6 per minute per address\n", "two limits per minute"),
        ("body max 1000 MB\n", "The largest body must be"),
        ("cache 0 s\n", "The time in the cache must be"),
        ("cache 5 s\nforward credentials\n", "cached for another"),
        ("allow key\ncache 5 s\nforward credentials\n", "cached for another"),
        ("methods POST\ncache 5 s\n", "Only GET is cached"),
        ("methods GET, GET\n", "names GET twice"),
        ("strip \"/other\"\n", "does not begin with"),
        ("strip \"/\"\n", "does not begin with"),
        ("cache 5 s\ncache 6 s\n", "says 'cache' twice"),
        ("set \"X A\" \"1\"\n", "no name of a header"),
        ("set \"Host\" \"evil\"\n", "itself decides on the header Host"),
        ("set \"X-A\" \"1\\r\\nX-B: 2\"\n", "signs that a header cannot carry"),
        ("set \"X-A\" \"1\"\nset \"x-a\" \"2\"\n", "twice"),
        ("set \"X-A\" from secret jwt_secret\n", "service's own"),
        ("remove \"Transfer-Encoding\"\n", "itself decides"),
    ],
)  # fmt: skip
def test_what_a_route_cannot_be(options: str, said: str) -> None:
    assert any(said in message for message in problems(options)), problems(options)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ('"shop"', "no path of a route"),
        ('""', "no path of a route"),
        ('"/"', "no path of a route"),
        ('"/a//b"', "no path of a route"),
        ('"/a/../b"', "no path of a route"),
        ('"/a/*/b"', "no path of a route"),
        ('"/.env"', "no path of a route"),
        ('"/.git/*"', "no path of a route"),
        ('"/.well-known-not"', "no path of a route"),
        ('"/a/.well-known"', "no path of a route"),
        ('"/.well-known/.well-known"', "no path of a route"),
        ('"/.well-known/../a"', "no path of a route"),
        ('"/Shop"', "capitals"),
        ('"/health"', "of the service itself"),
        ('"/docs/*"', "of the service itself"),
    ],
)
def test_what_no_path_can_be(path: str, said: str) -> None:
    assert any(said in message for message in problems(path=path))


@pytest.mark.parametrize(
    ("upstream", "said"),
    [
        ("timeout 0 s\n", "The timeout must be"),
        ("retry 9 times\n", "The number of retries must be"),
        ("break after 0 failures for 5 s\n", "The number of failures must be"),
        ("break after 5 failures for 0 s\n", "The pause must be"),
        ("retry 3 times\nbreak after 3 failures for 5 s\n", "would open its breaker"),
    ],
)
def test_what_an_upstream_cannot_be(upstream: str, said: str) -> None:
    assert any(said in message for message in problems(upstream=upstream))


@pytest.mark.parametrize("address", ["shop", "ftp://shop.example", "https://", "https://a.example:99999", "https://a b.example", "https://u:p@a.example", "https://a.example?x=1"])
def test_what_no_address_is(address: str) -> None:
    blueprint, _ = read(f'service front\ntype api-gateway\nupstream shop "{address}"\nroute "/shop/*" to shop\n')
    assert any(p.severity == "error" for p in check(blueprint))


def test_routes_lead_somewhere_and_do_not_clash() -> None:
    assert any("Did you mean shop" in p.suggestion for p in check(read(PLAIN % ("", '"/a"', "") + 'route "/b" to shopp\n')[0]))
    assert any("have GET" in m for m in problems("methods GET\n", more='route "/shop/*" to shop {\nmethods GET, POST\n}\n'))
    assert not problems("methods GET\n", more='route "/shop/*" to shop {\nmethods POST\n}\n')
    with pytest.raises(InvalidBlueprint, match="said twice"):
        parse(PLAIN % ("", '"/a"', "") + 'route "/a" to shop\n')


def test_entities_keep_their_paths() -> None:
    text = 'service front\ntype api-gateway\nentity book {\n  name: text\n}\nupstream shop "https://shop.example"\nroute "/api/books/*" to shop\n'
    assert any("belongs to /api/books" in p.message for p in check(read(text)[0]))


@pytest.mark.parametrize("path", ["/.well-known/*", "/.well-known", "/.well-known/jwks.json", "/.well-known/openid-configuration"])
def test_what_is_well_known_may_stand_behind_it(path: str) -> None:
    assert problems(path=f'"{path}"') == []


def test_the_keys_of_the_service_itself_stay_its_own() -> None:
    for kind, users in (("api-gateway", "users {\njwks\n}\n"), ("auth-service", "users {\n}\n")):
        text = f'service front\ntype {kind}\n{users}upstream shop "https://shop.example"\nroute "%s" to shop\n'
        [said] = [p.message for p in check(read(text % "/.well-known/jwks.json")[0]) if p.severity == "error"]
        assert "/.well-known/jwks.json" in said
        # All else that is well known may be answered behind it.
        text %= "/.well-known/*"
        paths = json.loads(service_tree(parse(text), text)["openapi.json"])["paths"]
        assert paths["/.well-known/jwks.json"]["get"]["operationId"] == "jwks"
        assert paths["/.well-known/{path}"]["get"]["operationId"] == "get_well_known_below"


def test_a_gateway_stores_nothing() -> None:
    tree = service_tree(parse(SMALL), SMALL)
    config = json.loads(tree["wrangler.jsonc"])
    assert not any(name.startswith(("migrations/", "src/entities/")) for name in tree)
    assert "d1_databases" not in config and "D1Database" not in tree["src/env.ts"]
    assert config["vars"] == {"UPSTREAM_SHOP": "https://shop.internal.example/v1"}
    assert "wrangler d1" not in tree["package.json"] and "D1" not in tree["README.md"]
    assert "DB" not in "".join(text for name, text in tree.items() if name.startswith("src/lib/"))


def test_what_a_path_has_by_another_method_is_no_disguise() -> None:
    open_ = 'route "/a/*" to shop {\n  methods GET\n}\n\n'
    closed = 'route "/a/*" to shop {\n  methods POST\n  allow key\n}\n'
    text = PLAIN % ("", '"/*"', "  methods GET\n")
    found = [[id for id, _, _ in attack_checks(make_plan(parse(f"{text}\n{more}{closed}")))] for more in ("", open_)]
    assert ["disguise" in ids for ids in found] == [True, False]


def test_what_is_counted_longer_than_a_minute_is_stored() -> None:
    text = PLAIN % ("", '"/a"', "  limit 60 per minute per address\n  limit 1000 per day per address\n")
    tree = service_tree(parse(text), text)
    config = json.loads(tree["wrangler.jsonc"].partition("\n")[2])
    assert [one["simple"] for one in config["ratelimits"]] == [{"limit": 60, "period": 60}]
    assert "d1_databases" in config and 'CREATE TABLE "rate-limit"' in tree["migrations/0001_init.sql"]
    assert '(c) => counted(c, [{ name: "/a address-day", most: 1000, seconds: 86400, per: "address" }])' in tree["src/index.ts"]
    operation = json.loads(tree["openapi.json"])["paths"]["/a"]["get"]
    assert operation["responses"]["429"]["description"] == "More than 60 requests in a minute or 1000 requests in a day"
    assert list(document_faults(json.loads(tree["openapi.json"]))) == []


def test_with_an_entity_it_has_a_database() -> None:
    text = SMALL + "\nentity note {\n  body: text required\n}\n"
    assert "migrations/0001_init.sql" in service_tree(parse(text), text)


@pytest.mark.parametrize("text", [SMALL, example_of("gateway")], ids=["small", "example"])
def test_its_document_is_valid(text: str) -> None:
    made_document = json.loads(service_tree(parse(text), text)["openapi.json"])
    assert list(document_faults(made_document)) == []
    assert document(make_plan(parse(text)))["paths"].keys() < made_document["paths"].keys()


FAULTS = [
    Fault("follows redirects", "src/lib/gateway.ts", 'redirect: "manual"', 'redirect: "follow"', "gateway.redirect"),
    Fault("makes a host of a path", "src/lib/gateway.ts", '.replace(/^[/\\\\]*/, "/")', "", "gateway.location"),
    Fault("hands credentials on", "src/lib/gateway-headers.ts", "if (!credentials) for (const name of CREDENTIALS) headers.delete(name);", "", "gateway.credentials"),
    Fault("hands cookies of the upstream on", "src/lib/gateway-headers.ts", 'if (!credentials) headers.delete("set-cookie");', "", "gateway.credentials"),
    Fault("believes what callers say of themselves", "src/lib/gateway-headers.ts", "SPOOFED.test(name) || ", "", "gateway.forwarded"),
    Fault("believes what they say with underscores", "src/lib/gateway-headers.ts", ' || name.includes("_")', "", "gateway.spelling"),
    Fault("knows no hop-by-hop headers of the caller's", "src/lib/gateway-headers.ts", "[...HOP_BY_HOP, ...named]", "HOP_BY_HOP", "gateway.forwarded"),
    Fault("takes any number for a request", "src/lib/gateway-headers.ts", "REQUEST_ID.test(given) ? given", 'given !== "" ? given', "gateway.forwarded"),
    Fault("passes every path on", "src/lib/gateway.ts", "    refuseTricks(path);\n", "", "gateway.paths"),
    Fault("sees through no escape", "src/lib/gateway-paths.ts", "UNRESERVED.test(sign) ? sign", "false ? sign", "gateway.disguise"),
    Fault("tells capitals apart where others do not", "src/lib/gateway-paths.ts", ".toLowerCase()", "", "gateway.disguise"),
    Fault("does not know path parameters", "src/lib/gateway-paths.ts", '.replace(/(;|%3B)[^/]*/gi, "")', "", "gateway.disguise"),
    Fault("takes a prefix for a path", "src/lib/gateway.ts", "path.startsWith(`${route.path}/`)", "path.startsWith(route.path)", "gateway.unmatched|gateway.forward"),
    Fault("the shortest path wins", "src/lib/gateway.ts", "b.path.length - a.path.length", "a.path.length - b.path.length", "gateway.access|gateway.forward"),
    Fault("asks nobody who they are", "src/lib/gateway.ts", 'route.rule === "public" ? {} : await admit(c, route.rule)', "{}", "gateway.access"),
    Fault("drops the query", "src/lib/gateway.ts", 'search < 0 ? "" : c.req.raw.url.slice(search)', '""', "gateway.forward"),
    Fault("Allow is of one route only", "src/lib/gateway.ts", 'if (methods.includes("GET")) methods.push("HEAD");', "methods.length = 1;", "gateway.methods"),
    Fault("sends twice what may be sent once", "src/lib/gateway.ts", 'new Set(["GET"', 'new Set(["POST", "PATCH", "GET"', "gateway.once"),
    Fault("never tries again", "src/lib/upstream.ts", "attempt < this.options.retries", "attempt < 0", "gateway.retry"),
    Fault("the breaker never opens", "src/lib/upstream.ts", "this.failures + 1", "0", "gateway.break"),
    Fault("the breaker counts all failures, not those in a row", "src/lib/upstream.ts", "well ? 0 : this.failures + 1", "well ? this.failures : this.failures + 1", "gateway.failure|gateway.retry|gateway.once|gateway.break"),
    Fault("a time-out looks like a broken connection", "src/lib/upstream.ts", "new Problem(504", "new Problem(502", "gateway.failure"),
    Fault("tells where the upstream stands", "src/lib/upstream.ts", '"The server behind this route cannot be reached."', "String(this.options.address({ UPSTREAM_SHOP: 'http://127.0.0.1' } as never))", "gateway.failure"),
    Fault("keeps what is private", "src/lib/gateway-cache.ts", '!PERSONAL.test(headers.get("cache-control") ?? headers.get("pragma") ?? "")', "true", "gateway.cache"),
    Fault("knows no Pragma", "src/lib/gateway-cache.ts", 'headers.get("cache-control") ?? headers.get("pragma")', 'headers.get("cache-control")', "gateway.cache"),
    Fault("keeps one language for all", "src/lib/gateway-cache.ts", 'HARMLESS_VARY.test(headers.get("vary") ?? "")', "true", "gateway.cache"),
    Fault("keeps nothing", "src/lib/gateway-cache.ts", "status === 200 &&", "false &&", "gateway.cache"),
    Fault("keeps longer than the upstream says", "src/lib/gateway-cache.ts", "if (found.length > 0) return Math.min(...found);", "if (found.length > 0) return Math.min(...found) === 0 ? 0 : Infinity;", "gateway.cache"),
    Fault("takes what is over for good", "src/lib/gateway-cache.ts", "if (found.length > 0) return Math.min(...found);", "if (Math.min(...found) > 0) return Math.min(...found);", "gateway.cache"),
    Fault("takes max-age before s-maxage", "src/lib/gateway-cache.ts", "of LIFETIMES", "of LIFETIMES.toReversed()", "gateway.cache"),
    Fault("knows no age", "src/lib/gateway-cache.ts", 'secondsGood(response.headers) - wholeSeconds(response.headers.get("age"))', 'secondsGood(response.headers)', "gateway.cache"),
    Fault("knows no Expires", "src/lib/gateway-cache.ts", "if (expires === null) return Infinity;", "if (expires !== undefined) return Infinity;", "gateway.cache"),
    Fault("says another time than the upstream", "src/lib/gateway-cache.ts", 'headers.get(SAID) ?? ', "", "gateway.cache"),
    Fault("counts no body in chunks", "src/lib/gateway-body.ts", "if (size <= maxBytes) return", "if (size >= 0) return", "gateway.body"),
    Fault("a body that is too large ends early and well", "src/lib/gateway-body.ts", "stop.abort(tooLarge);", "", "gateway.body"),
    Fault("limits nobody", "src/lib/gateway.ts", "if (success) return;", "if (success || true) return;", "gateway.limit"),
    Fault("each address of a network has its own count", "src/lib/gateway.ts", 'networkOf(callerAddress(c) ?? "")', 'callerAddress(c) ?? ""', "gateway.limit"),
    Fault("all networks have one count", "src/lib/network.ts", "groups.slice(0, 4)", "groups.slice(0, 3)", "gateway.limit"),
    Fault("counts by what callers say", "src/lib/gateway-headers.ts", 'c.req.header("cf-connecting-ip")', 'c.req.header("x-forwarded-for") ?? c.req.header("cf-connecting-ip")', "gateway.limit|gateway.forwarded"),
    Fault("the caller's header beats the route's", "src/lib/gateway-headers.ts", 'headers.set(name, typeof value === "string" ? value : value(c.env));', 'if (!headers.has(name)) headers.set(name, typeof value === "string" ? value : value(c.env));', "gateway.headers"),
]  # fmt: skip


KEPT_FAULTS = [
    Fault("gives one caller the answer of another", "src/lib/gateway.ts", "await holder(c, route, caller)", '""', "gateway.cache"),
    Fault("keeps by the credential that let in alone", "src/lib/gateway.ts", "if (caller.user !== undefined) return caller.user.id;", 'if (caller.user !== undefined && c.req.header("x-api-key") === undefined) return caller.user.id;', "gateway.cache"),
    Fault("tells all on the way to keep it", "src/lib/gateway.ts", 'whose !== "" && isShareable', "false && isShareable", "gateway.cache"),
    Fault("keeps what was for another role", "src/lib/gateway.ts", 'caller.user?.role ?? "key"', '""', "gateway.cache"),
    Fault("keeps nothing for those who log in", "src/lib/gateway.ts", "if (span > 0)", 'if (route.rule === "public" && span > 0)', "gateway.cache"),
]  # fmt: skip


COUNTED_FAULTS = [
    Fault("counts no hours of addresses", "src/lib/gateway.ts", "[await route.counts?.address?.(c)]", "[{}]", "gateway.count"),
    Fault("counts no days of keys", "src/lib/gateway.ts", "standing.push(await route.counts?.caller?.(c));", "", "gateway.count"),
    Fault("tells not what is left", "src/lib/gateway.ts", "for (const [name, value] of Object.entries(joined(standing))) headers.set(name, value);", "", "gateway.count"),
    Fault("one count for the paths of all", "src/lib/limits.ts", "bind(limit.name, subject, now + limit.seconds", 'bind("/maps/* address-hour", subject, now + limit.seconds', "gateway.count"),
    Fault("asks behind the upstream", "src/lib/gateway.ts", "standing.push(await route.counts?.caller?.(c));", "const told = await route.counts?.caller?.(c).catch((error: unknown) => error as never); standing.push(told);", "gateway.count"),
    Fault("two requests at once are one", "src/lib/limits.ts", '"count" = "count" + 1 WHERE', '"count" = "count" WHERE', "gateway.count"),
    Fault("believes what callers say of their address", "src/lib/limits.ts", 'networkOf(c.req.header("cf-connecting-ip") ?? "")', 'networkOf(c.req.header("x-forwarded-for") ?? c.req.header("cf-connecting-ip") ?? "")', "gateway.count"),
    Fault("all users are one", "src/lib/limits.ts", "user: caller.user?.id,", 'user: caller.user && "",', "gateway.count"),
]  # fmt: skip


@pytest.mark.workerd
@pytest.mark.parametrize("text", [SMALL, KEPT, COUNTED, KNOWN], ids=["small", "kept", "counted", "known"])
def test_a_small_gateway_is_proven(text: str, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    report = proof(text, tmp_path / "s", toolchain, host, types=True)
    assert report.proven, report.summary()


@pytest.mark.workerd
@pytest.mark.parametrize(("source", "fault"), [*((SMALL, f) for f in FAULTS), *((KEPT, f) for f in KEPT_FAULTS), *((COUNTED, f) for f in COUNTED_FAULTS)], ids=[f.name for f in (*FAULTS, *KEPT_FAULTS, *COUNTED_FAULTS)])
def test_the_proof_finds_the_fault(source: str, fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(source, tmp_path / "s", toolchain, host, fault)


UPSTREAM = (Upstream("shop", ""),)
BREAKING = """service front
type api-gateway

upstream shop "https://shop.internal.example" {
  timeout 0.5 s
  break after 2 failures for 1 s
}

route "/shop/*" to shop
"""


async def _ask(client: Client, bench: Bench, *replies: Reply, method: str = "GET") -> tuple[Answer, int]:
    number = bench.number(*replies)
    answer = await client.send(method, f"/shop/x?proof={number}")
    return answer, len(bench.seen[number])


@pytest.mark.workerd
def test_after_the_pause_one_of_many_tries(tmp_path: Path, host: Host) -> None:
    async def run(client: Client, bench: Bench) -> None:
        for _ in range(2):
            assert (await _ask(client, bench, problem(502)))[0].status == 502
        assert (await _ask(client, bench))[0].status == 503
        time.sleep(1.1)
        number = bench.number(Reply(silent=True))
        answers = await asyncio.gather(*(client.send("GET", f"/shop/x?proof={number}") for _ in range(10)))
        assert sorted(a.status for a in answers) == [503] * 9 + [504]
        assert len(bench.seen[number]) == 1
        time.sleep(1.1)
        assert (await _ask(client, bench))[0].status == 200
        answers = await asyncio.gather(*(client.send("GET", f"/shop/x?proof={bench.number()}") for _ in range(10)))
        assert {a.status for a in answers} == {200}

    _beside(BREAKING, tmp_path, host, run)


@pytest.mark.workerd
def test_retries_keep_to_their_budget(tmp_path: Path, host: Host) -> None:
    async def run(client: Client, bench: Bench) -> None:
        asked = [(await _ask(client, bench, problem(503)))[1] for _ in range(20)]
        # Ten in reserve and one for every five requests: the rest is sent once.
        assert 20 + 10 <= sum(asked) <= 20 + 10 + 20 // 5
        assert asked[0] == 4 and asked[-1] <= 2

    _beside(BREAKING.replace("  break after 2 failures for 1 s\n", "  retry 3 times\n"), tmp_path, host, run)


@pytest.mark.workerd
def test_what_is_kept_ends_when_the_upstream_says(tmp_path: Path, host: Host) -> None:
    async def run(client: Client, bench: Bench) -> None:
        number = bench.number(Reply(headers=(("cache-control", "max-age=2"),)))
        statuses = []
        for _ in range(30):
            statuses.append((await client.send("GET", f"/shop/x?proof={number}")).headers.get("cache-status", ""))
            await asyncio.sleep(0.1)
        hits = [s for s in statuses if "hit" in s]
        assert hits and {s.partition(" ttl=")[2] for s in hits} <= {"1", "2"}
        assert "gateway; fwd=miss" in statuses[statuses.index(hits[0]) :]

    _beside(BREAKING.replace('"/shop/*" to shop\n', '"/shop/*" to shop {\n  cache 60 s\n}\n'), tmp_path, host, run)


@pytest.mark.workerd
def test_a_limit_holds_for_requests_at_once(tmp_path: Path, host: Host) -> None:
    async def run(client: Client, bench: Bench) -> None:
        caller = {"cf-connecting-ip": "2001:db8::7"}
        if time.time() % 60 > 55:  # the minute must not end in between
            await asyncio.sleep(60 - time.time() % 60)
        answers = await asyncio.gather(*(client.send("GET", f"/shop/x?proof={bench.number()}", headers=caller) for _ in range(30)))
        assert sorted(a.status for a in answers) == [200] * 7 + [429] * 23

    _beside(BREAKING.replace('"/shop/*" to shop\n', '"/shop/*" to shop {\n  limit 7 per minute per address\n}\n'), tmp_path, host, run)


def _beside(source: str, folder: Path, host: Host, run: object) -> None:
    bench = Bench()

    async def go(url: str) -> None:
        client = Client(url)
        try:
            await run(client, bench)  # type: ignore[operator]
        finally:
            await client.close()

    with bench.running(UPSTREAM) as variables:
        try:
            asyncio.run(go(host.serve(made(source, folder / "s"), bindings=dict(variables)).url))
        finally:
            host.reset()


def test_the_bench_answers_what_it_is_told() -> None:
    bench = Bench()
    number = bench.number(problem(503), FINE)
    with bench.running(UPSTREAM) as variables:
        assert variables == {"UPSTREAM_SHOP": f"{bench.url}/behind-shop"}

        async def run() -> list[int]:
            client = Client(bench.url)
            answers = [await client.send("POST", f"/x?proof={number}", {"a": 1}) for _ in range(3)]
            await client.close()
            return [a.status for a in answers]

        assert asyncio.run(run()) == [503, 200, 200]
    assert [seen.body for seen in bench.seen[number]] == [b'{"a": 1}'] * 3
