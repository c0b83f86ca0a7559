"""Session cookies: their line, and faults that the proof finds."""

from __future__ import annotations

from pathlib import Path

import pytest

from clodo.blueprint import InvalidBlueprint, format_blueprint, parse
from clodo.bricks.registry import service_tree
from clodo.proof.host import Host
from clodo.toolchain import Toolchain
from tests.bricks.live import users
from tests.bricks.proving import Fault, example_of, expect_caught, proof

FILE = "src/lib/cookies.ts"
FROM = 'cookies from "https://app.example.com", "http://localhost:5173"'


@pytest.mark.parametrize("line", ["cookies", FROM])
def test_a_line_is_kept_as_it_is(line: str) -> None:
    assert format_blueprint(parse(users(line))) == users(line)


@pytest.mark.parametrize(
    "origin", ["app.example.com", "https://app.example.com/", "http://app.example.com", "*", "https://*.example.com", "null"]
)
def test_what_is_no_origin_is_told(origin: str) -> None:
    with pytest.raises(InvalidBlueprint, match="front of an address alone"):
        parse(users(f'cookies from "{origin}"'))


def test_the_document_names_the_cookie() -> None:
    source = example_of("cookies")
    tree = service_tree(parse(source), source)
    assert '"name": "__Host-session"' in tree["openapi.json"]
    assert FILE in tree


FAULTS = [
    Fault("scripts read it", FILE, "httpOnly: true, ", "", "cookies.set"),
    Fault("it goes everywhere", FILE, 'sameSite: "Lax"', 'sameSite: "None"', "cookies.set"),
    Fault("it is gone with the window", FILE, ", maxAge: seconds", "", "cookies.set"),
    Fault("kept as it is", FILE, "hashSecret(", "Promise.resolve(", "cookies.stored"),
    Fault("any token will do", FILE, "if (!sameText(given, await csrfToken(c, found.session)))", 'if (given === "")', "cookies.csrf"),
    Fault("one token for all", FILE, 'mark(c, "csrf", session)', 'mark(c, "csrf", "")', "cookies.csrf"),
    Fault("from everywhere", FILE, "origins.includes(origin)", "origins.length >= 0", "cookies.origin"),
    Fault("logins from everywhere", FILE, "if (fromFriend(c, origins)) {", "{", "cookies.origin"),
    Fault("a cookie is kept", FILE, "const secret = randomSecret();", "const secret = getCookie(c, NAME) ?? randomSecret();", "cookies.fixation"),
    Fault("the browser keeps it", FILE, 'left: (c) => setSession(c, "", 0),', "", "cookies.logout"),
]


@pytest.mark.workerd
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
def test_a_fault_is_found(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(example_of("cookies"), tmp_path / "s", toolchain, host, fault)


@pytest.mark.workerd
def test_further_origins_may_use_it(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    """Also beside a key of the service, and where everybody may write."""
    source = users(FROM, "api keys") + "\nentity note {\n  text: text required\n  write key\n}\n\nentity guest {\n  name: text\n}\n"
    report = proof(source, tmp_path / "s", toolchain, host)
    assert report.proven, report.summary()
