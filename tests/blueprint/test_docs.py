"""What the docs show of the language holds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from clodo.blueprint import check, parse
from clodo.blueprint.values import FieldType, ServiceType

DOCS = Path(__file__).parents[2] / "docs" / "blueprint.md"
BLOCKS = re.findall(r"```clodo\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)


@pytest.mark.parametrize("text", BLOCKS)
def test_every_example_is_a_sound_blueprint(text: str) -> None:
    assert [p for p in check(parse(text)) if p.severity == "error"] == []


def test_every_type_and_keyword_is_explained() -> None:
    page = DOCS.read_text("utf-8")
    grammar = (DOCS.parents[1] / "src/clodo/blueprint/grammar.lark").read_text("utf-8")
    words = {t.value for t in FieldType if t is not FieldType.ENUM} | {t.value for t in ServiceType}
    words |= set(re.findall(r'"([a-z][a-z-]+)"', grammar)) - {"true", "false"}
    missing = sorted(w for w in words if w not in page)
    assert BLOCKS and not missing
