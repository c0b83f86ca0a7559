"""Versions: the language, and faults that the checks must find."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from clodo.blueprint import check, format_blueprint, parse
from clodo.blueprint.plan import make_plan
from clodo.blueprint.problems import InvalidBlueprint
from clodo.bricks.registry import service_tree
from clodo.bricks.versions.checks import checks
from clodo.bricks.versions.language import Versions
from clodo.proof.client import Client
from clodo.proof.host import Host
from clodo.proof.verify import PROOF_SECRETS
from clodo.toolchain import Toolchain
from tests.bricks.proving import Fault, example_of, expect_caught, made, proof

EXAMPLE = example_of("versions")
LIB = "src/lib/versions.ts"


@pytest.mark.parametrize(("line", "required"), [("versions", False), ("versions required", True)])
def test_the_line(line: str, required: bool) -> None:
    text = f"service s\n\nentity page {{\n  title: text\n  {line}\n}}\n"
    blueprint = parse(text)
    assert blueprint.entities[0].parts == (Versions(required),)
    assert format_blueprint(blueprint) == text
    assert make_plan(blueprint).blueprint.entities[0].field("version") is not None


def test_a_field_of_that_name_is_a_problem() -> None:
    with pytest.raises(InvalidBlueprint) as caught:
        parse("service s\n\nentity page {\n  version: text\n  versions\n}\n")
    [problem] = caught.value.problems
    assert "which the line 'versions' brings" in problem.message and problem.suggestion
    assert (problem.line, problem.column) == (5, 3)


def test_said_twice() -> None:
    with pytest.raises(InvalidBlueprint, match="said twice"):
        parse("service s\n\nentity page {\n  title: text\n  versions\n  versions required\n}\n")


def test_nothing_is_wrong_with_the_example() -> None:
    assert check(parse(EXAMPLE)) == ()


def test_the_words_are_free_elsewhere() -> None:
    text = "service versions\n\nentity versions {\n  versions: text required\n  search versions\n}\n"
    assert format_blueprint(parse(text)) == text


def test_only_such_entities_get_it() -> None:
    tree = service_tree(parse(EXAMPLE), EXAMPLE)
    assert "versions" in tree["src/entities/page.ts"]
    assert "versions" not in tree["src/entities/topic.ts"]
    assert '"_version__topic"' not in tree["migrations/0001_init.sql"]


FAULTS = (
    Fault("the transaction does not look again", LIB, 'wanted === "*" || change.before', 'wanted !== "" || change.before', "versions.atomic"),
    Fault("a change keeps the version", LIB, 'change.after["version"] = uuidv7()', 'change.after["version"] ??= change.before?.["version"] ?? uuidv7()', "versions.etag"),
    Fault("If-None-Match is not heard", LIB, "sameTag(known, tag)", "known === ''", "versions.not-modified"),
    Fault("a 304 for any ETag", LIB, "given === tag", "given !== ''", "versions.not-modified"),
    Fault("If-Match is not heard", LIB, 'if (header.trim() === "*") return "*";', "if (header !== \"\") return \"*\";", "versions.stale"),
    Fault("what is no ETag passes for any", LIB, 'if (header.trim() === "*") return "*";', "if (!header.includes('\"')) return \"*\";", "versions.stale"),
    Fault("only changes are held to a version", LIB, "return c.req.path === own ||", 'return (c.req.method !== "DELETE" && c.req.path === own) ||', "versions.stale"),
    Fault("428 only where it is easy", LIB, "if (!required || ", 'if (!required || c.req.method !== "PATCH" || ', "versions.required"),
    Fault("no version when a reference is emptied", "migrations/0001_init.sql", 'WHEN NEW."version" = OLD."version"', "WHEN 1 = 0", "versions.emptied"),
    Fault("no ETag on what was created", LIB, "c.res.status === 200 || c.res.status === 201 ?", "c.res.status === 200 ?", "versions.etag"),
)  # fmt: skip


FILED = """service pages

entity page {
  title: text required
  cover: image
  scan: file
  versions
}
"""
FILE_FAULTS = (
    Fault("no ETag on uploads", LIB, ' || c.req.method === "PUT"', "", "versions.files"),
    Fault("no ETag on first uploads", LIB, '(c.res.status === 201 ? c.res.headers.get("location") : null) ?? c.req.path', 'c.res.status === 201 ? (c.res.headers.get("location") ?? "") : c.req.path', "versions.files"),
)  # fmt: skip


@pytest.mark.workerd
@pytest.mark.parametrize("fault", FILE_FAULTS, ids=lambda f: f.name.replace(" ", "-"))
def test_an_upload_without_an_etag_is_found(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(FILED, tmp_path / "s", toolchain, host, fault, checks=checks)


@pytest.mark.workerd
def test_uploads_are_proven(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    report = proof(FILED, tmp_path / "s", toolchain, host, types=True)
    assert report.proven, report.summary()


@pytest.mark.workerd
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name.replace(" ", "-"))
def test_a_fault_is_caught(fault: Fault, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    expect_caught(EXAMPLE, tmp_path / "s", toolchain, host, fault, checks=checks)


@pytest.mark.workerd
def test_of_fifty_changes_at_once_one_wins(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    url = host.serve(made(EXAMPLE, tmp_path / "s"), bindings=PROOF_SECRETS).url
    try:
        asyncio.run(_fifty(url))
    finally:
        host.reset()


async def _fifty(url: str) -> None:
    client, key = Client(url), {"x-api-key": PROOF_SECRETS["API_KEY"]}
    row = await client.send("POST", "/api/pages", {"title": "a", "body": "b"}, headers=key)
    held = {**key, "if-match": row.headers["etag"]}
    path = row.headers["location"]
    answers = await asyncio.gather(
        *(client.send("PATCH", path, {"title": f"t{i}"}, headers=held) for i in range(25)),
        *(client.send("PUT", path, {"title": f"t{i}", "body": "c"}, headers=held) for i in range(15)),
        *(client.send("DELETE", path, headers=held) for _ in range(10)),
    )
    assert sorted(a.status for a in answers if a.status not in (404, 412))[0] in (200, 204)
    assert sum(a.status in (200, 204) for a in answers) == 1
    await client.close()
