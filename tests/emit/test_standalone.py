"""A service works without Clodo: its own tests pass in workerd, and Cloudflare's tools take it as it is."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from clodo.blueprint import parse
from clodo.bricks.registry import service_secrets, service_tree
from clodo.emit.tree import write_tree
from clodo.toolchain import Toolchain
from clodo.toolchain.pins import node_range, pins

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(params=["bookshop", "newsroom", "org-chart"])
def service(request: pytest.FixtureRequest, tmp_path: Path, toolchain: Toolchain) -> Path:
    """The folder of a service, with the packages that ``npm install`` would put there."""
    source = (EXAMPLES / f"{request.param}.clodo").read_text("utf-8")
    blueprint = parse(source)
    write_tree(service_tree(blueprint, source), tmp_path / "service", service_secrets(blueprint))
    (tmp_path / "service" / "node_modules").symlink_to(toolchain.modules)
    return tmp_path / "service"


def run(service: Path, toolchain: Toolchain, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ, "CI": "1", "NO_COLOR": "1", "WRANGLER_SEND_METRICS": "false",
        "PATH": f"{toolchain.node.parent}{os.pathsep}{os.environ['PATH']}",
    }  # fmt: skip
    script = toolchain.modules / command[0]
    return subprocess.run(
        [str(toolchain.node), str(script), *command[1:]],
        cwd=service, env=environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


@pytest.mark.workerd
@pytest.mark.slow
def test_its_own_tests_pass(service: Path, toolchain: Toolchain) -> None:
    done = run(service, toolchain, "vitest/vitest.mjs", "run")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    assert " passed" in done.stdout


@pytest.mark.workerd
@pytest.mark.slow
def test_its_own_tests_can_fail(service: Path, toolchain: Toolchain) -> None:
    http = service / "src" / "lib" / "http.ts"
    http.write_text(http.read_text().replace("throw new Problem(405,", "throw new Problem(418,"))
    rows = service / "src" / "lib" / "rows.ts"
    rows.write_text(rows.read_text().replace("return c.json(toJson(entity, stored), 201", "return c.json({}, 200"))
    assert run(service, toolchain, "vitest/vitest.mjs", "run").returncode != 0


@pytest.mark.workerd
@pytest.mark.slow
def test_wrangler_bundles_it(service: Path, toolchain: Toolchain) -> None:
    done = run(service, toolchain, "wrangler/bin/wrangler.js", "deploy", "--dry-run", "--outdir", "out")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert (service / "out" / "index.js").is_file() and "env.DB" in done.stdout
    assert "WARNING" not in done.stdout + done.stderr


def test_what_it_asks_of_npm_is_pinned_and_proven(service: Path) -> None:
    asked = json.loads((service / "package.json").read_text())
    packages = asked.get("dependencies", {}) | asked["devDependencies"]
    assert packages and all(pins()[name] == version for name, version in packages.items())
    assert asked["engines"] == {"node": node_range()}, "wrangler dies on an older Node, after npm has installed it there"
