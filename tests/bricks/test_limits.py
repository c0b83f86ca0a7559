"""The brick ``limits``."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from clodo.blueprint import InvalidBlueprint, format_blueprint, parse
from clodo.blueprint.gbnf import gbnf
from clodo.blueprint.plan import make_plan
from clodo.bricks.limits.language import Limit, WriteLimit
from clodo.bricks.limits.policies import (
    joint_policies,
    policies_of,
    service_policies,
    write_policies,
    write_routes,
)
from clodo.bricks.registry import service_checks, service_tree
from clodo.proof.client import Client
from clodo.proof.host import Host
from clodo.proof.verify import verify
from clodo.toolchain import Toolchain
from tests.bricks.proving import Fault, example_of, expect_caught, made, proof

EXAMPLE = example_of("limits")
SMALL = "service notes\n{}\nentity note {{\n  text: text required\n{}}}\n{}"
LIMITS = "src/lib/limits.ts"
INDEX = "src/index.ts"


def small(top: str = "", inside: str = "", below: str = "") -> str:
    """A small service with the lines in these places."""
    return SMALL.format(top, f"  {inside}\n" if inside else "", f"\n{below}\n" if below else "")


def problems(text: str) -> str:
    """What is wrong with a blueprint."""
    with pytest.raises(InvalidBlueprint) as caught:
        parse(text)
    return str(caught.value)


# -- the language -----------------------------------------------------------------------------


def test_lines_of_the_service_are_read_and_written() -> None:
    text = small(below="limit 100 per minute per address\n\nlimit 1000 per day per address")
    blueprint = parse(text)
    assert [str(p.most) for p in blueprint.parts_of(Limit)] == ["100", "1000"]
    assert parse(format_blueprint(blueprint)) == blueprint
    assert "limit 100 per minute per address\n" in format_blueprint(blueprint)


def test_lines_of_an_entity_are_read_and_written() -> None:
    text = small(inside="limit create, update 5 per hour per address\n  limit delete 1 per day per address\n  create: integer")
    blueprint = parse(text)
    [first, second] = blueprint.entities[0].parts_of(WriteLimit)
    assert (first.writes, second.kinds) == (("create", "update"), ("delete",))
    assert blueprint.entities[0].field("create") is not None
    assert parse(format_blueprint(blueprint)) == blueprint


def test_the_word_writes_stands_for_all() -> None:
    [limit] = parse(small(inside="limit writes 5 per hour per address")).entities[0].parts_of(WriteLimit)
    assert limit.kinds == ("create", "update", "delete")


PAIR = "service s\nread public\nwrite {}\n\nusers {{\n}}\n\nentity order {{\n  code: text\n}}\n\nentity note {{\n  text: text\n}}\n\nentity shelf {{\n  name: text\n}}\n\nlimit {}\n"


def test_writes_of_several_entities_are_counted_together() -> None:
    for line, names in (("writes 20 per minute per user on order, note", ["order", "note"]), ("create, delete 5 per hour per address", ["order", "note", "shelf"])):
        blueprint = parse(PAIR.format("user", line))
        assert format_blueprint(blueprint) == PAIR.format("user", line)
        plan = make_plan(blueprint)
        [policy] = joint_policies(plan)
        assert [e.name for e in policy.entities] == names
        assert [policies_of(plan, e) for e in blueprint.entities] == [(policy,) if e.name in names else () for e in blueprint.entities]


@pytest.mark.parametrize(
    ("write", "line", "words"),
    [
        ("user", "writes 20 per minute per user on order, noet", "noet"),
        ("user", "writes 20 per minute per user on order", "several entities together"),
        ("user", "writes, create 20 per minute per user", "'writes' is no write"),
        ("user", "cancel 20 per minute per user", "'cancel' is no write"),
        ("user", "create, create 20 per minute per user", "names something twice"),
        ("public", "writes 20 per minute per user on order, note", "without an account"),
        ("user", "writes 20 per minute per key on order, note", "without the key"),
        ("user", "writes 0 per minute per user", "no number of requests"),
        ("user", "writes 20 per minute per user\n\nlimit delete 5 per minute per user on note, shelf", "two limits of the service"),
    ],
)
def test_a_count_of_several_entities_that_cannot_be_is_told(write: str, line: str, words: str) -> None:
    assert words in problems(PAIR.format(write, line))


STEPS = "flagged: boolean\n  action flag {\n    set flagged = true\n  }\n  action mark_read {\n    set flagged = false\n  }\n"


def test_actions_are_limited_by_their_names() -> None:
    blueprint = parse(small(inside=f"{STEPS}  limit flag, mark_read 5 per hour per address\n  limit delete, flag 1 per day per address"))
    [first, second] = blueprint.entities[0].parts_of(WriteLimit)
    assert (first.kinds, second.kinds) == (("flag", "mark_read"), ("delete", "flag"))
    assert parse(format_blueprint(blueprint)) == blueprint
    [policy, _] = write_policies(blueprint.entities[0])
    assert policy.name == "note-flag-mark-read-address-hour"
    assert [policy.counts(kind) for kind in ("flag", "mark_read", "update", "create")] == [True, True, False, False]


def test_a_limit_of_updates_counts_actions_too() -> None:
    [policy] = write_policies(parse(small(inside=f"{STEPS}  limit update 5 per hour per address")).entities[0])
    assert [policy.counts(kind) for kind in ("flag", "update", "delete")] == [True, True, False]


def test_decoders_know_the_lines() -> None:
    assert '"minute"' in gbnf()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (small(below="limit 0 per minute per address"), "0 is no number of requests"),
        (small(below="limit 2.5 per minute per address"), "2.5 is no number"),
        (small(below="limit 2000000 per minute per address"), "from 1 to 1,000,000"),
        (small(below="limit 5 per minute per user"), "needs users"),
        (small(below="limit 5 per minute per key"), "something that the key opens"),
        (small(below="limit 5 per day per address\nlimit 6 per day per address"), "two limits per day per address"),
        (small(inside="limit create, create 5 per day per address"), "names a write twice"),
        (small(inside="limit create, writes 5 per day per address"), "names a write twice"),
        (small(inside="limit create 5 per day per user"), "without an account"),
        (small("write key\nread key\n", "limit create 5 per day per user"), "without an account"),
        (small(inside="limit create 5 per day per key"), "without the key"),
        (small(inside="limit create 5 per day per address\n  limit writes 9 per day per address"), "has two limits"),
        (small(inside=f"{STEPS}  limit flagg 5 per day per address"), "no action 'flagg' to limit. Did you mean flag?"),
        (small(inside="limit flag 5 per day per address"), "Choose from create, update, delete, writes."),
        (small(inside=f"{STEPS}  limit flag 5 per day per user"), "without an account"),
        (small("write key\n", f"{STEPS}  limit flag, flag 5 per day per key"), "names a write twice"),
        (small("write user\nusers {\n}\n", "flagged: boolean\n  action flag {\n    by public\n    set flagged = true\n  }\n  limit flag 5 per day per user"), "without an account"),
        (small(inside=f"{STEPS}  limit flag 5 per day per address\n  limit mark_read, flag 9 per day per address"), "has two limits"),
        (small(inside="limit create 5 per day per address\n  limit update 9 per day per address\n  limit delete, update 9 per day per address"), "has two limits"),
        (small(inside="limit 5 per day per address"), "not expected here"),
        (small(below="limit 5 per year per address"), "not expected here"),
    ],
)
def test_what_makes_no_sense_is_refused(text: str, words: str) -> None:
    assert words in problems(text)


def test_metrics_are_something_that_the_key_opens() -> None:
    parse(small(below="metrics\n\nlimit 5 per minute per key"))


# -- the service ------------------------------------------------------------------------------


def test_policies_have_names_that_tell_them_apart() -> None:
    plan = make_plan(parse(EXAMPLE))
    names = [p.name for p in service_policies(plan)]
    names += [p.name for e in plan.blueprint.entities for p in write_policies(e)]
    assert names == ["address-minute", "user-day", "message-create-user-hour", "message-update-delete-user-day", "message-flag-user-hour"]


def test_every_way_to_write_is_known() -> None:
    plan = make_plan(
        parse(
            "service s\n\nentity post {\n  title: text required\n  tags: <-> tag\n}\n\nentity tag {\n  label: text\n}\n\n"
            "entity comment {\n  text: text\n  post: -> post required\n}\n"
        )
    )

    def kinds(entity: str, method: str, path: str) -> list[str]:
        e = plan.blueprint.entity(entity)
        assert e is not None
        return [r.kind for r in write_routes(plan, e) if r.matches(method, path)]

    assert kinds("post", "post", "/api/posts") == ["create"]
    assert kinds("post", "post", "/api/posts/bulk") == ["create"]
    assert kinds("post", "patch", "/api/posts/{id}") == ["update"]
    assert kinds("post", "delete", "/api/posts/{id}") == ["delete"]
    assert kinds("post", "post", "/api/posts/{id}/publish") == ["update"]
    assert kinds("post", "post", "/api/posts/{id}/versions/{number}/restore") == ["update"]
    assert kinds("post", "put", "/api/posts/{id}/tags/{other_id}") == ["update"]
    assert kinds("post", "put", "/api/tags/{id}/posts/{other_id}") == ["update"]
    assert kinds("tag", "put", "/api/tags/{id}/posts/{other_id}") == []
    assert kinds("comment", "post", "/api/posts/{id}/comments") == ["create"]
    assert kinds("post", "post", "/api/posts/{id}/comments") == []
    assert kinds("post", "get", "/api/posts/{id}") == []


def test_the_document_has_429_where_a_limit_holds_and_nowhere_else() -> None:
    import json

    text = small(inside="limit create 5 per hour per address")
    paths = json.loads(service_tree(parse(text), text)["openapi.json"])["paths"]
    refused = {(p, m) for p, item in paths.items() for m in item if m != "parameters" and "429" in item[m]["responses"]}
    assert refused == {("/api/notes", "post")}


# -- in workerd -------------------------------------------------------------------------------

FAULTS = [
    Fault("one too many", LIMITS, '"count" + 1 WHERE "count" < ?', '"count" + 1 WHERE "count" <= ?', "limits.exact"),
    Fault("all callers are one", LIMITS, "sign(`${limit.per} ${subject}`)", "sign(limit.per)", "limits.apart"),
    Fault("the caller's word for its address", LIMITS, 'c.req.header("cf-connecting-ip")', 'c.req.header("x-forwarded-for") ?? c.req.header("cf-connecting-ip")', "limits.address"),
    Fault("each address of a network is its own", "src/lib/network.ts", "groups.slice(0, 4)", "groups.slice(0, 8)", "limits.address"),
    Fault("addresses can be read", LIMITS, "return btoa(String.fromCharCode(...bytes));", "return text;", "limits.stored"),
    Fault("nothing tells when to try again", LIMITS, '"retry-after": String(wait), ', "", "limits.exact"),
    Fault("what is left is not told", LIMITS, "r=${left};t=${wait}", "r=${limit.most};t=${wait}", "limits.exact"),
    Fault("the time is never over", LIMITS, '"subject" = ? AND "reset" <= ?\'', '"subject" = ? AND "reset" <= ? - 1e15\'', "limits.ends"),
    Fault("nothing is forgotten", LIMITS, "const SWEPT = 10;", "const SWEPT = 0;", "limits.swept"),
    Fault("the refusal names the row", LIMITS, "`Too many requests. Try", "`Too many requests of ${c.req.path}. Try", "limits.hidden"),
    Fault("a path is forgotten", INDEX, '"/api/pages/:id/messages", limited', '"/api/pages/:id/message", limited', "limits.writes"),
    Fault("a step is not counted", INDEX, '"/api/messages/:id/flag", limited', '"/api/messages/:id/flags", limited', "limits.exact|limits.writes"),
    Fault("all steps are counted", INDEX, 'app.on(["POST"], "/api/messages/:id/flag", limited', 'app.on(["POST", "PATCH"], "/api/messages/:id/*", limited', "limits.writes"),
    Fault("one of them has a count of its own", INDEX, '"/api/pages", limited([{ name: "all-page-message', '"/api/pages", limited([{ name: "page', "limits."),
    Fault("one of them is not counted", INDEX, 'app.on(["POST"], "/api/pages", limited', 'app.on(["PUT"], "/api/pages", limited', "limits."),
    Fault("another number", INDEX, "most: 60,", "most: 600,", "limits.exact"),
    Fault("undocumented", "openapi.json", '"429"', '"428"', "limits.document"),
]  # fmt: skip


@pytest.mark.workerd
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
def test_faults_are_caught(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(EXAMPLE, tmp_path / "s", toolchain, host, fault)


@pytest.mark.workerd
def test_looking_first_and_counting_later_is_caught(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    folder = made(EXAMPLE, tmp_path / "s")
    path = folder / LIMITS
    text = path.read_text("utf-8")
    for old, new in (
        ('"count" + 1 WHERE "count" < ?', '"count" + 1 WHERE ? > 0'),
        ("  const found = await c.env.DB.batch<", "  const before = await c.env.DB.batch<{ count: number }>(held.map(({ limit, subject }) => c.env.DB.prepare('SELECT \"count\" FROM \"rate-limit\" WHERE \"policy\" = ? AND \"subject\" = ?').bind(limit.name, subject)));\n  const found = await c.env.DB.batch<"),
        ("passes: counted !== undefined", "passes: (before[index]?.results[0]?.count ?? 0) < limit.most"),
    ):  # fmt: skip
        assert text.count(old) == 1
        text = text.replace(old, new)
    path.write_text(text, "utf-8")
    report = verify(folder, service_checks, toolchain, host, types=False)
    assert "limits.exact" in {e.id for e in report.failures}


@pytest.mark.workerd
@pytest.mark.parametrize(
    "source",
    [
        small("read key\nwrite key\n", "limit writes 3 per day per key", "limit 1 per minute per key\n\nlimit 2 per hour per address"),
        "service solo\ntype auth-service\n\nusers {\n}\n\nlimit 2 per day per user\n",
        "service many\nread user\nwrite role editor\n\nusers {\n  roles editor\n}\n\nentity a {\n  name: text\n  bs: <-> b\n"
        "  limit update 1 per hour per user\n}\n\nentity b {\n  name: text unique\n  a: -> a required\n  read owner\n  write owner\n"
        "  limit delete 1 per hour per user\n  limit create 2 per minute per address\n}\n",
        "service shop\nread user\nwrite role clerk\n\nusers {\n  roles clerk, courier\n}\n\nentity parcel {\n  code: text\n  lost: boolean default false\n"
        "  action lose later {\n    by role courier\n    when not lost\n    set lost = true\n  }\n  action find(note: text required) {\n    set lost = false\n  }\n"
        "  limit lose, delete 2 per day per user\n  limit find 1 per hour per address\n}\n",
    ],
    ids=["key", "solo", "roles", "steps"],
)
def test_other_services_are_proven(source: str, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    report = proof(source, tmp_path / "s", toolchain, host, types=True)
    assert report.proven, report.summary()


@pytest.mark.workerd
def test_of_200_requests_at_once_exactly_50_pass(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    folder = made(small(below="limit 50 per hour per address"), tmp_path / "s")
    served = host.serve(folder, bindings={"LIMIT_SECRET": "a secret of this test"})

    async def statuses() -> list[int]:
        client = Client(served.url)
        try:
            headers = {"cf-connecting-ip": "203.0.113.7"}
            answers = await asyncio.gather(*(client.send("GET", "/api/notes", headers=headers) for _ in range(200)))
        finally:
            await client.close()
        return [a.status for a in answers]

    try:
        found = asyncio.run(statuses())
        assert (found.count(200), found.count(429)) == (50, 150)
    finally:
        host.reset()
