"""What ``wrangler.jsonc`` says of the runtime: the date and flags that a service is made for, and its variables."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clodo.errors import ProofError
from clodo.proof.files import without_comments
from clodo.toolchain.pins import pins

_NAME = "wrangler.jsonc"
#: The sections of bindings that the runtime knows how to serve.
SECTIONS = ("r2_buckets", "kv_namespaces", "queues", "durable_objects", "migrations", "ratelimits", "assets", "send_email", "services", "ai")


@dataclass(frozen=True)
class Settings:
    """The runtime's settings; the values of ``variables`` are strings or JSON. ``bindings`` are the sections of the
    file that give the Worker something to work with (``SECTIONS``), as they stand. ``crons`` are the lines of its triggers."""

    compatibility_date: str
    compatibility_flags: tuple[str, ...]
    variables: dict[str, Any]
    bindings: dict[str, Any]
    crons: tuple[str, ...] = ()


class SettingsError(ProofError):
    """``wrangler.jsonc`` cannot be read."""


def read_settings(directory: Path) -> Settings:
    """The settings of the service in a folder; those that it does not give are Clodo's own.

    Raises:
        SettingsError: the file is not there, or is no object in JSON with comments.
    """
    try:
        config = json.loads(without_comments((directory / _NAME).read_text("utf-8-sig")))
        return Settings(
            str(config.get("compatibility_date") or pins()["compatibility_date"]),
            tuple(map(str, config.get("compatibility_flags") or ())),
            dict(config.get("vars") or {}),
            {name: config[name] for name in SECTIONS if name in config},
            tuple(map(str, (config.get("triggers") or {}).get("crons") or ())),
        )
    except (OSError, ValueError, TypeError, AttributeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise SettingsError(f"{_NAME} cannot be read: {reason}.", hint=f"Mend {_NAME}.") from None
