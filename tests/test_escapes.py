"""What tools print, as plain text."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from clodo.errors import ToolchainError
from clodo.escapes import without_escapes
from clodo.proof.process import HostError, NodeProcess
from clodo.toolchain import Toolchain
from clodo.toolchain.npm import npm_ci
from clodo.toolchain.store import node_path


@pytest.mark.parametrize(
    ("printed", "text"),
    [
        ("\x1b[31m✘ \x1b[41;97m[ERROR]\x1b[0m no token", "✘ [ERROR] no token"),
        ("\x1b[1;38;2;10;20;30mbold\x1b[K\x1b[2J\x1b[?25h", "bold"),
        ("\x1b]0;a title\x07text \x1b]8;;https://x.example\x1b\\a link\x1b]8;;\x1b\\", "text a link"),
        ("\x1b(Bplain\x1b7\x1b", "plain"),
        ("a[0] = [31m; ü ✓\n", "a[0] = [31m; ü ✓\n"),
    ],
)
def test_what_only_a_terminal_can_show_goes(printed: str, text: str) -> None:
    assert without_escapes(printed) == text


def test_messages_of_node_have_no_colours(tmp_path: Path) -> None:
    script = tmp_path / "script.mjs"
    script.write_text('console.error("\\u001b[31mit broke\\u001b[39m"); process.stdin.once("data", () => process.exit(1));')
    with NodeProcess(Toolchain(node_path(), tmp_path), script) as process, pytest.raises(HostError) as failure:
        process.call("anything", 20)
    assert failure.value.message == "The runtime process ended. it broke"


@pytest.mark.skipif(sys.platform == "win32", reason="a script stands for Node")
def test_messages_of_npm_have_no_colours(tmp_path: Path) -> None:
    node = tmp_path / "bin" / "node"
    node.parent.mkdir()
    node.write_text("#!/bin/sh\nprintf 'npm \\033[31merror\\033[39m code \\033[35mE401\\033[39m\\n' >&2\nexit 1\n")
    node.chmod(0o755)
    with pytest.raises(ToolchainError, match=r"could not be fetched \(code E401\)"):
        npm_ci(tmp_path, node, lambda _: None)
