"""How much a call and a day may cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from clodo.errors import UsageError


@dataclass(frozen=True, slots=True)
class Limits:
    """``call_seconds`` and ``call_tokens`` (request and answer together) bound one call with all its retries;
    ``day_requests`` and ``day_tokens`` what a provider elsewhere may be asked in a day (UTC)."""

    call_seconds: float = 60.0
    call_tokens: int = 16_000
    day_requests: int = 200
    day_tokens: int = 500_000


#: For models on this machine: nobody sends a bill, but nothing may hang for ever either.
LOCAL = Limits(300.0, 1_000_000, 1_000_000_000, 1_000_000_000_000)

_NAMES = {
    "CLODO_CALL_SECONDS": "call_seconds",
    "CLODO_CALL_TOKENS": "call_tokens",
    "CLODO_DAY_REQUESTS": "day_requests",
    "CLODO_DAY_TOKENS": "day_tokens",
}


def limits_from(environment: Mapping[str, str]) -> Limits:
    """The limits for providers elsewhere, with what the environment says of them.

    Raises:
        UsageError: a value is no number above 0.
    """
    limits = Limits()
    for name, field in _NAMES.items():
        text = environment.get(name, "")
        if not text:
            continue
        try:
            value = float(text)
        except ValueError:
            value = 0.0
        if not 0 < value < 1e12:
            raise UsageError(f"{name} is {text!r}, which is no number above 0.", hint=f"Set {name} to a number, or unset it.")
        changed: dict[str, Any] = {field: value if field == "call_seconds" else max(1, int(value))}
        limits = replace(limits, **changed)
    return limits
