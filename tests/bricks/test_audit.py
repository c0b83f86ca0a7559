"""The audit: the language, faults that the checks must find, and a chain of changes without a gap."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from clodo.blueprint import check, format_blueprint, parse
from clodo.blueprint.plan import make_plan
from clodo.blueprint.problems import InvalidBlueprint
from clodo.blueprint.values import KEY, Access, Who
from clodo.bricks.audit.brick import BRICK
from clodo.bricks.audit.checks import checks
from clodo.bricks.audit.language import Audit
from clodo.proof.client import Client
from clodo.proof.host import Host
from clodo.proof.verify import PROOF_SECRETS
from clodo.toolchain import Toolchain
from tests.bricks.proving import Fault, example_of, expect_caught, made, proof

EXAMPLE = example_of("audit")
OPEN = "service s\nread public\nwrite public\n\nentity note {\n  text: text required\n  size: integer\n  audit\n}\n"
LIB, LOG, SQL = "src/lib/audit.ts", "src/lib/audit-log.ts", "migrations/0001_init.sql"

USERS = "service s\nread user\nwrite user\n\nusers {\n  roles auditor\n}\n\nentity note {\n  text: text\n  LINES\n}\n"


@pytest.mark.parametrize(
    ("line", "access"),
    [
        ("audit", KEY),
        ("audit read role auditor, admin", Access(Who.ROLE, ("auditor", "admin"))),
        ("audit read user", Access(Who.USER)),
    ],
)
def test_the_line(line: str, access: Access) -> None:
    text = USERS.replace("LINES", line)
    blueprint = parse(text)
    assert blueprint.entities[0].parts == (Audit(access),)
    assert format_blueprint(blueprint) == text.replace("read user\nwrite user", "read user\nwrite user")
    assert BRICK.applies(make_plan(blueprint))


def test_the_key_is_the_default_and_brings_its_secret() -> None:
    text = USERS.replace("LINES", "audit read key")
    assert format_blueprint(parse(text)) == USERS.replace("LINES", "audit")
    assert make_plan(parse(text)).uses_key


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("audit read owner", "An audit has no owner"),
        ("audit read public", "only 'user' may read, to 'public'"),
        ("audit read role nobody", "No role 'nobody'"),
        ("read owner\n  write owner\n  audit read user", "only 'owner' may read, to 'user'"),
    ],
)
def test_a_problem(lines: str, words: str) -> None:
    with pytest.raises(InvalidBlueprint) as caught:
        parse(USERS.replace("LINES", lines))
    [problem] = caught.value.problems
    assert words in problem.message and problem.suggestion and problem.line > 0


def test_users_are_needed() -> None:
    with pytest.raises(InvalidBlueprint, match="needs users"):
        parse(OPEN.replace("  audit", "  audit read role admin"))


APART = """service s
read user
write user

users {
}

entity team {
  name: text
}

entity note {
  text: text
  audit read role admin
}

entity plan {
  text: text
  note: -> note on delete set null
  audit read user
}

tenants team
"""


@pytest.mark.parametrize("line", ["audit read user", "audit read role admin"])
def test_who_reads_the_audit_of_a_tenant_is_a_member(line: str) -> None:
    with pytest.raises(InvalidBlueprint, match="must be a member of its tenant"):
        parse(APART.replace(line, "audit"))


def test_the_tenants_themselves_have_no_audit() -> None:
    with pytest.raises(InvalidBlueprint, match="known to its members only"):
        parse(APART.replace("  name: text\n", "  name: text\n  audit read user\n"))


SLUGS = """service press
read public
write public

