"""The WebAssembly modules that ship with Clodo, one line each: what ``clodo.edge.compile`` builds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Module:
    """A module ``wasm/NAME.wasm`` and its fallback ``wasm/NAME-base.wasm``, made of C files in ``kernels/``; ``flags``
    are further ones for the compiler. The first is compiled with ``-DRELAXED`` and relaxed SIMD, the second without."""

    name: str
    sources: tuple[str, ...]
    flags: tuple[str, ...] = ()


MODULES: tuple[Module, ...] = (Module("encoder", ("encoder.c",)), Module("llama", ("llama.c",)))
