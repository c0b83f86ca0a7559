"""The page on models in Workers says what the program does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click
import pytest
from benchmarks.edge import BEGIN, END

from clodo.cli.edge import edge_command
from clodo.edge.platform.keep_warm import Terms

PAGE = (Path(__file__).parents[3] / "docs" / "edge.md").read_text("utf-8")


@pytest.mark.parametrize("name", sorted(edge_command.commands))
def test_every_command_and_option_is_told_of(name: str) -> None:
    assert f"`clodo edge {name}" in PAGE
    options = [o for o in edge_command.commands[name].params if isinstance(o, click.Option)]
    for option in options:
        long = max(option.opts, key=len)
        assert long == "--output" or long in PAGE, f"{long} of {name} is not in docs/edge.md"


def test_every_parameter_that_is_read_ignored_or_refused_is_told_of() -> None:
    from importlib.resources import files

    lists = json.loads(files("clodo.edge.llama").joinpath("ts", "parameters.json").read_text("utf-8"))
    names = {*lists["ignored"], *lists["neutral"], *(name for read in lists["read"].values() for name in read)}
    told = PAGE.partition("### Parameters of OpenAI's routes")[2].partition("\n## ")[0]
    assert sorted(n for n in names if not re.search(rf"`{n}[`.]", told)) == []


def test_figures_have_their_place() -> None:
    assert PAGE.index(BEGIN) < PAGE.index(END)


def test_the_readme_of_a_build_tells_the_threshold_that_is_the_default() -> None:
    from importlib.resources import files

    source = files("clodo.edge.platform.keep_warm").joinpath("kept-warm.ts").read_text("utf-8")
    assert f"THRESHOLD = {Terms().threshold};" in source
    assert f"{Terms().threshold} " in files("clodo.edge.platform").joinpath("readme.py").read_text("utf-8")
