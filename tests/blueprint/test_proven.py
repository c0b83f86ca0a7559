"""Blueprints whose examples are hard to find are proven: the examples keep to every rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from clodo.blueprint import parse
from clodo.bricks.registry import service_checks, service_secrets, service_tree
from clodo.emit.tree import write_tree
from clodo.proof.host import Host
from clodo.proof.verify import verify
from clodo.toolchain import Toolchain

NARROW = r"""service narrow "Büro"

entity index {
  name: text required pattern "^\\p{Lu}(?<x>[a-z]+)-\\d{2,3}$"
  never: text pattern "^ab$" min 3
  since: datetime default "2020-01-01T01:00:00+02:00" min "2019-01-01T00:00:00Z" below "2031-01-01T00:00:00+02:00"
  opens: time default "09:30" min "08:00"
  code: uuid default "01890000-0000-7000-8000-00000000000A"
  day: date unique min "2020-01-01"
  later: date above "2020-01-01"
  small: money above 0 below 0.05
  mail: email max 15
  post: email required min 30
  full: text = name & since
  unique (name, opens)
  unique (opens, name)
}

entity report {
  to_string: text
  index: -> index required
}
"""


@pytest.mark.workerd
@pytest.mark.parametrize("source", [NARROW, "service nothing\ntype generic\n"], ids=["narrow", "nothing"])
def test_it_is_proven(source: str, tmp_path: Path, toolchain: Toolchain, host: Host) -> None:
    blueprint = parse(source)
    write_tree(service_tree(blueprint, source), tmp_path / "s", service_secrets(blueprint))
    report = verify(tmp_path / "s", service_checks, toolchain, host)
    assert report.proven, report.summary()
