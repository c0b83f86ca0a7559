"""Runs a candidate over a set and gathers its figures."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from clodo.errors import ModelError
from clodo.evaluation.calibration import Judged, chance_error, expected_error, reliability
from clodo.evaluation.case import Case
from clodo.evaluation.parts import judge
from clodo.evaluation.scoring import Meaning, Score, aligned, key, meaning, renames
from clodo.understand.confidence import company
from clodo.understand.port import Part, Understander


@dataclass(frozen=True)
class Answer:
    """What a candidate makes of a text; ``meaning`` is ``None`` where it asks instead. ``ms`` is the
    model's time where it tells it, else that of the call."""

    meaning: Meaning | None
    confidence: float = 1.0
    parts: tuple[Part, ...] = ()
    ms: float = 0.0
    failed: str = ""


#: A candidate: a description in, its answer out.
Candidate = Callable[[str], Answer]


def answers_of(understander: Understander) -> Candidate:
    """An understander as a candidate. Output that is no blueprint is a failed answer, not an end."""

    def answer(text: str) -> Answer:
        started = time.perf_counter()
        try:
            found = understander.understand(text)
        except ModelError as error:
            ms = (time.perf_counter() - started) * 1000
            return Answer(Meaning(), 0.0, (), ms, error.message)
        said = meaning(found.blueprint) if found.blueprint is not None else None
        return Answer(said, found.confidence, (*found.parts, *found.not_understood), found.timings_ms.get("model", 0.0))

    return answer


@dataclass
class Figures:
    """Everything that was measured of one candidate on one set. What nothing was there to judge of is left out of
    ``figures``; ``failed`` texts came to no answer at all."""

    candidate: str
    clear: int
    unclear: int
    figures: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    styles: dict[str, dict[str, float]]
    constructs: dict[str, dict[str, float]]
    abstention: dict[str, float]
    calibration: dict[str, Any]
    latency_ms: dict[str, float]
    failed: int = 0
    failure: str = ""
    faults: list[dict[str, Any]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """The figures as JSON."""
        return dict(vars(self))


def measure(
    name: str,
    candidate: Candidate,
    cases: Sequence[Case],
    progress: Callable[[str], None] = lambda _: None,
    *,
    draws: int = 500,
) -> Figures:
    """The figures of a candidate on a set, with intervals from so many bootstrap draws over texts.
    The first text is read once before the clock starts."""
    candidate(cases[0].text)
    answers = []
    for i, case in enumerate(cases):
        answers.append(candidate(case.text))
        if (i + 1) % 25 == 0:
            progress(f"  {name}: {i + 1} of {len(cases)}")
    clear = [(c, a) for c, a in zip(cases, answers, strict=True) if c.meaning is not None]
    unclear = [a for c, a in zip(cases, answers, strict=True) if c.meaning is None]
    score, faults = _score(clear)
    rng = random.Random(0)
    drawn = [_score(rng.choices(clear, k=len(clear)))[0].table() for _ in range(draws if clear else 0)]
    table = score.table()
    styles = sorted({c.style for c, _ in clear if c.style})
    times = sorted(a.ms for a in answers)
    failures = [a.failed for a in answers if a.failed]
    refused = sum(a.meaning is None for _, a in clear)
    return Figures(
        candidate=name,
        clear=len(clear),
        unclear=len(unclear),
        figures=table,
        intervals={k: _middle([d[k] for d in drawn if k in d]) for k in table} if drawn else {},
        styles={s: _of_style(clear, s) for s in styles},
        constructs={k: t.to_json() for k, t in sorted(score.constructs.items())},
        abstention={
            "asked_of_unclear": round(sum(a.meaning is None for a in unclear) / max(1, len(unclear)), 4),
            "asked_of_clear": round(refused / max(1, len(clear)), 4),
        },
        calibration=_calibration(clear),
        latency_ms={
            "p50": round(statistics.median(times), 1),
            "p95": round(times[min(len(times) - 1, int(len(times) * 0.95))], 1),
        },
        failed=len(failures),
        failure=failures[0][:200] if failures else "",
        faults=faults,
    )


def _of_style(clear: Sequence[tuple[Case, Answer]], style: str) -> dict[str, float]:
    """The figures of one style, and how many texts they are of."""
    of = [x for x in clear if x[0].style == style]
    return {"texts": len(of), **_score(of)[0].table()}


def _score(clear: Sequence[tuple[Case, Answer]]) -> tuple[Score, list[dict[str, Any]]]:
    score, told = Score(), []
    for case, answer in clear:
        assert case.meaning is not None
        said = answer.meaning if answer.meaning is not None else Meaning()
        faults = score.add(said, case.meaning, lenient=not case.exact)
        if answer.meaning is None:
            faults = ["asked: questions instead of a blueprint"]
        if answer.failed:
            faults = [f"failed: {answer.failed[:200]}"]
        if faults:
            told.append({"id": case.id, "text": case.text, "faults": faults})
    return score, told


def _middle(values: list[float]) -> tuple[float, float]:
    """The 95 % interval of bootstrap draws."""
    values = sorted(values)
    return values[int(len(values) * 0.025)], values[int(len(values) * 0.975)]


def _calibration(clear: Sequence[tuple[Case, Answer]]) -> dict[str, Any]:
    parts = [j for c, a in clear for j in judged_parts(c, a)]
    whole = judged_whole(clear)
    return {
        "parts": len(parts),
        "ece_parts": round(expected_error(parts), 4),
        "ece_whole": round(expected_error(whole), 4),
        "chance_parts": round(chance_error(parts), 4),
        "chance_whole": round(chance_error(whole), 4),
        "reliability_parts": reliability(parts),
        "reliability_whole": reliability(whole),
    }


def judged_parts(case: Case, answer: Answer) -> list[Judged]:
    """Each part of an answer with whether it is right."""
    if answer.meaning is None or case.meaning is None:
        return []
    wanted, exact = case.meaning, case.exact
    renamed = renames(answer.meaning, wanted)
    said = aligned(answer.meaning, renamed)
    parts = (replace(p, path=_renamed(p.path, renamed)) for p in answer.parts)
    found = ((p, judge(p, said, wanted, exact=exact)) for p in parts)
    among = company([p.confidence for p in answer.parts])
    return [Judged(p.kind, p.confidence, right, among) for p, right in found if right is not None]


def _renamed(path: str, renamed: Mapping[tuple[str, str], str]) -> str:
    names = path.split(".")
    other = renamed.get((key(names[0]), key(names[1]))) if len(names) > 1 else None
    return path if other is None else ".".join([names[0], other, *names[2:]])


def judged_whole(clear: Sequence[tuple[Case, Answer]]) -> list[Judged]:
    """Each blueprint as a whole, with whether it is right."""
    out = []
    for case, answer in clear:
        if answer.meaning is not None and case.meaning is not None:
            faults = Score().add(answer.meaning, case.meaning, lenient=not case.exact)
            out.append(Judged("whole", answer.confidence, not faults))
    return out
