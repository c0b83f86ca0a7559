"""How good it is to stay warm by prediction, against always and never, on the times at which requests came."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

from clodo.errors import UsageError
from clodo.toolchain.store import node_path

_WEEK_MS = 7 * 24 * 3_600_000
_SECONDS = 120


@dataclass(frozen=True)
class Terms:
    """What a decision goes by: the least chance of a request in five minutes for which it is worth to wake, how long an
    idle isolate is taken to stay, and how often it is asked (both in minutes)."""

    threshold: float = 0.05
    lifetime_minutes: float = 10
    period_minutes: float = 5


@dataclass(frozen=True)
class Score:
    """One way to stay warm: requests that would come to a cold model were nobody woken (``firsts``), those of them that
    found it warm (``hits``), wakes, and wakes after which no request came as long as they lasted (``wasted``)."""

    firsts: int
    hits: int
    wakes: int
    wasted: int

    @property
    def hit_rate(self) -> float:
        """The share of first requests that found it warm."""
        return self.hits / self.firsts if self.firsts else 1.0


def score(times: Sequence[float], terms: Terms = Terms()) -> dict[str, Score]:
    """The ways ``never``, ``always`` and ``fitted`` over request times (seconds since 1970). The first week teaches and is
    not scored; the fitted way, which is the code that runs in the Worker, sees only what lies before each moment.

    Raises:
        UsageError: there is less than eight days of them.
    """
    in_ms = sorted(t * 1000 for t in times)
    if len(in_ms) < 2 or in_ms[-1] - in_ms[0] < _WEEK_MS * 8 / 7:
        raise UsageError("Eight days of requests are the least that can be scored.", hint="Give a longer log.")
    minutes = 60_000
    asked = {
        "times": in_ms,
        "terms": {
            "threshold": terms.threshold,
            "lifetime": terms.lifetime_minutes * minutes,
            "period": terms.period_minutes * minutes,
        },
    }
    script = files(__package__).joinpath("score.mjs")
    done = subprocess.run(
        [str(node_path()), "--no-warnings", str(script)],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=True,
    )
    found = json.loads(done.stdout)
    return {way: Score(**found[way]) for way in ("never", "always", "fitted")}


def read_log(path: Path) -> list[float]:
    """The request times of a log, in seconds since 1970: each line has one, as ISO 8601 or as seconds or milliseconds;
    whatever else is in a line is passed over, and so are lines without any.

    Raises:
        UsageError: the file cannot be read, or no line has a time.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{str(path)!r} cannot be read: {error}.", hint="Check the path.") from None
    times = [t for line in lines if (t := _time_of(line)) is not None]
    if not times:
        raise UsageError(f"No line of {str(path)!r} has a time.", hint="Begin lines with a time like 2026-11-28T09:30:00Z.")
    return times


def _time_of(line: str) -> float | None:
    iso = re.search(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?( ?(Z|[+-]\d\d:?\d\d))?", line)
    if iso is not None:
        try:
            time = datetime.fromisoformat(iso[0].replace(" Z", "Z").replace("Z", "+00:00"))
        except ValueError:
            return None
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
    number = re.search(r"(?<![\d.])1\d{9}(\d{3})?(\.\d+)?(?!\d)", line)
    if number is None:
        return None
    return float(number[0]) / (1000 if number[1] else 1)
