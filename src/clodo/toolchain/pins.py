"""The exact versions of everything that comes from npm, in one place (``pins.json``)."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files


@cache
def pins() -> dict[str, str]:
    """Package name → exact version. ``compatibility_date`` is the date that services are made for,
    ``newest_compatibility_date`` the last that the pinned workerd knows."""
    text = files("clodo.toolchain").joinpath("pins.json").read_text("utf-8")
    return dict(json.loads(text))
