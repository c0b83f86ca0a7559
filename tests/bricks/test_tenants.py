"""Tenants: their lines, what is wrong with them, and faults that the proof finds."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from clodo.blueprint import InvalidBlueprint, format_blueprint, parse
from clodo.bricks.registry import service_tree
from clodo.proof.client import Client
from clodo.proof.host import Host
from clodo.proof.verify import PROOF_SECRETS
from clodo.toolchain import Toolchain
from tests.bricks.proving import Fault, checks_of, expect_caught, made, proof

FULL = """service projects

read user
write user

users {
  roles manager
}

entity team {
  name: text required
  home: -> country
}

entity country {
  name: text required unique
  write role manager
  shared
}

entity tag {
  label: text required unique
}

entity project {
  code: text required unique
  name: text required
  country: -> country
  lead: -> user
  tags: <-> tag
  search name
  soft delete
  restore
  live
  export csv, ndjson
  import csv
  bulk create 10
  action hand(to: -> user required) {
    set lead = to
  }
}

entity task {
  title: text required
  position: integer
  project: -> project required on delete cascade
  unique (project, position)
  read user
  write owner
  soft delete
  restore
  export ndjson
  import ndjson
  bulk create 5
}

entity memo {
  text: text required
  read owner or role manager
  write owner
  live
}

tenants team
"""
SMALL = """service crm

read user
write user

users {
}

entity team {
  name: text required
}

entity deal {
  title: text required unique
  assignee: -> user
  search title
}

entity note {
  text: text required
  deal: -> deal required on delete cascade
}

tenants team
"""


def test_the_lines_are_kept_as_they_are() -> None:
    for source in (FULL, SMALL):
        assert format_blueprint(parse(source)) == source.replace("service projects\n\n", "service projects\n").replace("service crm\n\n", "service crm\n")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("users {\n}\n", "", "there are no users"),
        ("tenants team", "tenants teem", "'teem', which does not exist"),
        ("  assignee: -> user\n", "  assignee: -> user\n  read public\n", "'public' lets in others"),
        ("  assignee: -> user\n", "  assignee: -> user\n  write key\n", "'key' lets in others"),
        ("  name: text required\n", "  name: text required\n  write owner\n", "contradicts"),
        ("  name: text required\n", "  name: text required\n  shared\n", "the tenant itself"),
        ("  name: text required\n", "  name: text required\n  deals: <-> deal\n", "linked with all"),
        ("  name: text required\n", "  name: text required\n  deal: -> deal\n", "belong to a team themselves"),
        ("  assignee: -> user\n", "  team: -> team\n", "get a 'team_id'"),
        ("  assignee: -> user\n", "  team_id: text\n", "get a 'team_id'"),
        ("  assignee: -> user\n", "  other: -> team\n", "refers to no other"),
        ("  assignee: -> user\n", "  teams: <-> team\n", "has no others"),
        ("  text: text required\n", "  text: text required\n  shared\n", "cannot refer to a deal"),
        ("  title: text required unique\n", "  title: text required unique\n  shared\n", "would change rows of every team"),
        ("  search title\n", "  search title\n  audit\n", "must be a member of its tenant"),
        ("  search title\n", "  search title\n  room\n", "cannot name its team"),
        ("tenants team", "", "the service has no tenants"),
        ("tenants team", "tenants team\ntenants deal", "said twice"),
    ],
)
def test_what_makes_no_sense_is_told(old: str, new: str, words: str) -> None:
    source = SMALL.replace(old, new, 1)
    if words == "the service has no tenants":
        source = source.replace("  search title\n", "  search title\n  shared\n")
    with pytest.raises(InvalidBlueprint) as error:
        parse(source)
    found = [p for p in error.value.problems if words in p.message]
    assert found, [p.message for p in error.value.problems]
    assert all(p.suggestion and p.line for p in found)


SHARED = """service crm
read user
write user

users {
}

entity team {
  name: text required
  deals: integer = count(deal)
}

entity town {
  name: text required
  score: integer default 0
  shared
  LINE
}

entity deal {
  title: text required
  town: -> town
  value: integer default 0
}

