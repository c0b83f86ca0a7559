"""How good keeping warm by prediction is, on simulated logs of arrivals: ``python -m evals.keep_warm [--json]``.

The logs are made up, ten weeks each: sessions begin as a Poisson process whose rate follows the hour and the day of the week, is
drawn anew for every day (gamma, so that days differ) and falls to a tenth on some holidays; a session is several
requests, some seconds to minutes apart. Nothing of it was measured on real users: it tells how the policy deals with rhythm,
noise and bursts, and not what your users do. ``clodo edge score LOGFILE`` scores a log of your own.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Callable
from typing import Any

from clodo.edge.platform.keep_warm import Terms, score

#: The policy's constants were chosen on the logs of lower seeds.
FIRST_SEED = 101

_WEEKS = 10
_HOUR = 3600
_START = 1_767_571_200  # a Monday, 00:00 UTC

#: Sessions per hour by day of the week (0 is Monday) and hour of the day.
Rhythm = Callable[[int, int], float]

PROFILES: dict[str, Rhythm] = {
    "office tool": lambda day, hour: 1.2 if day < 5 and 8 <= hour < 18 else 0.01,
    "evening hobby": lambda day, hour: (0.5 if 18 <= hour < 23 else 0.02) * (2 if day >= 5 else 1),
    "shop": lambda day, hour: (2.5 if 10 <= hour < 22 else 0.15) * (1.5 if day == 5 else 1),
    "weekly report": lambda day, hour: 4.0 if day == 0 and 7 <= hour < 9 else 0.01,
    "rare and random": lambda day, hour: 0.05,
}


def arrivals(rhythm: Rhythm, seed: int) -> list[float]:
    """The request times of ten weeks, in seconds since 1970."""
    dice = random.Random(seed)
    times = []
    for day in range(_WEEKS * 7):
        mood = dice.gammavariate(4, 1 / 4) * (0.1 if dice.random() < 0.03 else 1)
        for hour in range(24):
            rate = rhythm(day % 7, hour) * mood
            at = _START + (day * 24 + hour) * _HOUR
            begin = dice.expovariate(rate) * _HOUR if rate > 0 else _HOUR
            while begin < _HOUR:
                times += _session(at + begin, dice)
                begin += dice.expovariate(rate) * _HOUR
    return sorted(times)


def _session(time: float, dice: random.Random) -> list[float]:
    times = [time]
    while dice.random() < 0.75:
        times.append(times[-1] + dice.lognormvariate(3.5, 1.2))
    return times


def main() -> None:
    """Scores every profile and prints it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--threshold", type=float, default=Terms().threshold)
    options = parser.parse_args()
    terms = Terms(options.threshold)
    rows: list[dict[str, Any]] = []
    for i, (name, rhythm) in enumerate(PROFILES.items()):
        found = score(arrivals(rhythm, seed=FIRST_SEED + i), terms)
        rows += [
            {"profile": name, "way": way, "hit_rate": round(s.hit_rate, 3), "firsts": s.firsts, "wakes": s.wakes, "wasted": s.wasted}
            for way, s in found.items()
        ]
    if options.json:
        print(json.dumps(rows))
        return
    print("simulated arrivals, nine scored weeks each; a first request is one that would come to a cold model were nobody woken")
    print(f"{'profile':18}{'way':8}{'first requests':>15}{'found warm':>12}{'wakes':>8}{'wasted':>8}")
    for r in rows:
        print(f"{r['profile']:18}{r['way']:8}{r['firsts']:15}{r['hit_rate']:12.0%}{r['wakes']:8}{r['wasted']:8}")


if __name__ == "__main__":
    main()
