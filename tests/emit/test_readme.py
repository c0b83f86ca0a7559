"""The README is true as it is printed: its commands work one after the other."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from clodo.blueprint import parse
from clodo.bricks.registry import service_secrets, service_tree
from clodo.emit.tree import write_tree
from clodo.proof.host import Host
from clodo.toolchain import Toolchain

SOURCE = """service library "Bob's library"
write role editor

users {
  roles editor
  nickname: text required max 3
}

entity loan {
  due: date required min "2020-01-01"
  copy: -> copy required
  user: -> user required
  write user
}

entity copy {
  code: text required unique pattern "^\\\\p{Lu}{2}$"
  shelf: -> shelf required
  write key
}

entity shelf {
  label: text required default "it's `x` $HOME"
  read owner
  write owner
}
"""


def blocks(tree: dict[str, str]) -> list[str]:
    return re.findall(r"```sh\n(.*?)```", tree["README.md"], re.DOTALL)


@pytest.mark.workerd
def test_its_calls_work(tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    blueprint = parse(SOURCE)
    tree = service_tree(blueprint, SOURCE)
    service = tmp_path / "service"
    write_tree(tree, service, service_secrets(blueprint))
    lines = (service / ".dev.vars").read_text().splitlines()
    bindings = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    url = host.serve(service, bindings=bindings).url
    calls = [line for block in blocks(tree)[1:] for line in block.splitlines() if not line.startswith("npx")]
    script = "\n".join(["set -eo pipefail", *calls, 'echo; echo "$TOKEN $COPY_ID $SHELF_ID"'])
    script = script.replace("http://127.0.0.1:8787", url.rstrip("/")).replace("curl -s", "curl -sSf")
    path = f"{toolchain.node.parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script], cwd=service, capture_output=True, text=True, env={"PATH": path}, timeout=60
    )
    host.reset()
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(done.stdout.splitlines()[-1].split()) == 3
    assert "undefined" not in done.stdout


def test_it_says_how_a_role_is_given() -> None:
    assert any("wrangler d1 execute" in b and "'editor'" in b for b in blocks(service_tree(parse(SOURCE), SOURCE)))
