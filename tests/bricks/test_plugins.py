"""A brick from outside the package, found by its entry point."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TOY = Path(__file__).parent / "toy"
SERVICE = """service shop
motto "We care"

entity thing {
  name: text required
  starred
}
"""


def clodo(*arguments: str, path: Path | None = TOY, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """A run of the command line; ``path`` is where further packages are found."""
    environment = {**os.environ, "PYTHONPATH": str(path)} if path else dict(os.environ)
    command = [sys.executable, "-m", "clodo", *arguments]
    return subprocess.run(command, env=environment, input=stdin, capture_output=True, text=True, check=False)


@pytest.mark.workerd
def test_a_brick_from_outside_is_built_and_proven(tmp_path: Path) -> None:
    source = tmp_path / "shop.clodo"
    source.write_text(SERVICE)
    built = clodo("build", str(source), "-o", str(tmp_path / "shop"))
    assert built.returncode == 0, built.stderr
    assert (tmp_path / "shop" / "src" / "lib" / "motto.ts").is_file()
    assert "/motto" in json.loads((tmp_path / "shop" / "openapi.json").read_text())["paths"]
    assert '"star" INTEGER NOT NULL' in (tmp_path / "shop" / "migrations" / "0001_init.sql").read_text()

    proven = clodo("verify", str(tmp_path / "shop"), "--json")
    report = json.loads(proven.stdout)
    assert proven.returncode == 0, proven.stdout
    assert "toy.motto" in [c["id"] for c in report["evidence"]]

    motto = tmp_path / "shop" / "src" / "lib" / "motto.ts"
    motto.write_text(motto.read_text().replace("motto: text", "motto: text.toUpperCase()"))
    broken = clodo("verify", str(tmp_path / "shop"), "--json")
    assert broken.returncode == 1
    failed = [c["id"] for c in json.loads(broken.stdout)["evidence"] if c["outcome"] == "failed"]
    assert failed == ["toy.motto"]


def test_its_own_check_finds_what_the_grammar_cannot(tmp_path: Path) -> None:
    source = tmp_path / "shop.clodo"
    source.write_text(SERVICE.replace("We care", " "))
    run = clodo("build", str(source), "-o", str(tmp_path / "shop"))
    assert run.returncode == 1
    assert "line 2, column 1: A motto needs words." in run.stderr


def test_without_the_plugin_its_words_are_an_error(tmp_path: Path) -> None:
    source = tmp_path / "shop.clodo"
    source.write_text(SERVICE)
    run = clodo("build", str(source), "-o", str(tmp_path / "shop"), path=None)
    assert run.returncode == 1 and not (tmp_path / "shop").exists()
    assert "motto" in run.stderr


def test_a_broken_plugin_is_named(tmp_path: Path) -> None:
    info = tmp_path / "broken-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[clodo.bricks]\nbroken = broken_brick\n")
    (tmp_path / "broken_brick").mkdir()
    (tmp_path / "broken_brick" / "__init__.py").write_text("raise RuntimeError('no')\n")
    source = tmp_path / "shop.clodo"
    source.write_text("service shop\nentity thing {\n  name: text\n}\n")
    run = clodo("build", str(source), "-o", str(tmp_path / "shop"), path=tmp_path)
    assert run.returncode == 1
    assert "broken_brick" in run.stderr and "Traceback" not in run.stderr


def test_a_plugin_whose_grammar_names_no_rule_is_named(tmp_path: Path) -> None:
    info = tmp_path / "odd-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: odd\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[clodo.bricks]\nodd = odd_brick\n")
    (tmp_path / "odd_brick").mkdir()
    (tmp_path / "odd_brick" / "__init__.py").write_text("")
    (tmp_path / "odd_brick" / "language.py").write_text(ODD)
    source = tmp_path / "shop.clodo"
    source.write_text("service shop\nentity thing {\n  name: text\n}\n")
    run = clodo("build", str(source), "-o", str(tmp_path / "shop"), path=tmp_path)
    assert run.returncode == 1
    assert "The grammar of the brick 'odd_brick' cannot be used" in run.stderr and "should not" not in run.stderr


ODD = """from dataclasses import dataclass
from clodo.blueprint.constructs import Construct
@dataclass(frozen=True)
class Odd:
    pass
CONSTRUCTS = (Construct(name="odd", place="service", value=Odd, grammar="another: \\"odd\\" _NL", build=lambda t: Odd(), lines=lambda v: ["odd"]),)
"""
