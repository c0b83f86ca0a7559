"""What was asked of providers elsewhere today, and which of them are failing: a small file in the cache folder, so that
budgets and circuit breakers hold from one run to the next."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from clodo.cache import cache_folder
from clodo.errors import ModelError
from clodo.lm.breaker import Breaker
from clodo.lm.limits import Limits

_LOCK_SECONDS = 5.0


class Usage:
    """The ledger of a day (UTC), one account for each provider."""

    def __init__(self, path: Path | None = None, clock: Callable[[], float] = time.time) -> None:
        self._path = path or cache_folder() / "usage.json"
        self._clock = clock

    def admit(self, provider: str, limits: Limits, tokens: int) -> None:
        """Books a request and the tokens that it may take at most, before it is sent.

        Raises:
            ModelError: that is more than the day has left (``over-budget``), or the provider failed so often that it is
                left alone for a while (``circuit-open``).
        """
        now = self._clock()
        with self._accounts() as accounts:
            account = accounts.setdefault(provider, {"requests": 0, "tokens": 0})
            breaker = _breaker(account)
            state = breaker.state(now)
            if state == "open":
                raise ModelError(
                    f"The {provider} failed {breaker.failures} times in a row and is left alone for {breaker.until - now:.0f} s.",
                    hint="Try again later, or choose another model with --model.",
                    code="circuit-open",
                    retryable=True,
                )
            for what, used, most in (
                ("requests", account["requests"] + 1, limits.day_requests),
                ("tokens", account["tokens"] + tokens, limits.day_tokens),
            ):
                if used > most:
                    raise ModelError(
                        f"This call would take the {provider} over today's budget of {most} {what}.",
                        hint=f"Wait until midnight UTC, use a local model, or raise CLODO_DAY_{what.upper()}.",
                        code="over-budget",
                    )
            account["requests"] += 1
            account["tokens"] += tokens
            if state == "half-open":
                account["breaker"] = asdict(breaker.tried(now))

    def again(self, provider: str, limits: Limits) -> bool:
        """Books another attempt of a call that was admitted; false where the day has no request left."""
        with self._accounts() as accounts:
            account = accounts.setdefault(provider, {"requests": 0, "tokens": 0})
            if account["requests"] >= limits.day_requests:
                return False
            account["requests"] += 1
            return True

    def settle(self, provider: str, booked: int, used: int, *, answered: bool | None) -> None:
        """Puts what was used in the place of what was booked, and tells the breaker how it went (``None``: nobody knows)."""
        with self._accounts() as accounts:
            account = accounts.setdefault(provider, {"requests": 0, "tokens": 0})
            account["tokens"] = max(0, account["tokens"] - booked + used)
            if answered is not None:
                breaker = _breaker(account)
                account["breaker"] = asdict(breaker.succeeded() if answered else breaker.failed(self._clock()))

    def today(self) -> dict[str, dict[str, Any]]:
        """The accounts of the day: ``requests``, ``tokens`` and ``breaker`` of each provider."""
        return self._read()

    @contextmanager
    def _accounts(self) -> Iterator[dict[str, dict[str, Any]]]:
        """The accounts, under a lock; written back where nothing was raised."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{self._path}.lock", timeout=_LOCK_SECONDS):
                accounts = self._read()
                yield accounts
                fresh = self._path.with_suffix(f".{os.getpid()}.new")
                fresh.write_text(json.dumps({"day": self._day(), "providers": accounts}), "utf-8")
                fresh.replace(self._path)
        except (OSError, Timeout) as error:
            # Without the ledger no budget can be kept, so nothing is sent.
            raise ModelError(
                f"The ledger of calls {str(self._path)!r} cannot be kept: {type(error).__name__}.",
                hint="Make the cache folder writable, or choose another with CLODO_CACHE.",
                code="over-budget",
            ) from None

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            found = json.loads(self._path.read_text("utf-8"))
            accounts = {name: _account(a) for name, a in found["providers"].items()}
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, TypeError, AttributeError):
            return {}  # a damaged ledger: the day begins anew
        if found.get("day") != self._day():
            # A new day has its budget, but what fails at midnight still fails.
            return {name: {**a, "requests": 0, "tokens": 0} for name, a in accounts.items()}
        return accounts

    def _day(self) -> str:
        return time.strftime("%Y-%m-%d", time.gmtime(self._clock()))


def _account(found: dict[str, Any]) -> dict[str, Any]:
    return {"requests": int(found["requests"]), "tokens": int(found["tokens"]), "breaker": found.get("breaker")}


def _breaker(account: dict[str, Any]) -> Breaker:
    kept = account.get("breaker")
    try:
        return Breaker(int(kept["failures"]), float(kept["until"]), float(kept["pause"])) if kept else Breaker()
    except (TypeError, ValueError, KeyError):
        return Breaker()
