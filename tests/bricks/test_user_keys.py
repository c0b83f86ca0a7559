"""Keys of users: their line, and faults that the proof finds."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from clodo.blueprint import InvalidBlueprint, format_blueprint, parse
from clodo.bricks.registry import service_tree
from clodo.bricks.user_keys.language import UserKeys
from clodo.proof.host import Host
from clodo.proof.session import Session, expect
from clodo.toolchain import Toolchain
from tests.bricks.live import live, users
from tests.bricks.proving import Fault, example_of, expect_caught

FILE = "src/lib/user-keys.ts"


def test_a_line_is_kept_as_it_is() -> None:
    blueprint = parse(users("api keys"))
    assert format_blueprint(blueprint) == users("api keys")
    assert blueprint.users is not None
    assert blueprint.users.parts == (UserKeys(),)
    with pytest.raises(InvalidBlueprint, match="said twice"):
        parse(users("api keys", "api keys"))


def test_the_document_says_where_a_key_is_good() -> None:
    source = example_of("user_keys")
    paths = json.loads(service_tree(parse(source), source)["openapi.json"])["paths"]
    assert {"userKey": []} in paths["/api/readings"]["post"]["security"]
    assert {"userKey": []} not in paths["/api/auth/keys"]["post"]["security"]


EVERYTHING = """service front
read user
write user

users {
  cookies
  sessions 10 days
  api keys
  confirm email
  reset password
  change password
  manage roles
  jwks
}

entity reading {
  value: integer
  versions
  audit read user
  action check {
    by user
    set value = 0
  }
}

report total {
  from reading
  show count
}

webhook told on reading created for role admin
upstream shop "https://shop.internal.example"

route "/shop/*" to shop {
  allow user
}

route "/open/*" to shop
"""


@pytest.mark.parametrize("tenants", [False, True])
def test_whatever_a_token_opens_names_every_credential_that_opens_it(tenants: bool) -> None:
    source = f"{EVERYTHING.replace(' for role admin', '')}entity team {{\n  name: text\n}}\n\ntenants team\n" if tenants else EVERYTHING
    document = json.loads(service_tree(parse(source), source)["openapi.json"])
    asking = {
        (path, method): {frozenset(way) for way in operation["security"]}
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if isinstance(operation, dict) and any("bearer" in way for way in operation.get("security", ()))
    }
    person = {key for key in asking if key[0].startswith(("/api/auth/", "/api/users")) and key[0] != "/api/auth/me"}
    assert {("/shop/{path}", "get"), ("/shop", "post"), ("/api/auth/me", "get"), ("/api/readings/{id}/check", "post")} <= asking.keys() - person
    assert {("/api/auth/keys", "post"), ("/api/auth/password", "put"), ("/api/auth/logout", "post"), ("/api/users/{id}", "patch")} <= person
    ways = {key: {way & {"bearer", "cookie", "userKey"} for way in found} for key, found in asking.items()}
    assert {key for key in ways.keys() - person if ways[key] != {frozenset([one]) for one in ("bearer", "cookie", "userKey")}} == set()
    # A key manages no account.
    assert {key for key in person if ways[key] != {frozenset([one]) for one in ("bearer", "cookie")}} == set()
    assert "security" not in document["paths"]["/open/{path}"]["post"] and "403" not in document["paths"]["/open/{path}"]["post"]["responses"]


FAULTS = [
    Fault("keys without end", FILE, 'k."expires_at" > ?', "? IS NOT NULL", "user_keys.revoked"),
    Fault("the front is enough", FILE, " || !sameText(await hashSecret(given), found.hash)", "", "user_keys.guess"),
    Fault("kept as they are", FILE, "hashSecret(", "Promise.resolve(", "user_keys.once"),
    Fault("shown again", FILE, '"prefix", "created_at"', '"prefix", "hash", "created_at"', "core.openapi"),
    Fault("everybody's keys are listed", FILE, 'WHERE "user_id" = ? ORDER', "WHERE ? IS NOT NULL ORDER", "user_keys.own"),
    Fault("anybody revokes", FILE, 'AND "user_id" = ?\')', "AND ? IS NOT NULL')", "user_keys.own"),
    Fault("a key makes keys", FILE, ", byKey: true", "", "user_keys.account"),
    Fault("use is not noted", FILE, 'SET "last_used_at" = ?', 'SET "name" = COALESCE("name", ?)', "user_keys.good"),
    Fault("an end in the past", FILE, "expires <= now", "expires === now", "user_keys.body"),
    Fault("bearer alone", FILE, 'c.req.header("x-api-key") ?? ', "", "user_keys.good"),
]


@pytest.mark.workerd
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
def test_a_fault_is_found(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(example_of("user_keys"), tmp_path / "s", toolchain, host, fault)


@pytest.mark.workerd
def test_there_is_an_end_to_how_many(tmp_path: Path, host: Host) -> None:
    async def run(s: Session) -> None:
        ann = await s.account("ann")
        await s.query(
            'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 98) '
            'INSERT INTO "user__key" ("id", "user_id", "name", "prefix", "hash", "created_at") '
            "SELECT i, ?, 'x', 'key_' || i, '', '2026-01-01T00:00:00.000Z' FROM n",
            ann.id,
        )
        body = {"name": "one more"}
        answers = await asyncio.gather(*(s.client.send("POST", "/api/auth/keys", body, headers=ann.headers) for _ in range(5)))
        assert sorted(a.status for a in answers) == [201, 201, 409, 409, 409]
        expect(await s.client.send("POST", "/api/auth/keys", body, headers=(await s.account("ben")).headers), 201)

    live(example_of("user_keys"), tmp_path / "s", host, run)
