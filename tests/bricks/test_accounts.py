"""Passwords changed and roles given: their lines, faults that the proof finds, and two who dismiss each other."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from clodo.blueprint import InvalidBlueprint, format_blueprint, parse
from clodo.proof.host import Host
from clodo.proof.session import PASSWORD, Session, expect
from clodo.toolchain import Toolchain
from tests.bricks.live import live, users
from tests.bricks.proving import Fault, example_of, expect_caught, proof

FILE = "src/lib/accounts.ts"
ALL = users(
    "roles editor, author", "display_name: text required max 60", "born_on: date write-only", "sessions 14 days",
    'cookies from "https://app.example.com"', "api keys", "login limit 5 per 15 minutes", "confirm email", "reset password",
    "change password", "manage roles",
)  # fmt: skip


@pytest.mark.parametrize("line", ["change password", "manage roles"])
def test_a_line_is_kept_as_it_is(line: str) -> None:
    assert format_blueprint(parse(users(line))) == users(line)
    with pytest.raises(InvalidBlueprint, match="said twice"):
        parse(users(line, line))


def test_an_entity_of_that_path_is_told() -> None:
    with pytest.raises(InvalidBlueprint, match="would answer at /api/users"):
        parse(users("manage roles") + "\nentity users {\n}\n")


def test_the_lines_are_no_names_lost() -> None:
    """What is a word of these lines can still be the name of a field."""
    names = ["sessions", "cookies", "api", "keys", "login", "confirm", "reset", "change", "password", "manage", "roles", "per", "minutes", "days"]
    fields = "".join(f"  {name}: text{' hashed' if name == 'password' else ''}\n" for name in names)
    source = f"service s\n\nentity thing {{\n{fields}}}\n"
    assert format_blueprint(parse(source)) == source


FAULTS = [
    Fault("any password will do", FILE, "if (!(await verifyPassword(current as string, stored)))", 'if (current === "")', "accounts.password_wrong"),
    Fault("the other sessions go on", FILE, "        ...ends,\n", "", "accounts.password"),
    Fault("this session ends too", FILE, 'hook.secured?.(c, user.id, user.session ?? "")', "hook.secured?.(c, user.id)", "accounts.password"),
    Fault("everybody gives roles", FILE, "return admit(c, ADMIN);", 'return admit(c, "user");', "accounts.roles"),
    Fault("everybody reads a user", FILE, "GET: async (c) => read(c, await administrator(c)),", 'GET: async (c) => read(c, await admit(c, "user")),', "accounts.roles"),
    Fault("any role will do", FILE, "checkBody({ role }, ", "checkBody({ role: email() }, ", "accounts.roles"),
    Fault("the last one goes", FILE, "> 1) RETURNING", "> 0) RETURNING", "accounts.last"),
    Fault("the hash is listed", FILE, "role, ...profile }", "role, ...profile, password_hash: email() }", "core.no-leak|core.openapi"),
]


@pytest.mark.workerd
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
def test_a_fault_is_found(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(example_of("accounts"), tmp_path / "s", toolchain, host, fault)


@pytest.mark.workerd
def test_all_that_users_can_have_goes_together(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    source = ALL + "\nentity note {\n  text: longtext required\n  read owner\n  write owner\n}\n\nentity rule {\n  text: text\n  write role editor\n}\n"
    report = proof(source, tmp_path / "s", toolchain, host, types=True)
    assert report.proven, report.summary()


@pytest.mark.workerd
def test_of_administrators_who_dismiss_each_other_one_remains(tmp_path: Path, host: Host) -> None:
    async def run(s: Session) -> None:
        admins = [await s.account(name) for name in ("admin", "ann", "ben", "cem")]
        for one in admins[1:]:
            expect(await s.client.send("PATCH", f"/api/users/{one.id}", {"role": "admin"}, headers=admins[0].headers), 200)
        pairs = [(a, b) for a in admins for b in admins if a is not b]
        answers = await asyncio.gather(
            *(s.client.send("PATCH", f"/api/users/{b.id}", {"role": "user"}, headers=a.headers) for a, b in pairs)
        )
        assert {a.status for a in answers} <= {200, 403, 409}
        assert len(await s.query('SELECT "id" FROM "user" WHERE "role" = \'admin\'')) == 1

    live(example_of("accounts"), tmp_path / "s", host, run)


@pytest.mark.workerd
def test_of_changes_at_once_one_password_remains(tmp_path: Path, host: Host) -> None:
    async def run(s: Session) -> None:
        ann = await s.account("ann")
        bodies = [{"current_password": PASSWORD, "password": f"password {n} of ann"} for n in range(4)]
        answers = await asyncio.gather(*(s.client.send("PUT", "/api/auth/password", b, headers=ann.headers) for b in bodies))
        good = [b for a, b in zip(answers, bodies, strict=True) if a.status == 204]
        assert len(good) == 1
        assert {a.status for a in answers} <= {204, 409, 422}
        login = {"email": ann.email, "password": good[0]["password"]}
        expect(await s.client.send("POST", "/api/auth/login", login), 200)

    live(example_of("accounts"), tmp_path / "s", host, run)
