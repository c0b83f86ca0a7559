"""What training needs from outside: its engine and a base."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from clodo.errors import ModelError, UsageError
from clodo.runtime.store import Base, bases, catalogue, fetch, fetch_base
from clodo.toolchain import Progress

_ENGINE = {
    "encoder": ("torch", "transformers", "onnx", "onnxscript"),
    "decoder": ("torch", "transformers", "peft", "gguf", "xllamacpp"),
}


def require_engine(kind: str) -> None:
    """Raises ``ModelError`` where what trains a kind of model is not installed."""
    missing = [name for name in _ENGINE[kind] if find_spec(name) is None]
    if missing:
        raise ModelError(
            f"Training needs {', '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not installed.",
            hint="pip install 'clodo[train,llama]'" if kind == "decoder" else "pip install 'clodo[train]'",
        )


def base_of(reference: str, progress: Progress) -> tuple[str, Path, str]:
    """The kind of a base, its folder or file, and the licence that models made from it are under.

    Raises:
        UsageError: it is neither a name of the catalogues nor a folder or a GGUF file.
    """
    found: Base | None = bases().get(reference)
    if found is not None:
        return "encoder", fetch_base(found, progress), f"{found.licence} (fine-tuned from {found.title}, {found.licence})"
    if reference in catalogue():
        entry = catalogue()[reference]
        return "decoder", fetch(entry, progress), f"{entry.licence} (fine-tuned from {reference}, {entry.licence})"
    path = Path(reference).expanduser()
    if path.is_dir():
        return "encoder", path, "as its base"
    if path.is_file() and path.suffix == ".gguf":
        return "decoder", path, "as its base"
    raise UsageError(
        f"There is no base {reference!r}.",
        hint=f"Use {', '.join([*bases(), *catalogue()])}, a folder with an encoder, or a GGUF file.",
    )
