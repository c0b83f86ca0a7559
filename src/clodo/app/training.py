"""What training needs from outside: its engine and a base."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from clodo.errors import ModelError, UsageError
from clodo.runtime.store import Base, bases, fetch_base
from clodo.toolchain import Progress

_ENGINE = ("torch", "transformers", "onnx", "onnxscript")


def require_engine() -> None:
    """Raises ``ModelError`` where what trains is not installed."""
    missing = [name for name in _ENGINE if find_spec(name) is None]
    if missing:
        raise ModelError(
            f"Training needs {', '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not installed.",
            hint="pip install 'clodo[train]'",
        )


def base_folder(reference: str, progress: Progress) -> tuple[Path, str]:
    """The folder of a base and the licence that models made from it are under.

    Raises:
        UsageError: it is neither a name of the catalogue nor a folder.
    """
    found: Base | None = bases().get(reference)
    if found is not None:
        return fetch_base(found, progress), f"{found.licence} (fine-tuned from {found.title}, {found.licence})"
    path = Path(reference).expanduser()
    if path.is_dir():
        return path, "as its base"
    raise UsageError(
        f"There is no base {reference!r}.", hint=f"Use {', '.join(bases())}, or a folder with an encoder."
    )
