"""Whether a kept file still is the one that was fetched: its hash, remembered for as long as nobody touches it."""

from __future__ import annotations

import json
from contextlib import suppress
from hashlib import sha256
from pathlib import Path


def digest(path: Path) -> str:
    """The sha256 of a file, in hex."""
    found = sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            found.update(chunk)
    return found.hexdigest()


def is_sound(path: Path, wanted: str, *, anew: bool = False) -> bool:
    """Whether a file is there and has that sha256. Hashing takes a second for some hundred megabytes, so it is done again only
    where the file is not as it was then: its size or its times differ. ``anew`` hashes in any case. A disk that loses bytes
    by itself, and leaves the times, is found by that alone."""
    if not path.is_file():
        return False
    if not anew and _noted(path) == {"sha256": wanted, **_state(path)}:
        return True
    before = _state(path)
    sound = digest(path) == wanted
    if sound and before == _state(path):
        with suppress(OSError):  # a cache that is shared read-only is hashed each time
            _note(path).write_text(json.dumps({"sha256": wanted, **before}), "utf-8")
    return sound


def _note(path: Path) -> Path:
    return path.with_name(f"{path.name}.sound")


def _noted(path: Path) -> object:
    try:
        return json.loads(_note(path).read_text("utf-8"))
    except (OSError, ValueError):
        return None


def _state(path: Path) -> dict[str, int]:
    # The time of the last change of anything, too: the other one is put back by tools that copy times.
    found = path.stat()
    return {"size": found.st_size, "mtime_ns": found.st_mtime_ns, "ctime_ns": found.st_ctime_ns}
