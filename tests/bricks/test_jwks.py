"""Tokens for other services: the language, the signature, and faults that the checks must find."""

from __future__ import annotations

from pathlib import Path

import pytest

from clodo.blueprint import format_blueprint, parse
from clodo.blueprint.plan import make_plan
from clodo.bricks.jwks.brick import BRICK
from clodo.bricks.jwks.checks import checks
from clodo.bricks.jwks.ed25519 import verify
from clodo.proof.host import Host
from clodo.toolchain import Toolchain
from tests.bricks.proving import Fault, example_of, expect_caught

EXAMPLE, LIB = example_of("jwks"), "src/lib/jwks.ts"

#: RFC 8032, section 7.1: key, message, signature.
VECTORS = [
    ("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "", "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"),
    ("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72", "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "message", "signature"), VECTORS)
def test_signatures_are_those_of_the_standard(key: str, message: str, signature: str) -> None:
    public, text, mark = bytes.fromhex(key), bytes.fromhex(message), bytes.fromhex(signature)
    assert verify(public, text, mark)
    assert not verify(public, text + b"x", mark)
    assert not verify(public, text, mark[:-1] + bytes([mark[-1] ^ 1]))
    assert not verify(public[:-1] + bytes([public[-1] ^ 1]), text, mark)
    assert not verify(public, text, mark[:32])


def test_an_auth_service_has_it_and_others_ask_for_it() -> None:
    plain = "service s\n\nusers {\n}\n\nentity a {\n  b: text\n}\n"
    asked = plain.replace("users {\n", "users {\n  jwks\n")
    assert format_blueprint(parse(asked)) == asked
    assert BRICK.applies(make_plan(parse(asked)))
    assert BRICK.applies(make_plan(parse(EXAMPLE)))
    assert not BRICK.applies(make_plan(parse(plain)))


FAULTS = [
    Fault("the private key is shown", LIB, "return { sign, shown: {", "return { sign, shown: { ...({ d: base64url(seed) } as object),", "jwks.keys"),
    Fault("the key has another name", LIB, "kid: base64url(print)", 'kid: "one"', "jwks.keys"),
    Fault("signed over something else", LIB, "sign, encode(content))", "sign, encode(content.slice(1)))", "jwks.token"),
    Fault("for nobody in particular", LIB, "aud: audience,", 'aud: "*",', "jwks.token"),
    Fault("good for ever", LIB, "exp: now + LIFETIME_SECONDS", "exp: now + 1000 * LIFETIME_SECONDS", "jwks.token"),
    Fault("any address counts as confirmed", LIB, "found.email_confirmed === 1", "true", "jwks.token"),
    Fault("no address counts as confirmed", LIB, "found.email_confirmed === 1", "false", "jwks.token"),
    Fault("anybody is admin", LIB, "role: found.role", 'role: "admin"', "jwks.token"),
    Fault("keys get tokens", LIB, "await admitInPerson(c)", '(await import("./access").then((m) => m.admit(c, "user"))).user ?? { id: "" }', "jwks.asked"),
    Fault("no audience is asked for", LIB, '[["audience", AUDIENCE, audience]]', "[]", "jwks.asked"),
]  # fmt: skip


@pytest.mark.workerd
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
def test_the_proof_finds_a_planted_fault(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(EXAMPLE, tmp_path / "s", toolchain, host, fault, checks=checks)
