"""Modules stay small enough to be one idea."""

from __future__ import annotations

from pathlib import Path

SOURCES = Path(__file__).parents[1] / "src" / "clodo"
MOST_LINES = 750


def sizes() -> dict[str, int]:
    return {p.relative_to(SOURCES).as_posix(): len(p.read_text("utf-8").splitlines()) for p in SOURCES.rglob("*.py")}


def test_no_module_is_larger_than_the_house_allows() -> None:
    found = sizes()
    assert len(found) > 300
    too_large = {name: lines for name, lines in found.items() if lines > MOST_LINES}
    assert not too_large, f"split by ideas: {too_large}"
