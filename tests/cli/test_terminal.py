"""``generate`` on a terminal: it shows what it understood and lets a person decide."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pexpect
import pytest

from clodo.toolchain import Toolchain

BOOKS = "Books have a title, an ISBN that must be unique, and a price. No login needed."
PROMPT = r"\[a\]ccept"


@pytest.fixture
def editor(tmp_path: Path) -> Path:
    """An editor that renames the title, or spoils the blueprint where a file ``spoil`` is there."""
    script = tmp_path / "editor.py"
    script.write_text(
        "import pathlib, sys\n"
        "path = pathlib.Path(sys.argv[1])\n"
        f"spoil = pathlib.Path({str(tmp_path / 'spoil')!r})\n"
        "text = path.read_text()\n"
        "path.write_text(text.replace(': text', ': string', 1) if spoil.exists() else text.replace('title:', 'headline:'))\n"
    )
    return script


def spawn(tmp_path: Path, editor: Path) -> pexpect.spawn:
    environment = {k: v for k, v in os.environ.items() if k not in ("CI", "CLODO_MODEL")}
    environment |= {"EDITOR": f"{sys.executable} {editor}", "TERM": "xterm-256color", "VISUAL": ""}
    return pexpect.spawn(
        sys.executable, ["-m", "clodo", "generate", BOOKS, "-o", str(tmp_path / "out" / "s")],
        env=environment, encoding="utf-8", timeout=60, dimensions=(40, 100),
    )  # fmt: skip


def test_quit_writes_nothing(tmp_path: Path, editor: Path) -> None:
    child = spawn(tmp_path, editor)
    child.expect(PROMPT)
    assert "isbn" in child.before and "\x1b[" in child.before, "the blueprint is shown, in colour"
    child.sendline("q")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130 and not (tmp_path / "out").exists()


def test_blueprint_shows_on_a_terminal_what_was_not_understood(tmp_path: Path) -> None:
    written = tmp_path / "written.clodo"
    command = f"{sys.executable} -m clodo blueprint '{BOOKS} We are 12 people in all. Books arrive in 48 hours at the latest.' > {written}"
    environment = {k: v for k, v in os.environ.items() if k != "CLODO_MODEL"} | {"TERM": "xterm-256color"}
    child = pexpect.spawn("/bin/sh", ["-c", command], env=environment, encoding="utf-8", timeout=60, dimensions=(40, 400))
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0 and "\x1b[" in child.before and "[not understood: 48]" in child.before and "understood: 12" not in child.before
    assert "confidence" in child.before and written.read_text("utf-8").startswith("service ")


@pytest.mark.workerd
def test_edit_then_accept_builds_what_was_edited(tmp_path: Path, editor: Path, toolchain: Toolchain) -> None:
    child = spawn(tmp_path, editor)
    child.expect(PROMPT)
    child.sendline("e")
    child.expect("headline")
    child.expect(PROMPT)
    child.sendline("a")
    child.expect("proven")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert "headline: text" in (tmp_path / "out" / "s" / "blueprint.clodo").read_text()


def test_an_edit_that_makes_no_sense_is_told_and_asked_again(tmp_path: Path, editor: Path) -> None:
    (tmp_path / "spoil").touch()
    child = spawn(tmp_path, editor)
    child.expect(PROMPT)
    child.sendline("e")
    child.expect("line .*Write text")
    child.expect(PROMPT)
    child.sendline("q")
    child.expect(pexpect.EOF)


@pytest.mark.workerd
def test_rephrase_understands_the_new_words(tmp_path: Path, editor: Path, toolchain: Toolchain) -> None:
    child = spawn(tmp_path, editor)
    child.expect(PROMPT)
    child.sendline("r")
    child.expect("Describe it again")
    child.sendline("hello there")
    child.expect("not clear enough")
    child.expect(PROMPT)
    child.sendline("r")
    child.expect("Describe it again")
    child.sendline("Films have a title and a year. No login needed.")
    child.expect("film")
    child.expect(PROMPT)
    child.sendcontrol("c")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130 and not (tmp_path / "out").exists()
