"""The folder for what is kept from one run to the next."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_cache_path


def cache_folder() -> Path:
    """The folder for all that is fetched or worked out once: ``CLODO_CACHE``, else the user's cache."""
    chosen = os.environ.get("CLODO_CACHE")
    return Path(chosen).expanduser() if chosen else user_cache_path("clodo")
