"""``python -m clodo.edge.compile [NAME …] [--check]``: builds ``wasm/`` from ``kernels/``, byte for byte the same
everywhere. It needs the compiler of the extra ``kernels`` (``ziglang``), which users never do: the built files ship.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from clodo.edge.modules import MODULES, Module
from clodo.errors import ToolchainError
from clodo.escapes import without_escapes

COMPILER = "0.17.1"
KERNELS = Path(__file__).parent / "kernels"
WASM = Path(__file__).parent / "wasm"

_FLAGS = (
    "--target=wasm32-freestanding", "-std=c11", "-O3", "-ffreestanding", "-nostdlib", "-Wall", "-Wextra", "-Werror",
    "-Wl,--no-entry", "-Wl,-z,stack-size=65536", "-Wl,--strip-all",
)  # fmt: skip
#: What is added to a module's name → what is added to the flags.
_VARIANTS = {
    "": ("-mcpu=generic+simd128+relaxed_simd+bulk_memory", "-DRELAXED"),
    "-base": ("-mcpu=generic+simd128+bulk_memory",),
}
_INCLUDE = re.compile(r'^#include "([^"]+)"', re.MULTILINE)


def outputs(module: Module) -> tuple[str, ...]:
    """The file names that a module becomes."""
    return tuple(f"{module.name}{suffix}.wasm" for suffix in _VARIANTS)


def sources(module: Module) -> tuple[str, ...]:
    """The C files and headers that a module is made of, sorted."""
    found: set[str] = set()
    pending = list(module.sources)
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending += _INCLUDE.findall((KERNELS / name).read_text("utf-8"))
    return tuple(sorted(found))


def digest(path: Path) -> str:
    """The sha256 of a file, in hex."""
    return sha256(path.read_bytes()).hexdigest()


def build(module: Module, folder: Path, cache: Path) -> None:
    """Compiles a module's variants into ``folder``; ``cache`` is the compiler's own.

    Raises:
        ToolchainError: the compiler is missing, is another version, or refuses the sources.
    """
    _require_compiler()
    environment = {**os.environ, "ZIG_GLOBAL_CACHE_DIR": str(cache), "ZIG_LOCAL_CACHE_DIR": str(cache)}
    for suffix, flags in _VARIANTS.items():
        target = folder / f"{module.name}{suffix}.wasm"
        command = [sys.executable, "-m", "ziglang", "cc", *_FLAGS, *flags, *module.flags, *module.sources, "-o", str(target)]
        done = subprocess.run(command, cwd=KERNELS, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ToolchainError(f"The kernels of {target.name!r} do not compile:\n{without_escapes(done.stderr).strip()}")
        target.chmod(0o644)


def _require_compiler() -> None:
    try:
        found = version("ziglang")
    except PackageNotFoundError:
        found = "missing"
    if found != COMPILER:
        raise ToolchainError(f"The compiler ziglang {COMPILER} is needed, and it is {found}.", hint="Install it with `pip install 'clodo[kernels]'`.")


def read_hashes() -> dict[str, dict[str, dict[str, str]]]:
    """What ``wasm/hashes.json`` says: module → ``{"outputs", "sources"}`` → file name → sha256."""
    path = WASM / "hashes.json"
    return dict(json.loads(path.read_text("utf-8"))["modules"]) if path.exists() else {}


def hashes(module: Module) -> dict[str, dict[str, str]]:
    """A module's entry of ``hashes.json``, worked out from the files as they are now."""
    return {
        "outputs": {name: digest(WASM / name) for name in outputs(module)},
        "sources": {name: digest(KERNELS / name) for name in sources(module)},
    }


def differences(modules: Iterable[Module], built: Path, recorded: Mapping[str, object]) -> list[str]:
    """What does not agree: the shipped files with those in the folder ``built``, or the shipped with ``hashes.json``."""
    out = []
    for module in modules:
        out += [f"{name} is not what its sources compile to" for name in outputs(module) if digest(WASM / name) != digest(built / name)]
        if recorded.get(module.name) != hashes(module):
            out.append(f"hashes.json does not agree with the files of {module.name}")
    return out


def _check(modules: Iterable[Module]) -> list[str]:
    with tempfile.TemporaryDirectory(prefix="clodo-wasm-") as scratch:
        folder = Path(scratch)
        for module in modules:
            build(module, folder, folder / "cache")
        return differences(modules, folder, read_hashes())


def _write(modules: Iterable[Module]) -> None:
    WASM.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="clodo-wasm-") as scratch:
        for module in modules:
            build(module, WASM, Path(scratch))
    # Read late: two people may build two modules at once.
    entries = {**read_hashes(), **{m.name: hashes(m) for m in modules}}
    text = json.dumps({"compiler": f"ziglang {COMPILER}", "modules": entries}, indent=2, sort_keys=True)
    (WASM / "hashes.json").write_text(text + "\n", "utf-8")


def main(arguments: list[str] | None = None) -> int:
    """The command; 0 where all agrees."""
    parser = argparse.ArgumentParser(prog="python -m clodo.edge.compile", description="Builds the WebAssembly modules.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="modules; all where none is named")
    parser.add_argument("--check", action="store_true", help="build elsewhere and compare byte for byte")
    options = parser.parse_args(arguments)
    known = {m.name: m for m in MODULES}
    if unknown := sorted(set(options.names) - set(known)):
        parser.error(f"there is no module {unknown[0]!r}; there are {', '.join(known)}")
    modules = [known[name] for name in options.names] or list(MODULES)
    try:
        if not options.check:
            _write(modules)
            return 0
        found = _check(modules)
    except ToolchainError as error:
        print(f"{error.message} {error.hint}".strip(), file=sys.stderr)
        return error.exit_status
    for line in found:
        print(line, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
