"""The generator's output, byte for byte. ``pytest --update-golden`` writes the trees anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from clodo.blueprint import parse
from clodo.bricks.registry import bricks, service_tree
from clodo.emit.tree import MANIFEST, FileTree

GOLDEN = Path(__file__).parent / "golden"


def shown(tree: FileTree) -> str:
    """The tree in one text: all that was generated. What a brick brings unchanged is named only."""
    unchanged = {name: text for brick in bricks() for name, text in brick.sources().items()}
    parts = []
    for name, text in tree.items():
        if name == MANIFEST:
            continue
        same = unchanged.get(name) == text
        parts.append(f"===== {name}{' (of its brick)' if same else ''}\n{'' if same else text}")
    return "\n".join(parts)


def test_tree_is_the_golden_one(example: Path, request: pytest.FixtureRequest) -> None:
    source = example.read_text("utf-8")
    got = shown(service_tree(parse(source), source))
    golden = GOLDEN / f"{example.stem}.txt"
    if request.config.getoption("--update-golden"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(got, "utf-8")
    assert got == golden.read_text("utf-8"), "run pytest --update-golden if the change is meant"


def test_two_runs_are_byte_identical(example: Path) -> None:
    source = example.read_text("utf-8")
    assert service_tree(parse(source), source) == service_tree(parse(source), source)


def test_a_brick_that_is_not_used_adds_no_file(example: Path) -> None:
    source = example.read_text("utf-8")
    blueprint = parse(source)
    tree = service_tree(blueprint, source)
    assert ("src/lib/users.ts" in tree) == (blueprint.users is not None)
    assert ("src/lib/search.ts" in tree) == any(e.search for e in blueprint.entities)
    assert ("src/lib/soft-delete.ts" in tree) == any(e.soft_delete for e in blueprint.entities)
    assert ("src/lib/links.ts" in tree) == any(e.links for e in blueprint.entities)
