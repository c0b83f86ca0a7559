"""Figures as tables in Markdown: one row for each candidate, or for each of its styles or constructs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from clodo.evaluation.scoring import FIGURES

#: What is shown where nothing was there to judge, or nothing is known.
NOTHING = "–"
#: What figures can be broken down by.
BREAKDOWNS = ("style", "construct")

_OF_CONSTRUCTS = ("precision", "recall", "f1")


def table(results: Sequence[dict[str, Any]]) -> str:
    """One row for each candidate: figures with their 95 % intervals, abstention, calibration, time, and the texts that
    came to no answer where there are any."""
    names = _known([r["figures"] for r in results])
    columns: dict[str, Callable[[dict[str, Any]], str]] = {
        "candidate": lambda r: str(r["candidate"]),
        **{name: lambda r, name=name: _interval(r, name) for name in names},  # type: ignore[misc]
        "asks unclear": lambda r: _share(r["abstention"]["asked_of_unclear"], r["unclear"]),
        "asks clear": lambda r: _share(r["abstention"]["asked_of_clear"], r["clear"]),
        "ECE parts": lambda r: _ece(r["calibration"], "parts"),
        "ECE whole": lambda r: _ece(r["calibration"], "whole"),
        "p50 ms": lambda r: str(r["latency_ms"]["p50"]),
        "p95 ms": lambda r: str(r["latency_ms"]["p95"]),
    }
    if any(r.get("failed") for r in results):
        columns["failed"] = lambda r: _share(r.get("failed", 0) / max(1, r["clear"] + r["unclear"]), r["clear"] + r["unclear"])
    return markdown(list(columns), [[cell(r) for cell in columns.values()] for r in results])


def breakdown(results: Sequence[dict[str, Any]], by: str) -> str:
    """One row for each candidate and ``style`` or ``construct``, in how many texts or how often it is stated."""
    found = [(r["candidate"], name, values) for r in results for name, values in r[f"{by}s"].items()]
    count, names = ("stated", _OF_CONSTRUCTS) if by == "construct" else ("texts", _known([v for _, _, v in found]))
    rows = [
        [candidate, name, _count(values.get("wanted" if by == "construct" else "texts")), *(_number(values.get(n)) for n in names)]
        for candidate, name, values in sorted(found, key=lambda row: row[1])
    ]
    return markdown(["candidate", by, count, *names], rows)


def markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    return "\n".join([f"| {' | '.join(heads)} |", "|" + "---|" * len(heads), *(f"| {' | '.join(row)} |" for row in rows)])


def _known(figures: Sequence[dict[str, float]]) -> list[str]:
    """The figures that any of these have, in their usual order."""
    return [name for name in FIGURES if any(name in f for f in figures)]


def _interval(result: dict[str, Any], name: str) -> str:
    found = result["intervals"].get(name)
    value = _number(result["figures"].get(name))
    return f"{value} ({found[0]:.2f}–{found[1]:.2f})" if found else value


def _number(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.2f}"


def _count(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.0f}"


def _share(value: float, of: int) -> str:
    return f"{value:.0%} of {of}" if of else NOTHING


def _ece(calibration: dict[str, Any], of: str) -> str:
    """The calibration error, with what honest confidence would have on so few decisions; a candidate whose answers have no parts
    knows no doubt."""
    found = calibration.get(f"ece_{of}") if calibration.get("parts", 1) else None
    chance = calibration.get(f"chance_{of}")
    return NOTHING if found is None else f"{found:.3f}" if chance is None else f"{found:.3f} ({chance:.3f} by chance)"
