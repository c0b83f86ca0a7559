"""The exact versions of everything that comes from npm, in one place (``pins.json``), and the Node that they need."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files


@cache
def pins() -> dict[str, str]:
    """Package name → exact version. ``compatibility_date`` is the date that services are made for,
    ``newest_compatibility_date`` the last that the pinned workerd knows."""
    return dict(json.loads(_text("pins.json")))


@cache
def node_range() -> str:
    """The versions of Node that the pinned wrangler runs on, as npm writes ranges: what it says of itself in the lock file.
    npm installs it on any other, too, and it then ends as soon as it is started."""
    packages = json.loads(_text("package-lock.json"))["packages"]
    return str(packages["node_modules/wrangler"]["engines"]["node"])


def needed_node() -> str:
    """The same for people, where it is a plain lower bound: ``Node 22.12.0 or newer``."""
    found = node_range()
    least = found.removeprefix(">=")
    return f"Node {least} or newer" if least != found and " " not in least else f"Node {found}"


def _text(name: str) -> str:
    return files("clodo.toolchain").joinpath(name).read_text("utf-8")