entity article {
  title: text required
  body: longtext
  slug from title follow
  audit read public
}
"""
SLUG_FAULTS = (
    Fault("a slug is as the body says", "src/entities/article.ts", 'hooks: [slugged("title", true), audited(["id", "created_at", "updated_at", "deleted_at"])]', 'hooks: [audited(["id", "created_at", "updated_at", "deleted_at"]), slugged("title", true)]', "audit.changes"),
)  # fmt: skip


@pytest.mark.workerd
@pytest.mark.parametrize("fault", SLUG_FAULTS, ids=lambda f: f.name.replace(" ", "-"))
def test_a_fault_of_what_follows_is_caught(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(SLUGS, tmp_path / "s", toolchain, host, fault)


@pytest.mark.workerd
def test_what_follows_from_a_change_is_told(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    report = proof(SLUGS, tmp_path / "s", toolchain, host, types=True)
    assert report.proven, report.summary()


@pytest.mark.workerd
def test_tenants_do_not_see_each_other(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    report = proof(APART, tmp_path / "s", toolchain, host, types=True)
    assert report.proven, report.summary()
    assert sum(e.id == "audit.apart" for e in report.evidence) == 2


APART_FAULTS = (
    Fault("the list shows all tenants", LOG, ' AND "tenant_id" = ?))', " AND ? IS NOT NULL))", "audit.apart"),
    Fault("entries belong to nobody", LIB, '`, "r".${quote(tenant)}`', '", NULL"', "audit.changes"),
    Fault("an emptied reference belongs to nobody", SQL, ', NEW."team_id")', ", NULL)", "audit.follows"),
)


@pytest.mark.workerd
@pytest.mark.parametrize("fault", APART_FAULTS, ids=lambda f: f.name.replace(" ", "-"))
def test_a_fault_of_tenants_is_caught(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(APART, tmp_path / "s", toolchain, host, fault)


def test_said_twice() -> None:
    with pytest.raises(InvalidBlueprint, match="said twice"):
        parse(USERS.replace("LINES", "audit\n  audit read user"))


def test_the_words_are_free_elsewhere() -> None:
    text = "service audit\n\nentity audit {\n  audit: text required\n  search audit\n}\n"
    assert format_blueprint(parse(text)) == text
    assert check(parse(EXAMPLE)) == ()


FAULTS = (
    Fault("deletions are not written down", LIB, "if (before === null) return [];", "if (before === null || after === null) return [];", "audit.changes"),
    Fault("a write-only value is written down", LIB, ".filter((name) => !entity.fields[name]?.writeOnly)", ".filter((name) => name !== '')", "audit.secret"),
    Fault("all columns are told", LOG, "if (was !== is || !whole)", "if (was !== undefined)", "audit.changes"),
    Fault("values as they are stored", LOG, "entity?.fields[name]?.decode(value) ?? value", "value", "audit.changes"),
    Fault("everyone sees all changes", LOG, ".filter(([, rule]) => allows(rule, caller))", ".filter(([, rule]) => allows(rule, caller) || true)", "audit.readers"),
    Fault("the audit of a row is for everyone", LOG, "const caller = await admit(c, rule);", 'const caller = await admit(c, "public");', "audit.readers"),
    Fault("entries can be deleted", SQL, "BEFORE DELETE ON \"_audit\"", "BEFORE DELETE ON \"_audit\" WHEN 1 = 0", "audit.kept"),
    Fault("entries can be changed", SQL, "BEFORE UPDATE ON \"_audit\"", "BEFORE UPDATE ON \"_audit\" WHEN 1 = 0", "audit.kept"),
    Fault("an emptied reference is not written down", SQL, "AFTER UPDATE OF \"client_id\" ON \"contract\"\nWHEN", "AFTER UPDATE OF \"client_id\" ON \"contract\"\nWHEN 1 = 0 AND", "audit.follows"),
    Fault("nobody did it", LIB, 'if (user !== undefined) return "user"', 'if (user === undefined) return "user"', "audit.changes"),
    Fault("written down before it is stored", LIB, "  return {\n    ahead:", "  return {\n    check: async (c, change) => void (await c.env.DB.batch([...(audited(skipped).ahead?.(c, change) ?? []), ...(audited(skipped).along?.(c, change) ?? [])])),\n    ahead:", "audit.refused"),
    Fault("secrets that are empty are told", LIB, " && isEmpty(before, name) && isEmpty(after, name))", " && name === '')", "audit.secret"),
    Fault("the audit of all rows", LOG, "[theirs, condition('\"row_id\" = ?', id)]", "[theirs]", "audit."),
    Fault("a row that never was has an audit", LOG, "if (!(await isKnown(c, audited, theirs, caller, id))) throw notFound();", "await isKnown(c, audited, theirs, caller, id); notFound();", "audit.readers"),
)  # fmt: skip


@pytest.mark.workerd
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name.replace(" ", "-"))
def test_a_fault_is_caught(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(EXAMPLE, tmp_path / "s", toolchain, host, fault, checks=checks)


@pytest.mark.workerd
def test_changes_at_once_form_a_chain(tmp_path: Path, host: Host) -> None:
    url = host.serve(made(OPEN, tmp_path / "s"), bindings=PROOF_SECRETS).url
    try:
        asyncio.run(_chain(url))
    finally:
        host.reset()


async def _chain(url: str) -> None:
    client, key = Client(url), {"x-api-key": PROOF_SECRETS["API_KEY"]}
    made = await client.send("POST", "/api/notes", {"text": "a", "size": -1})
    path = made.headers["location"]
    await asyncio.gather(*(client.send("PATCH", path, {"size": i}) for i in range(50)))
    await client.send("DELETE", path)
    answer = await client.send("GET", f"{path}/audit?limit=100", headers=key)
    entries = answer.body["items"]
    assert [int(entry["id"]) for entry in entries] == list(range(1, 53))
    sizes = [c for entry in entries for c in entry["changes"] if c["field"] == "size"]
    assert [c["before"] for c in sizes[1:]] == [c["after"] for c in sizes[:-1]]
    assert len(sizes) == 52 and {c["after"] for c in sizes[1:-1]} == set(range(50))
    await client.close()


@pytest.mark.workerd
def test_long_values_are_cut(tmp_path: Path, host: Host) -> None:
    source = OPEN.replace("size: integer", "size: integer\n  body: longtext\n  data: json")
    url = host.serve(made(source, tmp_path / "s"), bindings=PROOF_SECRETS).url
    try:
        asyncio.run(_long(url))
    finally:
        host.reset()


async def _long(url: str) -> None:
    client, key = Client(url), {"x-api-key": PROOF_SECRETS["API_KEY"]}
    body = {"text": "a", "body": "x" * 90_000, "data": ["y" * 900] * 50}
    made = await client.send("POST", "/api/notes", body)
    await client.send("PATCH", made.headers["location"], {"body": "x" * 89_000 + "z", "data": [1]})
    answer = await client.send("GET", f"{made.headers['location']}/audit", headers=key)
    assert answer.status == 200 and len(answer.text) < 70_000
    changed = {c["field"]: c for c in answer.body["items"][1]["changes"]}
    assert changed["body"]["before"] == "x" * 10_000 and changed["data"]["after"] == [1]
    await client.close()


@pytest.mark.workerd
def test_a_row_that_comes_back_is_written_down(tmp_path: Path, host: Host) -> None:
    source = OPEN.replace("  audit", "  soft delete\n  restore\n  audit")
    url = host.serve(made(source, tmp_path / "s"), bindings=PROOF_SECRETS).url

    async def restored() -> None:
        client, key = Client(url), {"x-api-key": PROOF_SECRETS["API_KEY"]}
        path = (await client.send("POST", "/api/notes", {"text": "a"})).headers["location"]
        await client.send("DELETE", path)
        assert (await client.send("POST", f"{path}/restore")).status == 200
        answer = await client.send("GET", f"{path}/audit", headers=key)
        assert [entry["action"] for entry in answer.body["items"]] == ["create", "delete", "restore"]
        await client.close()

    try:
        asyncio.run(restored())
    finally:
        host.reset()
