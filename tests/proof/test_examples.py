"""Each example builds, is proven without a failure, and keeps the promises of its own OpenAPI document."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import httpx2 as httpx
import pytest

from clodo.blueprint import parse
from clodo.blueprint.values import ServiceType
from clodo.bricks.registry import service_checks, service_secrets, service_tree
from clodo.emit.tree import write_tree
from clodo.proof.host import Host
from clodo.proof.verify import PROOF_SECRETS, proof_secrets, verify
from clodo.toolchain import Toolchain

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
MAX_GZIP = 60 * 1024


@pytest.fixture
def service(example: Path, tmp_path: Path) -> Path:
    """The folder of an example's service."""
    source = example.read_text("utf-8")
    blueprint = parse(source)
    write_tree(service_tree(blueprint, source), tmp_path / "s", service_secrets(blueprint))
    return tmp_path / "s"


@pytest.mark.workerd
def test_it_is_proven(service: Path, example: Path, toolchain: Toolchain, host: Host) -> None:
    report = verify(service, service_checks, toolchain, host)
    assert report.proven, report.summary()
    assert len(report.evidence) > 30
    assert {(e.id, e.rule): e.detail for e in report.evidence if e.outcome == "skipped"} == {}
    assert report.gzip < MAX_GZIP


@pytest.mark.workerd
@pytest.mark.slow
def test_it_answers_as_its_document_says(
    service: Path, example: Path, host: Host, request: pytest.FixtureRequest
) -> None:
    parsed = parse(example.read_text("utf-8"))
    if parsed.type is ServiceType.GATEWAY:
        pytest.skip("what a gateway answers is its upstreams' affair")
    # What bricks answer is held against the document by their own checks; here it is tried without their preparations.
    plain = not any(part for owner in (parsed, *parsed.entities) for part in owner.parts)
    if not plain and not request.config.getoption("--all-faults"):
        pytest.skip("bricks hold their answers against the document themselves; `make faults` tries them here, too")
    served = host.serve(service, bindings=proof_secrets(service))
    headers = {"X-API-Key": PROOF_SECRETS["API_KEY"]}
    users = parsed.users
    if users is not None:
        account = {"email": PROOF_SECRETS["ADMIN_EMAIL"], "password": "correct horse battery"}
        body = account | {f.name: "x" for f in users.fields}
        made = httpx.post(f"{served.url}/api/auth/register", json=body, trust_env=False)
        headers["Authorization"] = f"Bearer {made.json()['token']}"
    options = [option for name, value in headers.items() for option in ("-H", f"{name}: {value}")]
    # One example goes through all phases, the others through theirs under `make faults`: they take a minute each.
    thorough = plain and (example.stem == "bookshop" or request.config.getoption("--all-faults"))
    phases = "examples,coverage,fuzzing,stateful" if thorough else "coverage"
    found = subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")), "run", f"{served.url}/openapi.json",
            "--checks", CHECKS, "--phases", phases,
            "--max-examples", "3", "--seed", "1", "--generation-database", "none", "--no-color", *options,
        ],
        capture_output=True, text=True, timeout=280, cwd=service,
    )  # fmt: skip
    host.reset()
    assert found.returncode == 0, found.stdout[-4000:] + found.stderr[-1000:]
    passed = re.search(r"generated, (\d+) passed$", found.stdout, re.MULTILINE)
    assert passed is not None and int(passed[1]) > 100, found.stdout[-2000:]
