"""What must be shown is held: the edge of each threshold, and the exit status."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from benchmarks import edge as benchmark

from clodo.edge.platform.benchmark import Figures
from clodo.edge.platform.gate import greedy_shortfalls, shortfalls
from clodo.edge.platform.server import Memory


def figures(peak: float = 49.9, **more: float) -> Figures:
    return Figures("m 1", "llama", {"front": 1}, (Memory("front", peak - 30, 30.0),), 1.0, **more)


@pytest.mark.parametrize(
    ("good", "bad", "words"),
    [
        (figures(blueprint_p50_ms=499.9), figures(blueprint_p50_ms=500.0), "takes 500 ms to its blueprint; it must be under 500 ms"),
        (figures(decode_tok_s=90.0, native_decode_tok_s=100.0), figures(decode_tok_s=89.0, native_decode_tok_s=100.0), "decoding has 0.89 of"),
        (figures(decode_tok_s=90.0, native_decode_tok_s=100.0), figures(decode_tok_s=90.0), "no llama.cpp to compare"),
        (figures(49.9), figures(50.0), "the isolate front comes to 50.0 MB"),
    ],
)
def test_a_figure_at_its_threshold_falls_short(good: Figures, bad: Figures, words: str) -> None:
    assert list(shortfalls(good)) == []
    [sentence] = shortfalls(bad)
    assert words in sentence


def greedy(same: int, *gaps: float) -> dict[str, Any]:
    return {"beside": "llama.cpp", "prompts": 50, "same": same, "parted": [{"prompt": f"p{i}", "gap": gap} for i, gap in enumerate(gaps)]}


def test_greedy_answers_may_part_at_near_ties_only() -> None:
    assert list(greedy_shortfalls(greedy(5, 0.51, 1.0))) == []
    [one] = greedy_shortfalls(greedy(10, 0.1, 1.01))
    assert "'p1'" in one and "1.01 logits" in one
    assert len(list(greedy_shortfalls(greedy(10, *[2.0] * 9)))) == 4, "a few of many, and how many more"
    [few] = greedy_shortfalls(greedy(4, 0.1))
    assert few.startswith("4 of 50 greedy answers")


@pytest.mark.parametrize(("args", "peak", "status"), [(["--gate"], 50.0, 1), (["--gate"], 49.0, 0), ([], 50.0, 0)])
def test_the_benchmark_ends_with_a_sentence(
    args: list[str], peak: float, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(benchmark, "bench_model", lambda *_, **__: figures(peak))
    monkeypatch.setattr(sys, "argv", ["edge", "any", "--json", *args])
    try:
        benchmark.main()
        ended: object = 0
    except SystemExit as end:
        ended = end.code
    said = capsys.readouterr()
    assert ended == status and '"model": "m 1"' in said.out
    assert ("it must stay under 50 MB" in said.err) == (status == 1)