tenants team
"""


@pytest.mark.parametrize(
    "line",
    [
        "most: integer = max(deal.value where town = this)",
        "check not exists(deal where town = this and value > 5) \"no\"",
        "action a {\n    when count(deal where town = this) < 5 \"full\"\n    set score = 1\n  }",
        "action a {\n    set score = sum(deal.value where town = this)\n  }",
        "action a {\n    update deal set value = 0 where town = this\n  }",
        "action a {\n    delete deal where town = this\n  }",
    ],
)
def test_a_shared_row_reaches_no_rows_of_tenants(line: str) -> None:
    with pytest.raises(InvalidBlueprint) as error:
        parse(SHARED.replace("LINE", line))
    assert "A shared town would count or change rows of deal of every team." in [p.message for p in error.value.problems]
    assert parse(SHARED.replace("LINE", "nights: integer = score + 1"))
    if "check" not in line:
        parse(SHARED.replace("  shared\n", "").replace("LINE", line))


def test_a_service_without_tenants_knows_nothing_of_them() -> None:
    source = SMALL.replace("tenants team\n", "")
    tree = service_tree(parse(source), source)
    assert not any("tenants" in text for name, text in tree.items() if not name.startswith("src/lib/"))
    assert "src/lib/tenants.ts" not in tree


def test_rows_have_the_key_and_uniqueness_is_within_it() -> None:
    tree = service_tree(parse(SMALL), SMALL)
    assert 'CREATE UNIQUE INDEX "deal__team_id__title__unique" ON "deal" ("team_id", "title");' in tree["migrations/0001_init.sql"]
    document = json.loads(tree["openapi.json"])
    assert "team_id" in document["components"]["schemas"]["Deal"]["required"]
    listed = document["paths"]["/api/deals"]["get"]
    assert [p["name"] for p in listed["parameters"] if p["in"] == "header"] == ["X-Tenant-Id"]
    assert "parameters" not in document["paths"]["/api/teams"]["post"]


of_this_brick = checks_of("tenants")


TENANTS, MEMBERS = "src/lib/tenants.ts", "src/lib/members.ts"
FAULTS = [
    Fault("lists", "src/entities/deal.ts", '  limits: [inTenant("team_id")],\n', "", "tenants."),
    Fault("children", "src/entities/note.ts", '  limits: [inTenant("team_id")],\n', "", "tenants.rows|tenants.routes"),
    Fault("any tenant in the header", TENANTS, "found === null ? null : id", "id", "tenants.header"),
    Fault("no tenant", TENANTS, "throw new Problem(400,", 'return ""; throw new Problem(400,', "tenants.header"),
    Fault("references", "src/lib/rows.ts", ": visible(target, caller);", ": [];", "tenants.references"),
    Fault("assignees", "src/lib/rows.ts", "(entity.people?.(caller) ?? [])", "[]", "tenants.users"),
    Fault("uniqueness", "migrations/0001_init.sql", '"deal" ("team_id", "title")', '"deal" ("title")', "tenants.unique"),
    Fault("the key is told", TENANTS, "if (text.includes(", "if (false && text.includes(", "tenants.unique"),
    Fault("teams of all", "src/entities/team.ts", "  limits: [ofMember],\n", "", "tenants.hidden"),
    Fault("all members manage", TENANTS, 'if (role !== "owner")', "if (role === undefined)", "tenants.owners"),
    Fault("the last owner leaves", MEMBERS, "AND ${ANOTHER_OWNER}", "", "tenants.owners"),
    Fault("token in plain", MEMBERS, "await hashSecret(token), by", "token, by", "tenants.invitation"),
    Fault("anyone's invitation", MEMBERS, ' AND "email" = (SELECT "email" FROM "user" WHERE "id" = ?2)', "", "tenants.invitation"),
    Fault("used again", MEMBERS, 'DELETE FROM "tenants__invitation" WHERE ${mine}', 'SELECT 1 FROM "tenants__invitation" WHERE ${mine}', "tenants.invitation"),
    Fault("without end", MEMBERS, 'AND "expires_at" > ?3 AND', "AND length(?3) > 0 AND", "tenants.invitation-end"),
    Fault("deleted with its rows", "migrations/0001_init.sql", "BEFORE DELETE ON", "BEFORE UPDATE ON", "tenants.deleted"),
]


@pytest.mark.workerd
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
def test_a_planted_fault_is_found(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(SMALL, tmp_path / "s", toolchain, host, fault, checks=of_this_brick)


#: Of which deleting only hides.
HIDING = SMALL.replace("entity team {\n  name: text required\n", "entity team {\n  name: text required\n  soft delete\n  restore\n").replace(
    "  deal: -> deal required on delete cascade\n", ""
)
HIDING_FAULTS = [
    Fault("hidden with its rows", "migrations/0001_init.sql", 'BEFORE UPDATE OF "deleted_at" ON "team" WHEN', 'BEFORE UPDATE OF "deleted_at" ON "team" WHEN 1 = 2 AND', "tenants.deleted"),
    Fault("hidden with rows of one entity", "migrations/0001_init.sql", """(SELECT 1 FROM "note" WHERE "team_id" = OLD."id")""", """(SELECT 1 FROM "deal" WHERE "team_id" = OLD."id")""", "tenants.deleted"),
]  # fmt: skip


@pytest.mark.workerd
@pytest.mark.parametrize("fault", HIDING_FAULTS, ids=lambda f: f.name)
def test_a_planted_fault_of_hidden_tenants_is_found(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(HIDING, tmp_path / "s", toolchain, host, fault, checks=of_this_brick)


@pytest.mark.workerd
def test_tenants_that_deleting_hides_are_proven(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    report = proof(HIDING, tmp_path / "s", toolchain, host, checks=of_this_brick)
    assert report.proven, report.summary()


FULL_FAULTS = [
    Fault("exports", "src/lib/export.ts", "...visible(entity, caller), ", "", "tenants.routes"),
    Fault("streams", "src/lib/live.ts", "visible(entity, caller);\n      const headers", "const headers", "tenants.header"),
    Fault("deleted rows", "src/lib/restore.ts", "...visible(hidden, caller), ", "", "tenants.routes"),
    Fault("imports", "src/lib/insertion.ts", ", ...nameable(entity, reference.to, caller)", "", "tenants.references"),
    Fault("users that steps name", "src/lib/actions.ts", "missingRows(c, shape,", "missingRows(c, { ...shape, people: () => [] },", "tenants.users"),
    Fault("links", "src/lib/links.ts", ", ...(await touch(c, to, other, toDecides))", "", "tenants.links"),
    Fault("streams that break off", "src/lib/live.ts", "      visible(entity, caller);\n", "", "tenants.routes"),
    Fault("private rows for all members", "src/lib/entity.ts", 'conditions.push(condition(\'"owner_id" = ?\', caller.user?.id ?? ""));', "void caller;", "tenants.rows"),
    Fault("blame", "src/lib/insertion.ts", "...(entity.uniqueWithin ?? []), ", "", "tenants.unique"),
]


@pytest.mark.workerd
@pytest.mark.parametrize("fault", FULL_FAULTS, ids=lambda f: f.name)
def test_a_planted_fault_beside_other_bricks_is_found(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(FULL, tmp_path / "s", toolchain, host, fault, checks=of_this_brick)


@pytest.mark.workerd
def test_tenants_beside_other_bricks_are_proven(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    report = proof(FULL, tmp_path / "s", toolchain, host, types=True)
    assert report.proven, report.summary()
    assert not report.skipped


@pytest.mark.workerd
def test_of_two_owners_who_leave_at_once_one_stays(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    served = host.serve(made(SMALL, tmp_path / "s"), bindings=PROOF_SECRETS)

    async def run() -> None:
        client = Client(served.url)
        accounts = []
        for name in ("ann", "ben"):
            body = {"email": f"{name}@example.com", "password": "a long password"}
            answer = await client.send("POST", "/api/auth/register", body)
            accounts.append((answer.body["user"]["id"], {"authorization": f"Bearer {answer.body['token']}"}))
        (ann, by_ann), (ben, by_ben) = accounts
        for _ in range(5):
            team = (await client.send("POST", "/api/teams", {"name": "x"}, headers=by_ann)).body["id"]
            asked = {"email": "ben@example.com", "role": "owner"}
            token = (await client.send("POST", f"/api/teams/{team}/invitations", asked, headers=by_ann)).body["token"]
            joining = [client.send("POST", "/api/teams/join", {"token": token}, headers=by_ben) for _ in range(3)]
            assert sorted(a.status for a in await asyncio.gather(*joining)) == [200, 404, 404]
            path = f"/api/teams/{team}/members"
            leaving = (client.send("DELETE", f"{path}/{ann}", headers=by_ann), client.send("DELETE", f"{path}/{ben}", headers=by_ben))
            assert sorted(a.status for a in await asyncio.gather(*leaving)) == [204, 409]
        await client.close()

    asyncio.run(run())
    host.reset()
