"""Hashed fields: the modifier, what is refused, and faults that the proof finds."""

from __future__ import annotations

from pathlib import Path

import pytest

from clodo.blueprint import InvalidBlueprint, check, format_blueprint, parse
from clodo.blueprint.plan import make_plan
from clodo.blueprint.values import Field
from clodo.bricks.registry import service_tree
from clodo.proof.host import Host
from clodo.toolchain import Toolchain
from tests.bricks.proving import Fault, example_of, expect_caught

LIB = "src/lib"
ROWS = "src/entities/registration.ts"


def service(fields: str, more: str = "") -> str:
    return f"service s\n{more}entity thing {{\n  name: text\n  {fields}\n}}\n"


def test_what_is_hashed_is_write_only() -> None:
    [_, f] = parse(service("password: text hashed")).entities[0].fields
    assert f == Field("password", hashed=True, write_only=True) == Field("password", hashed=True)
    for said in ("write-only hashed", "hashed write-only"):
        assert format_blueprint(parse(service(f"password: text {said}"))).splitlines()[4] == "  password: text hashed"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ("password: integer hashed", "Only a text"),
        ("password: text hashed unique", "cannot be unique"),
        ("password: text hashed default \"1234\"", "known to everybody"),
        ("password: text hashed read-only", "read-only and write-only"),
        ("password: text hashed\n  unique (name, password)", "another salt"),
        ("password: text hashed\n  search password", "write-only"),
        ("password: text hashed\n  check password != \"x\"", "write-only"),
        ("password: text hashed\n  action reset {\n    set password = \"x\"\n  }", "only the body"),
        ("password: text hashed hashed", "twice"),
    ],
)
def test_what_cannot_be_hashed_is_told(fields: str, words: str) -> None:
    with pytest.raises(InvalidBlueprint, match=words):
        parse(service(fields))


@pytest.mark.parametrize("name", ["password", "door_passcode", "passphrase", "pin", "pin_code", "new_pwd"])
@pytest.mark.parametrize("type_", ["text", "longtext", "integer"])
def test_a_password_that_callers_can_read_is_an_error(name: str, type_: str) -> None:
    with pytest.raises(InvalidBlueprint, match="could read its"):
        parse(service(f"{name}: {type_}"))
    with pytest.raises(InvalidBlueprint, match="could read its"):
        parse(service("x: text", f"users {{\n  new_{name}: {type_}\n}}\n"))


@pytest.mark.parametrize("name", ["api_token", "secret", "client_secret", "api_key", "apikey", "private_key", "access_token", "secret_answer"])
def test_a_secret_that_callers_can_read_is_warned_of(name: str) -> None:
    [problem] = check(parse(service(f"{name}: text")))
    assert (problem.severity, problem.path) == ("warning", f"thing.{name}")
    assert "write-only" in problem.suggestion
    assert check(parse(service(f"{name}: text write-only"))) == check(parse(service(f"{name}: text hashed"))) == ()


def test_a_password_that_is_stored_as_it_is_is_warned_of() -> None:
    [problem] = check(parse(service("smtp_password: text write-only")))
    assert (problem.severity, "hashed" in problem.suggestion) == ("warning", True)


@pytest.mark.parametrize(
    "fields",
    ["password_changed_on: date", "pinned: boolean", "needs_password: boolean", "spinning: text", "token_number: integer", "city: text\n  pin_code: text"],
)
def test_other_names_are_no_secrets(fields: str) -> None:
    assert check(parse(service(fields))) == ()


def test_the_code_is_only_where_it_is_used() -> None:
    source = service("password: text hashed")
    tree = service_tree(parse(source), source)
    assert {f"{LIB}/hashed.ts", f"{LIB}/password.ts"} <= tree.keys()
    other = service("title: text", "users {\n  age: integer\n}\n")
    tree = service_tree(parse(other), other)
    assert f"{LIB}/hashed.ts" not in tree
    assert "hashing" not in tree["src/index.ts"]
    assert not make_plan(parse(other)).blueprint.entities[0].fields[0].hashed


FAULTS = [
    Fault("the text is stored", ROWS, 'hashed(["password", "recovery_code"])', "", "hashed.stored"),
    Fault("one field is forgotten", ROWS, 'hashed(["password", "recovery_code"])', 'hashed(["password"])', "hashed.stored"),
    Fault("changes are stored as they are", f"{LIB}/hashed.ts", "after === null ? undefined : hash(after)", "after === null || after['id'] === undefined ? undefined : hash(after)", "hashed.stored"),
    Fault("rows of a bulk are stored as they are", f"{LIB}/hashed.ts", "check: (_c, { after }) => (after === null", 'check: (c, { after }) => (after === null || c.req.path.endsWith("/bulk")', "hashed.many"),
    Fault("the salt is always the same", f"{LIB}/password.ts", "crypto.getRandomValues(new Uint8Array(SALT_BYTES))", "new Uint8Array(SALT_BYTES)", "hashed.stored"),
    Fault("few rounds", f"{LIB}/password.ts", "const ITERATIONS = 100_000;", "const ITERATIONS = 1000;", "hashed.stored"),
    Fault("the hash is of something else", f"{LIB}/password.ts", "const hash = await derive(password, salt, ITERATIONS);", "const hash = await derive(password.slice(1), salt, ITERATIONS);", "hashed.stored"),
    Fault("the text stands beside the hash", f"{LIB}/hashed.ts", "values[name] = await hashPassword(given);", "values[name] = `${await hashPassword(given)}$${given}`;", "hashed.stored"),
    Fault("the hash is answered", ROWS, "password: text({ required: true, minLength: 8, maxLength: 200, writeOnly: true })", "password: text({ required: true, minLength: 8, maxLength: 200 })", "hashed.told"),
    Fault("a refusal tells the text", f"{LIB}/body.ts", 'message: "is not a field of this body"', 'message: `is no field of ${JSON.stringify(body)}`', "hashed.told"),
    Fault("the audit tells the hash", f"{LIB}/audit.ts", "entity.fields[name]?.writeOnly ? null : cut(value)", "cut(value)", "hashed.stored"),
    Fault("lists are filtered by the hash", f"{LIB}/list.ts", "if (field.comparable && !field.writeOnly)", "if (field.comparable)", "hashed.told"),
    Fault("the search looks into the hash", ROWS, 'search(["handle"])', 'search(["handle", "password"])', "hashed."),
    Fault("users' PINs are stored as they are", "src/index.ts", ', hashing(["door_pin"])', ", async () => void hashing", "hashed.users"),
]  # fmt: skip


@pytest.mark.workerd
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
def test_a_fault_is_found(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(example_of("hashed"), tmp_path / "s", toolchain, host, fault)
