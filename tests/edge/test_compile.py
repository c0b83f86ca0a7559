"""The WebAssembly modules that ship: made of the sources beside them, byte for byte."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from clodo.edge import compile as compiling
from clodo.edge.modules import MODULES


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.name)
def test_what_ships_is_what_the_hashes_say(module: compiling.Module) -> None:
    assert compiling.read_hashes()[module.name] == compiling.hashes(module)


@pytest.mark.slow
@pytest.mark.skipif(find_spec("ziglang") is None, reason="the compiler is not installed")
@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.name)
def test_what_ships_is_what_the_sources_compile_to(module: compiling.Module, tmp_path: Path) -> None:
    compiling.build(module, tmp_path, tmp_path / "cache")
    assert compiling.differences([module], tmp_path, compiling.read_hashes()) == []


def test_a_file_that_differs_is_told(tmp_path: Path) -> None:
    module = MODULES[0]
    for name in compiling.outputs(module):
        (tmp_path / name).write_bytes((compiling.WASM / name).read_bytes() + b"\0")
    found = compiling.differences([module], tmp_path, {})
    assert f"{module.name}.wasm is not what its sources compile to" in found
    assert f"hashes.json does not agree with the files of {module.name}" in found
