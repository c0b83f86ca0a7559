"""What holds of every brick: its example is canonical and proven, its page is there, and it adds nothing to others."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from scripts.docs import bricks_page
from scripts.faults import planted

from clodo.blueprint import check, format_blueprint, parse
from clodo.blueprint.plan import make_plan
from clodo.bricks.registry import bricks
from clodo.emit import Brick
from clodo.proof.host import Host
from clodo.toolchain import Toolchain
from tests.bricks.proving import BRICKS, proof

WITH_EXAMPLE = [b for b in bricks() if (BRICKS / b.name / "example.clodo").is_file()]
PLAIN = "service plain\n\nentity thing {\n  name: text required\n}\n"


def of(brick: Brick) -> str:
    return (BRICKS / brick.name / "example.clodo").read_text("utf-8")


@pytest.mark.parametrize("brick", bricks(), ids=lambda b: b.name)
def test_it_has_a_page_and_an_example(brick: Brick) -> None:
    page = (BRICKS / brick.name / "README.md").read_text("utf-8")
    for part in ("In the blueprint", "In the service", "In the proof"):
        assert part in page
    assert brick in WITH_EXAMPLE
    assert "```\n" not in re.sub(r"```clodo\n.*?```\n?", "", page, flags=re.DOTALL), "a blueprint in a page is one, and is checked"


@pytest.mark.parametrize("brick", bricks(), ids=lambda b: b.name)
def test_it_adds_nothing_where_it_is_not_used(brick: Brick) -> None:
    if brick.name not in ("core", "resources"):
        assert not brick.applies(make_plan(parse(PLAIN)))


@pytest.mark.parametrize("brick", WITH_EXAMPLE, ids=lambda b: b.name)
def test_its_example_is_canonical_and_uses_it(brick: Brick) -> None:
    blueprint = parse(of(brick))
    assert format_blueprint(blueprint) == of(brick)
    assert brick.applies(make_plan(blueprint))


def test_faults_are_planted_in_every_brick() -> None:
    found = planted()
    assert [b.name for b in bricks() if found[b.name] < 8] == []


@pytest.mark.workerd
@pytest.mark.parametrize("brick", WITH_EXAMPLE, ids=lambda b: b.name)
def test_its_example_is_proven(brick: Brick, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    report = proof(of(brick), tmp_path / "s", toolchain, host, types=True)
    assert report.proven, report.summary()
    assert any(e.id.startswith(f"{brick.name}.") for e in report.evidence)
    assert report.gzip < 60 * 1024


def test_the_page_of_all_bricks_is_up_to_date() -> None:
    page = (BRICKS.parents[2] / "docs" / "all-bricks.md").read_text("utf-8")
    assert page == bricks_page(), "run `make docs`"


@pytest.mark.parametrize("text", re.findall(r"```clodo\n(.*?)```", bricks_page(), re.DOTALL))
def test_every_blueprint_of_the_page_is_sound(text: str) -> None:
    assert [p for p in check(parse(text)) if p.severity == "error"] == []
