"""Results that are kept for a set, to be shown beside those of another model: of releases, and of stock models.

``results/NAME.json`` is named after the sets that were measured as one (``clear+unclear``); ``hash`` tells that they are the
same to the byte. Results are told without the texts, since not every set is part of the repository.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

FOLDER = Path(__file__).parent / "results"

Kind = Literal["previous", "stock"]


@dataclass(frozen=True)
class Kept:
    """What is kept for some sets, measured as one. ``previous``: releases, the latest last."""

    name: str
    hash: str
    previous: tuple[dict[str, Any], ...] = ()
    stock: tuple[dict[str, Any], ...] = ()

    def beside(self, measured: Sequence[str]) -> list[dict[str, Any]]:
        """What to show beside the models of these names: the stock models, and the release before."""
        releases = [r for r in self.previous if r["candidate"] not in measured]
        return [r for r in self.stock if r["candidate"] not in measured] + releases[-1:]

    def with_results(self, results: Sequence[dict[str, Any]], kind: Kind) -> Kept:
        """With these results too; they take the place of older ones of the same name."""
        new = [{**r, "faults": []} for r in results]
        names = {r["candidate"] for r in new}
        kept = {k: tuple(r for r in getattr(self, k) if r["candidate"] not in names) for k in ("previous", "stock")}
        kept[kind] = (*kept[kind], *new)
        return Kept(self.name, self.hash, **kept)


def kept_for(sets: Sequence[Path], limit: int | None = None, folder: Path | None = None) -> Kept:
    """What is kept for these sets, or of each its first texts; nothing where they have changed since."""
    name = name_of(sets, limit)
    mark = sha256(b"\0".join([*(path.read_bytes() for path in sets), str(limit).encode()])).hexdigest()[:16]
    path = (folder or FOLDER) / f"{name}.json"
    found = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    if found.get("hash") != mark:
        return Kept(name, mark)
    return Kept(name, mark, tuple(found["previous"]), tuple(found["stock"]))


def keep(kept: Kept, folder: Path | None = None) -> Path:
    """Writes it; where."""
    path = (folder or FOLDER) / f"{kept.name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(vars(kept), indent=1) + "\n", "utf-8")
    return path


def name_of(sets: Sequence[Path], limit: int | None = None) -> str:
    """What some sets are called together."""
    return "+".join(path.stem for path in sets) + (f"-{limit}" if limit is not None else "")
